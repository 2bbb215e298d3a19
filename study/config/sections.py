"""The sections of a training's configuration: every setting with its bounds and its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from rhm import GrammarShape
from study.config.settings import Section, setting

KEEP = ("last", "log2")
"""Which checkpoints a training keeps."""

PRECISIONS = ("float32", "tf32", "bfloat16")
"""What the matrix products of a training are computed in; see `study.kernels.products`."""

PROCESSES = ("uniform", "absorbing")
"""Noise processes; see `study.processes`."""

GRAMMAR = "grammar"
"""The source of strings whose law is known."""

MAX_LEAVES = 4096
"""The longest strings; beyond it a string no longer fits a training on one machine."""


@dataclass(frozen=True, kw_only=True)
class GrammarConfig(Section):
    """Which Random Hierarchy Model strings come from ([Cagnetta 2024]), where it is one."""

    depth: int = setting(minimum=1, maximum=12)
    """L, levels of rules; strings have tuple_size**depth leaves."""
    vocab_size: int = setting(minimum=2, maximum=255)
    """v, symbols of every level below the root."""
    num_synonyms: int = setting(minimum=1)
    """m, rules of every symbol."""
    tuple_size: int = setting(2, minimum=2)
    """s, children of every symbol."""
    num_classes: int | None = setting(None, minimum=1)
    """n, root symbols; None: as many as vocab_size."""
    zipf: dict[int, float] = field(default_factory=dict)
    """Level (0 = root) -> exponent a of p(k) ∝ k^-a; levels that are missing are uniform."""
    seed: int | None = setting(None, minimum=0)
    """Seed of the rule tables; None: the training's seed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        zipf = {level: a for level, a in self.zipf.items() if a != 0}
        object.__setattr__(self, "zipf", zipf)  # exponent 0 is uniform: one identity for both

    @cached_property
    def shape(self) -> GrammarShape:
        """The grammar's shape on the floor below."""
        return GrammarShape(
            depth=self.depth,
            vocab_size=self.vocab_size,
            num_synonyms=self.num_synonyms,
            tuple_size=self.tuple_size,
            num_classes=self.num_classes,
        )

    def faults(self) -> list[tuple[str, str]]:
        """The shape must exist, with strings of a sane length, and Zipf levels must lie in it."""
        if self.tuple_size**self.depth > MAX_LEAVES:
            leaves = f"{self.tuple_size}**{self.depth} leaves"
            return [("depth", f"strings of {leaves} are longer than {MAX_LEAVES}")]
        found = []
        try:
            _ = self.shape
        except ValueError as error:
            found.append(("", str(error)))
        for level, exponent in self.zipf.items():
            if not 0 <= level < self.depth:
                found.append(("zipf", f"level {level} is not one of 0 to {self.depth - 1}"))
            if exponent < 0:
                found.append(("zipf", f"exponent {exponent} of level {level} must be 0 or more"))
        return found


@dataclass(frozen=True, kw_only=True)
class CorpusConfig(Section):
    """Which strings are trained on, and how many are held back as their twins."""

    size: int = setting(minimum=1)
    """N, training strings."""
    control_size: int | None = setting(None, minimum=1)
    """N_C, control strings; None: as many as training strings."""
    unique: bool = setting(True)
    """All training and control strings are pairwise distinct."""
    seed: int | None = setting(None, minimum=0)
    """Seed of the draw; None: the training's seed."""
    source: str = setting(GRAMMAR, extent=True)
    """Where strings come from: `grammar`; `strings`, for those at `path`; or a corpus that is
    shipped, see docs/corpora.md. Where it is not a grammar, `unique` false keeps strings as often
    as the source has them."""
    path: str | None = setting(None, extent=True)
    """strings: a text file with one string a line, a .csv, .tsv, .parquet or .npy file, or
    `module:function`, which returns strings."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Section):
    """What is trained: the U-Net in the tree's own shape ([Favero 2025a]), or another kind."""

    width: int = setting(minimum=1, maximum=65536)
    """W, channels of every node, or of every leaf of a transformer."""
    kind: str = setting("unet", neutral="unet")
    """Its name in `study.models.kinds`, where others can be registered; an unknown one is refused
    when it comes to training."""
    layers: int | None = setting(None, minimum=1, maximum=256, neutral=None)
    """Layers of a transformer; None: as many as the tree has levels, 1 where a length makes none.
    Kinds that have none refuse it."""


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig(Section):
    """Discrete diffusion ([D3PM])."""

    num_timesteps: int = setting(200, minimum=21, maximum=100_000)
    """T; the noise schedule is stretched so that the last step is always pure noise."""
    process: str = setting("uniform", choices=PROCESSES, neutral="uniform")
    """What becomes of a leaf that noise hits: `uniform` redraws it uniformly, `absorbing` masks
    it."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Section):
    """How the network is trained."""

    steps: int = setting(minimum=1, maximum=10**12, extent=True)
    """Optimizer steps; the training ends at the last measured step not beyond it."""
    batch_size: int = setting(32, minimum=1)
    """Strings drawn for every step, with replacement."""
    noisings: int = setting(1, minimum=1)
    """Independent noisy versions of every drawn string."""
    learning_rate: float = setting(0.01, above=0, maximum=10)
    """Of Adam, in the parametrisation with unit-variance weights."""
    precision: str = setting("float32", choices=PRECISIONS, neutral="float32")
    """Of the matrix products while training: `float32`, `tf32` (refused when it comes to training
    without a GPU that has it) or `bfloat16`."""
    compile: bool = setting(False, neutral=False)
    """Fuse the work of an optimizer step with torch.compile. It needs a C++ compiler and, for every
    new shape of a pack, a minute or so before the first step; long trainings win."""
    keep: str = setting("last", choices=KEEP, extent=True)
    """Checkpoints that stay: `last`, or `log2` for those at powers of two as well."""

    @property
    def is_exact(self) -> bool:
        """Whether, on a CPU, no bit depends on the pack or on the number of threads."""
        return self.precision == "float32" and not self.compile


@dataclass(frozen=True, kw_only=True)
class MeasurementConfig(Section):
    """When a training is measured, and how finely."""

    first_step: int = setting(64, minimum=1)
    """The first step that may be measured."""
    per_octave: int = setting(1, minimum=1, maximum=16)
    """Steps per doubling of the step at which strings may be generated."""
    likelihood_per_octave: int = setting(2, minimum=1, maximum=64)
    """Steps per doubling of the step at which likelihood and noise may be measured."""
    budget: float | None = setting(None, above=0)
    """Operations that measurements may take by any step, as a share of those that training took by
    then; what it does not afford is left out. None: no limit, `memophase plan` says the cost."""
    generated: int = setting(1000, minimum=20)
    """G, strings generated at a time."""
    reverse_steps: int | None = setting(None, minimum=1, neutral=None)
    """Steps from noise to a generated string; None: T. Fewer are quicker and biased."""
    loss_strings: int = setting(192, minimum=1)
    """Training and control strings (about, each) whose likelihood is measured: equally many of
    every stratum, 19 at least."""
    noise_strings: int = setting(96, minimum=1)
    """Training and control strings (at most, each) that are measured at every noise level."""
    loss_draws: int = setting(10, minimum=10)
    """Noisings of each of these strings, spread over t = 1 … T: evenly for what is averaged by
    noise level, and for likelihood as the loss is."""
