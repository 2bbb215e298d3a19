"""Candidates with costs, and what holds trainings of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Lattice(NamedTuple):
    """Candidates of a search.

    Attributes:
        cells: (M, 2), the first axis log2 N, the second log2 W.
        costs: (M,) of one training.
    """

    cells: Array
    costs: Array


class Trainings(Protocol):
    """Trainings of a lattice's cells, real or synthetic, trained when first asked."""

    @property
    def lattice(self) -> Lattice: ...

    @property
    def log_steps(self) -> Array: ...

    @property
    def seeds(self) -> int: ...

    def train(self, cell: int, seed: int) -> Sequence[float]: ...


@dataclass
class Observed:
    """What one way of searching has trained so far."""

    trainings: Trainings
    cells: list[int] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    curves: list[Sequence[float]] = field(default_factory=list)
    spent: float = 0.0

    def train(self, cell: int, further: int = 1) -> None:
        """Train further seeds of a cell."""
        for _ in range(further):
            seed = self.cells.count(cell)
            self.curves.append(self.trainings.train(cell, seed))
            self.cells.append(cell)
            self.seeds.append(seed)
            self.spent += float(self.trainings.lattice.costs[cell])

    def mean(self, cell: int) -> float:
        """Mean order parameter of a cell at the last step."""
        own = [c[-1] for c, i in zip(self.curves, self.cells, strict=True) if i == cell]
        return float(np.mean(own))

    def rows(self) -> tuple[Array, Array, Array, Array]:
        """Cells, log steps, values and seeds, one entry per measured step."""
        steps = self.trainings.log_steps
        return (
            np.repeat(np.array(self.cells, dtype=int), len(steps)),
            np.tile(steps, len(self.cells)),
            np.concatenate([np.asarray(c, dtype=float) for c in self.curves] or [np.zeros(0)]),
            np.repeat(np.array(self.seeds, dtype=int), len(steps)),
        )
