"""A member of a pack: one training, its corpus, and what of it is published."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from rhm import Grammar
from study.config import TrialConfig
from study.corpus import Corpus
from study.measures import Reference
from study.store import records
from study.store.results import DamagedTraining, Results, Status

log = logging.getLogger(__name__)


@dataclass
class Member:
    """One training of a pack: what it is and what of it is published.

    Attributes:
        config: its configuration.
        status: its last published status; None before the first.
        tables: its published tables.
    """

    config: TrialConfig
    status: Status | None = None
    tables: dict[str, pa.Table] = field(default_factory=dict)
    corpus: Corpus = field(init=False)
    reference: Reference = field(init=False)

    @classmethod
    def open(cls, config: TrialConfig, results: Results) -> Member:
        """A training as its folder holds it; a damaged folder is emptied and said so."""
        try:
            status = results.verified(config.hash)
            tables = results.tables(status) if status else {}
        except (DamagedTraining, records.RecordsError) as damage:
            log.warning("training %s is damaged (%s) and is redone", config.hash, damage)
            results.discard(config.hash)
            status, tables = None, {}
        return cls(config, status, tables)

    @property
    def step(self) -> int:
        """The published step from which it goes on; 0 at the start."""
        return self.status.step if self.status else 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return self.status is not None and self.status.is_done(self.config.last_step)

    def prepare(self) -> None:
        """Build grammar, corpus and what the measurements refer to."""
        self.corpus = build_corpus(self.config)
        self.reference = Reference.build(self.corpus)

    def add(self, name: str, step: int | None, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows to a table."""
        rows = len(next(iter(columns.values())))
        keys: dict[str, Sequence[Any]] = {"training": [self.config.hash] * rows}
        if step is not None:
            keys["step"] = [step] * rows
        added = records.table(name, {**keys, **columns})
        earlier = [self.tables[name]] if name in self.tables else []
        self.tables[name] = records.concatenated(name, [*earlier, added])


def build_corpus(config: TrialConfig) -> Corpus:
    """The corpus of a training, with its grammar, from its seeds."""
    grammar = Grammar.random(
        config.grammar.shape, zipf=config.grammar.zipf, seed=config.grammar_seed
    )
    return Corpus.draw(
        grammar,
        config.corpus.size,
        control_size=config.corpus.control_size,
        unique=config.corpus.unique,
        seed=config.corpus_seed,
    )
