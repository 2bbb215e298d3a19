"""A member of a pack: one training, with all that belongs to it and to no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from study.config import TrialConfig
from study.corpus import Corpus, Pool, build_corpus
from study.measures import Reference
from study.processes.process import Diffusion
from study.store import records
from study.store.results import Results
from study.store.status import DamagedTraining, Entry, State, Status, UnreadableTraining
from study.training.fixed import Fixed

log = logging.getLogger(__name__)


@dataclass
class Member:
    """One training of a pack: what it is, and what of it is published.

    Attributes:
        config: its configuration.
        pool: reads the strings that its corpus is drawn from; None where a grammar makes them.
        status: its last published status; None before the first.
        tables: its published tables.
        kept_checkpoints: step -> checkpoint, beside the last one: entries of published ones, and
            bytes of those that the next publication adds.
        fixed: what its measurements reuse; None before the first.
    """

    config: TrialConfig
    pool: Callable[[], Pool | None] = lambda: None
    status: Status | None = None
    tables: dict[str, pa.Table] = field(default_factory=dict)
    kept_checkpoints: dict[int, bytes | Entry] = field(init=False)
    fixed: Fixed | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.forget_unpublished()

    @classmethod
    def open(cls, config: TrialConfig, results: Results) -> Member:
        """A training as its folder holds it; a damaged folder is emptied and said so.

        Raises:
            UnreadableTraining: when a file cannot be read although it is there.
        """
        try:
            status = results.verified(config.hash)
            tables = results.tables(status) if status else {}
        except UnreadableTraining:
            raise
        except (DamagedTraining, records.RecordsError) as damage:
            log.warning("training %s is damaged (%s) and is redone", config.hash, damage)
            results.discard(config.hash)
            status, tables = None, {}
        return cls(config, lambda: results.pool(config), status, tables)

    @property
    def step(self) -> int:
        """The published step from which it goes on; 0 at the start."""
        return self.status.step if self.status else 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return self.status is not None and self.status.is_done(self.config.last_step)

    @property
    def keeps_checkpoints(self) -> bool:
        """Whether checkpoints at powers of two stay."""
        return self.config.training.keep == "log2"

    @cached_property
    def corpus(self) -> Corpus:
        """Its training and control strings, with their grammar."""
        return build_corpus(self.config, self.pool())

    @cached_property
    def reference(self) -> Reference:
        """What its generated strings are compared with."""
        return Reference.build(self.corpus)

    @property
    def strings(self) -> NDArray[np.uint8]:
        """(N, d) what it is trained on."""
        return self.corpus.training.strings

    def prepare(self) -> None:
        """Build grammar, corpus and what the measurements refer to, before the first step."""
        _ = self.corpus, self.reference

    def fix(self, diffusion: Diffusion) -> Fixed:
        """What its measurements reuse, drawn the first time."""
        if self.fixed is None:
            self.fixed = Fixed.of(self.config, self.reference, diffusion)
        return self.fixed

    def add(self, name: str, step: int | None, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows to a table."""
        rows = len(next(iter(columns.values())))
        keys: dict[str, Sequence[Any]] = {"training": [self.config.hash] * rows}
        if step is not None:
            keys["step"] = [step] * rows
        added = records.table(name, {**keys, **columns})
        earlier = [self.tables[name]] if name in self.tables else []
        self.tables[name] = records.concatenated(name, [*earlier, added])

    def publish(
        self,
        results: Results,
        state: State,
        step: int,
        checkpoint: bytes,
        *,
        composition: tuple[str, ...],
        error: str | None = None,
    ) -> None:
        """Publish its tables and checkpoints; see `Results.publish`."""
        self.status = results.publish(
            self.config,
            state,
            step,
            self.tables,
            checkpoint,
            composition=composition,
            error=error,
            kept_checkpoints=self.kept_checkpoints,
        )
        self.forget_unpublished()

    def forget_unpublished(self) -> None:
        """Of the kept checkpoints, leave the published ones; none where none are wanted."""
        self.kept_checkpoints = {}
        if self.status is not None and self.keeps_checkpoints:
            files = self.status.files
            self.kept_checkpoints = {
                step: files[name] for step, name in self.status.kept_checkpoints.items()
            }
