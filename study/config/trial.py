"""What one training is: its configuration, its identity and its extent.

A `TrialConfig` holds every choice that decides a result. Its **identity** is a hash of the fields
that determine the trajectory; its **extent** (how long it trains, what it keeps) stays outside the
hash, so that a longer training of the same identity continues a shorter one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from rhm import TreeShape
from study.config.own_strings import PoolConfig, StringsConfig
from study.config.schedule import FORWARD_AND_BACKWARD, Schedule
from study.config.sections import (
    GRAMMAR,
    CorpusConfig,
    DiffusionConfig,
    GrammarConfig,
    MeasurementConfig,
    NetworkConfig,
    TrainingConfig,
)
from study.config.settings import Section, built, flattened, identity, plain, setting

SEMANTICS = 3
"""Raised whenever a change of the code changes results; part of every identity."""

STRINGS = StringsConfig()
"""Nothing said of strings of one's own."""


@dataclass(frozen=True, kw_only=True)
class TrialConfig(Section):
    """One training: one network on one corpus."""

    grammar: GrammarConfig | None = setting(None, neutral=None)
    corpus: CorpusConfig
    network: NetworkConfig
    training: TrainingConfig
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    measurement: MeasurementConfig = field(default_factory=MeasurementConfig)
    strings: StringsConfig = setting(factory=StringsConfig, neutral=STRINGS)
    pool: PoolConfig | None = setting(None, neutral=None, found=True)
    seed: int = setting(0, minimum=0)
    """The replica: seeds rule tables, corpus, initial weights and every other random stream."""

    @classmethod
    def needs(cls, document: Mapping[str, Any]) -> list[str]:
        """A grammar, where strings come from none else."""
        corpus = document.get("corpus")
        source = corpus.get("source", GRAMMAR) if isinstance(corpus, Mapping) else GRAMMAR
        return [GRAMMAR] if source == GRAMMAR else []

    def faults(self) -> list[tuple[str, str]]:
        """Training and control strings must exist, and strings must be generated once."""
        found = self._faults_of_the_source()
        if found:
            return found
        if self.reverse_steps > self.diffusion.num_timesteps:
            what = f"must be at most diffusion.num_timesteps, {self.diffusion.num_timesteps}"
            found.append(("measurement.reverse_steps", what))
        found += self._too_many()
        if not self.generated_steps:
            found.append(("training.steps", self._too_short()))
        return found

    def _faults_of_the_source(self) -> list[tuple[str, str]]:
        """Settings must be those of where the strings come from."""
        if self.corpus.source != GRAMMAR:
            if self.grammar is not None:
                return [(GRAMMAR, f"is none of corpus.source: {self.corpus.source}; leave it out")]
            if self.pool is None:
                return [("corpus.source", "its strings have not been read")]
            return []
        found = []
        if self.grammar is None:
            found.append((GRAMMAR, "is required"))
        if self.corpus.path is not None:
            found.append(("corpus.path", "goes with corpus.source: strings"))
        if self.strings != STRINGS or self.pool is not None:
            found.append(("strings", "goes with corpus.source: strings"))
        return found

    def _too_many(self) -> list[tuple[str, str]]:
        """Whether there are not so many strings."""
        wanted = self.corpus.size + self.control_size
        sides = f"{self.corpus.size} training and {self.control_size} control strings are {wanted}"
        if self.pool is not None:
            held = self.pool.strings if self.corpus.unique else self.pool.total
            left = held - reference_size(held, self.strings.reference)
            if wanted <= left:
                return []
            what = (
                f"{sides}, but of {held} strings only {left} are not put aside for the score; make "
                "the corpus smaller, or lower corpus.control_size or strings.reference"
            )
            return [("corpus.size", what)]
        support = self.known_grammar.shape.support_size
        if not self.corpus.unique or wanted <= support:
            return []
        what = (
            f"{sides} unique strings, but the grammar has only {support}; "
            "make the corpus smaller or the grammar larger"
        )
        return [("corpus.size", what)]

    def _too_short(self) -> str:
        """What lets a training generate strings that ends before it would."""
        steps, schedule = self.training.steps, self.schedule
        first = schedule.first_generated_step
        says = (
            f"{steps} steps end before the first measured step at which strings are generated, "
            f"{first}; raise them to {first}"
        )
        remedies = []
        if steps < schedule.first_step:
            schedule = replace(schedule, first_step=steps)
            remedies.append(f"lower measurement.first_step to {steps}")
        if schedule.first_generated_step > steps:
            budget = schedule.smallest_budget(steps)
            remedies.append(f"raise measurement.budget to {budget:g} (null lifts it)")
        return f"{says}, or {' and '.join(remedies)}"

    @property
    def known_grammar(self) -> GrammarConfig:
        """The grammar of the strings. Raises ValueError where they come from elsewhere."""
        if self.grammar is None:
            raise ValueError("these strings have no grammar")
        return self.grammar

    @cached_property
    def shape(self) -> TreeShape:
        """L, v, s and d of the strings, wherever they come from."""
        return self.pool.shape if self.pool is not None else self.known_grammar.shape

    @property
    def control_size(self) -> int:
        """N_C, with its default resolved."""
        return self.corpus.control_size or self.corpus.size

    @property
    def reverse_steps(self) -> int:
        """Steps from noise to a generated string, with their default resolved."""
        return self.measurement.reverse_steps or self.diffusion.num_timesteps

    @property
    def grammar_seed(self) -> int:
        """The seed of the rule tables."""
        own = self.known_grammar.seed
        return self.seed if own is None else own

    @property
    def corpus_seed(self) -> int:
        """The seed of the draw of the corpus."""
        return self.seed if self.corpus.seed is None else self.corpus.seed

    @property
    def schedule(self) -> Schedule:
        """When the training is measured."""
        measurement, training = self.measurement, self.training
        noisy = 2 * (measurement.loss_strings + measurement.noise_strings) * measurement.loss_draws
        return Schedule(
            first_step=measurement.first_step,
            per_octave=measurement.per_octave,
            likelihood_per_octave=measurement.likelihood_per_octave,
            budget=measurement.budget,
            training_passes=FORWARD_AND_BACKWARD * training.batch_size * training.noisings,
            generating_passes=measurement.generated * self.reverse_steps,
            likelihood_passes=noisy,
        )

    @property
    def measured_steps(self) -> list[int]:
        """Measured steps in rising order; they never depend on how long the training is."""
        return [step for step, _ in self.schedule.until(self.training.steps)]

    @property
    def generated_steps(self) -> list[int]:
        """The measured steps at which strings are generated."""
        return [step for step, generates in self.schedule.until(self.training.steps) if generates]

    @property
    def last_step(self) -> int:
        """The step at which the training ends: its last measured step."""
        return self.measured_steps[-1]

    @cached_property
    def resolved(self) -> TrialConfig:
        """The same training with every derived default written out."""
        grammar = self.grammar
        if grammar is not None:
            classes = grammar.shape.symbols_at(0)
            grammar = replace(grammar, num_classes=classes, seed=self.grammar_seed)
        corpus = replace(self.corpus, control_size=self.control_size, seed=self.corpus_seed)
        steps = None if self.reverse_steps == self.diffusion.num_timesteps else self.reverse_steps
        measurement = self.measurement.changed(reverse_steps=steps)
        layers = None if self.network.layers == self.shape.depth else self.network.layers
        network = self.network.changed(layers=layers)
        return replace(
            self, grammar=grammar, corpus=corpus, network=network, measurement=measurement
        )

    @cached_property
    def hash(self) -> str:
        """The identity, 16 hexadecimal digits; the name of the training's folder.

        Defaults that follow from other settings are resolved first, so that leaving a setting out
        and writing its value are the same training.
        """
        return self._hash(SEMANTICS)

    def is_identified_by(self, hash_: str) -> bool:
        """Whether this is the training of that name, trained by today's code or by older code."""
        return any(self._hash(semantics) == hash_ for semantics in range(SEMANTICS, 0, -1))

    def _hash(self, semantics: int) -> str:
        read = self.strings.as_read(self.pool) if self.pool is not None else self.strings
        document = {"semantics": semantics, **identity(self.resolved.changed(strings=read))}
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def pack_key(self) -> tuple[object, ...]:
        """Trainings with equal keys can share a pack: their tensors have equal shapes, they take
        equal optimizer steps and they are measured together.

        Widths that are no multiple of 8, and steps of a single string, train alone: in company
        their last bits would differ.
        """
        shape, training = self.shape, self.training
        alone = self.network.width % 8 or training.batch_size * training.noisings == 1
        return (
            self.hash if alone else "",
            (shape.depth, shape.tuple_size, shape.vocab_size, self.grammar is None),
            self.network,
            (training.batch_size, training.noisings, training.learning_rate),
            (training.precision, training.compile),
            self.diffusion,
            self.measurement,
        )

    def to_dict(self) -> dict[str, Any]:
        """The whole configuration as plain JSON values; `from_dict` gives it back."""
        return plain(self)

    def flat(self) -> dict[str, Any]:
        """Dotted field -> value with derived defaults resolved; one Zipf exponent per level.

        Strings without a grammar have None for its fields; strings of a grammar have no fields of
        those that are read.
        """
        return dict(self._flat)

    @cached_property
    def _flat(self) -> dict[str, Any]:
        """Kept, because every claim of a plan looks at the settings of every training."""
        document = self.resolved.to_dict()
        if self.grammar is None:
            document[GRAMMAR] = dict.fromkeys(f.name for f in fields(GrammarConfig))
            del document["pool"]["alphabet"]
        else:
            del document["strings"], document["pool"], document["corpus"]["path"]
        flat = flattened(document)
        exponents = flat.pop("grammar.zipf")
        for level in range(self.grammar.depth if self.grammar is not None else 0):
            flat[f"grammar.zipf.{level}"] = exponents.get(str(level), 0.0)
        return flat

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> TrialConfig:
        """Build and check a configuration.

        Raises:
            ConfigError: naming every fault at once.
        """
        return built(cls, document)


def reference_size(strings: int, share: float) -> int:
    """|R|, how many of a pool's strings are put aside for the score."""
    return max(1, int(strings * share))
