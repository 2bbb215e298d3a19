"""Packs of trainings, and each of their measurements as work to be timed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from study.config import TrialConfig
from study.kernels.memory import keep_freed_memory
from study.measures import measure_losses, measure_strings
from study.measures.likelihood import elbo_losses
from study.measures.noise import measure_noise
from study.measures.windows import Windows
from study.processes.generation import generate
from study.store import records
from study.store.results import Results
from study.training.fixed import Fixed
from study.training.measuring import measure
from study.training.member import Member
from study.training.pack import PackTrainer

STEPS, WARM_UP = 40, 8
"""Training steps that are timed together, and those before them."""

RUNS = 3
"""Of which the quickest counts."""


@dataclass(frozen=True)
class Setting:
    """What a pack is and has measured.

    Attributes:
        size, generated, depth, vocab_size, width, members: N, G, L, v, W, K.
        measured: steps whose rows the written tables hold.
    """

    size: int = 256
    generated: int = 512
    depth: int = 3
    vocab_size: int = 6
    width: int = 32
    members: int = 4
    measured: int = 1

    def config(self, seed: int) -> TrialConfig:
        """One of the pack's trainings."""
        grammar = {
            "depth": self.depth,
            "vocab_size": self.vocab_size,
            "num_synonyms": 4,
            "zipf": {str(self.depth - 1): 1.5},
        }
        return TrialConfig.from_dict(
            {
                "grammar": grammar,
                "corpus": {"size": self.size},
                "network": {"width": self.width},
                "training": {"steps": 4096, "batch_size": 64},
                "diffusion": {"num_timesteps": 50},
                "measurement": {"generated": self.generated, "budget": None},
                "seed": seed,
            }
        )


Clock = Callable[[], float]


def seconds(work: Callable[[], Any], clock: Clock = time.process_time) -> float:
    """Seconds of the quickest of `RUNS` runs, of the processor if no other clock is given."""
    spent = []
    for _ in range(RUNS):
        start = clock()
        work()
        spent.append(clock() - start)
    return min(spent)


class Pack:
    """A pack that has trained a few steps, and each of its measurements as work to be timed."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.members: list[Member] = []
        self.preparing = seconds(self._prepare)
        keep_freed_memory()
        self.trainer = PackTrainer(self.members, torch.device("cpu"))
        torch.set_num_threads(self.trainer.threads(1))
        self.trainer.train(WARM_UP)
        self.fixed: list[Fixed] = []
        self.fixing = seconds(self._fix)

    def _prepare(self) -> None:
        seeds = range(self.setting.members)
        self.members = [Member(self.setting.config(seed)) for seed in seeds]
        for member in self.members:
            member.prepare()

    def _fix(self) -> None:
        diffusion = self.trainer.diffusion
        self.fixed = [Fixed.of(m.config, m.reference, diffusion) for m in self.members]

    def train(self) -> None:
        """`STEPS` steps."""
        self.trainer.train(self.trainer.step + STEPS)

    def noise(self) -> None:
        """Losses, recovery, entropy and the position by noise level."""
        noisings, optima = [f.noisings for f in self.fixed], [f.optima for f in self.fixed]
        diffusion = self.trainer.diffusion
        readings = measure_noise(self.trainer.network, diffusion, noisings, optima)
        for reading, fixed in zip(readings, self.fixed, strict=True):
            windows = Windows.of(reading, fixed.noisings, fixed.optima, diffusion.num_timesteps)
            windows.curves()
            windows.noise(diffusion.num_timesteps)

    def likelihood(self) -> None:
        """ELBO losses, memorized strings, T_L."""
        probes = [fixed.probes for fixed in self.fixed]
        losses = elbo_losses(self.trainer.network, self.trainer.diffusion, probes)
        for probe, loss in zip(probes, losses, strict=True):
            measure_losses(probe.with_losses(loss))

    def generate(self) -> np.ndarray:
        """(K, G, d) strings."""
        configs = [member.config for member in self.members]
        return generate(
            self.trainer.network,
            self.trainer.diffusion,
            [config.seed for config in configs],
            count=self.setting.generated,
            leaves=configs[0].shape.num_leaves,
        )

    def read(self, strings: np.ndarray) -> None:
        """Copies, substrings, validity, rule usage and typicality of generated strings."""
        for member, own in zip(self.members, strings, strict=True):
            measure_strings(member.reference, own)

    def measured(self) -> None:
        """Fill the members' tables with the rows of as many steps as the setting wants."""
        measure(
            self.members,
            self.trainer.network,
            self.trainer.diffusion,
            self.trainer.step,
            generates=True,
            batch_losses=[1.0] * len(self.members),
            trained=0.0,
        )
        for member in self.members:
            for name in set(records.CHANGING) & set(member.tables):
                rows = [member.tables[name]] * self.setting.measured
                member.tables[name] = records.concatenated(name, rows)

    def write(self, folder: str) -> None:
        """Publish every member's tables and checkpoint."""
        results, step = Results.open(folder), self.trainer.step
        for k, member in enumerate(self.members):
            checkpoint = self.trainer.checkpoint(k)
            results.publish(member.config, "running", step, member.tables, checkpoint)


def costs(setting: Setting) -> dict[str, float]:
    """Activity -> seconds, for a whole pack; `step` is a training step."""
    pack = Pack(setting)
    found = {
        "step": seconds(pack.train) / STEPS,
        "corpus, once": pack.preparing,
        "optima, once": pack.fixing,
        "noise": seconds(pack.noise),
        "likelihood": seconds(pack.likelihood),
        "generating": seconds(pack.generate),
    }
    strings = pack.generate()
    found["their readings"] = seconds(lambda: pack.read(strings))
    pack.measured()
    with tempfile.TemporaryDirectory() as folder:
        # On the clock: most of it waits until the disk has the files.
        found["writing"] = seconds(lambda: pack.write(folder), time.perf_counter)
    return found
