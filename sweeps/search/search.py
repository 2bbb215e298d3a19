"""What a search is: asked what to train next, it answers from what stands on disk.

A search keeps nothing between two questions that it could not work out again from the results:
that is why it goes on after a kill, with a larger budget, or in a folder joined from two, and why
no snapshot of one is ever trusted. Asked twice about the same results it answers the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import ClassVar

import pyarrow as pa

from study.config import TrialConfig
from study.config.settings import Faults, Section
from study.store import listing
from study.store.results import Results
from sweeps.search import order
from sweeps.space.cells import Cell, Expansion, Space, Training

Batch = tuple[Training, ...]
"""Trainings that may share packs, those that should start first at its head."""


class Answer(Enum):
    """What a search says where it has nothing to be trained now."""

    WAIT = "wait"
    """First it must see how trainings under way end."""
    FINISHED = "finished"
    """Nothing is left to be asked for."""


@dataclass(frozen=True)
class Evidence:
    """What a search decides by.

    Attributes:
        results: what is published.
        done: hashes of trainings that are known to have nothing left to train.
        given: hashes of what this run was given so far, whatever has become of it.
        running: those of them that have not ended.
    """

    results: Results
    done: Collection[str] = frozenset()
    given: Collection[str] = frozenset()
    running: Collection[str] = frozenset()

    def is_settled(self, training: str) -> bool:
        """Whether there is no sense in asking for a training again in this run."""
        return training in self.done or training in self.given


class Search(ABC):
    """Decides which trainings come next.

    Args:
        options: what the sweep file says in its `search`.
        space: what it says of everything else.
    """

    kind: ClassVar[str]
    Options: ClassVar[type[Section]]

    def __init__(self, options: Section, space: Space) -> None:
        self.options, self.space = options, space

    def faults(self) -> Faults:
        """What is wrong with the sweep file before any cell is made; paths are the file's."""
        return []

    @property
    @abstractmethod
    def most(self) -> int:
        """Cells that it may make, at most; counted without making them."""

    @cached_property
    def expansion(self) -> Expansion:
        """The cells that are known before anything was trained, and what is wrong with others."""
        return Expansion(self.space)

    def cell_faults(self) -> Faults:
        """What is wrong with the cells as a whole."""
        return []

    @property
    def cells(self) -> Sequence[Cell]:
        """The cells that are known before anything was trained, in the order of the axes."""
        return self.expansion.cells

    @property
    def configs(self) -> Sequence[TrialConfig]:
        """The settings of every training of these cells, whether it comes to be trained or not."""
        return [config for cell in self.cells for config in self.space.configs(cell)]

    @abstractmethod
    def known(self, evidence: Evidence) -> tuple[Training, ...]:
        """The trainings of the sweep so far: those on disk, given, or certain to come."""

    def forgotten(self, evidence: Evidence) -> set[str]:
        """Hashes of trainings of its own that were begun, never published, and that it may not ask
        for again; none where it knows whatever was begun."""
        return set()

    def most_flop(self, evidence: Evidence) -> float | None:
        """Operations that it may still take, at most; None where `known` says it all."""
        return None

    def says(self, evidence: Evidence) -> str:
        """How far it has come, in words; empty where the count of trainings says it."""
        return ""

    def outcome(self, evidence: Evidence) -> dict[str, pa.Table]:
        """What it has found, by name: tables that reports read from the folder's `search/`."""
        return {}

    @abstractmethod
    def ask(self, evidence: Evidence, free: int) -> list[Batch] | Answer:
        """What to train next.

        Args:
            evidence: what is known; a batch holds nothing that it says is settled.
            free: packs that could start now, 1 or more.
        """


class Listed(Search):
    """A search that knows all its cells before it begins, and asks for them all at once."""

    def in_order(self) -> Sequence[Cell]:
        """The cells as they should start."""
        return self.cells

    @cached_property
    def trainings(self) -> tuple[Training, ...]:
        """Every cell's replicas, in the order of the axes."""
        return tuple(t for cell in self.cells for t in self.space.replicas(cell))

    @property
    def configs(self) -> Sequence[TrialConfig]:
        """Those of its trainings, which have worked out much of what is asked of settings."""
        return [training.config for training in self.trainings]

    def known(self, evidence: Evidence) -> tuple[Training, ...]:
        """All."""
        return self.trainings

    def ask(self, evidence: Evidence, free: int) -> list[Batch] | Answer:
        """Everything that is unfinished."""
        by_cell: dict[int, list[Training]] = {}
        for training in self.trainings:
            if not evidence.is_settled(training.hash):
                by_cell.setdefault(id(training.cell), []).append(training)
        batch = tuple(t for cell in self.in_order() for t in by_cell.get(id(cell), ()))
        return [batch] if batch else Answer.FINISHED


class CoarseToFine(Listed):
    """A list of cells on a lattice, which starts at the lattice's corners and refines it."""

    def in_order(self) -> Sequence[Cell]:
        """The cells from coarse to fine."""
        return order.coarse_to_fine(self.cells)


def listed(evidence: Evidence) -> list[str]:
    """Hashes in the order in which they were asked for, as far as `sweep.json` says.

    It is only ever shown: a folder that lists nothing, or another sweep, is searched alike.
    """
    try:
        study = listing.read(evidence.results.store)
    except listing.ListingError:
        return []
    return [training.hash for training in study.trainings] if study else []
