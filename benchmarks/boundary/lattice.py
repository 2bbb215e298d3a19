"""Candidates with costs, and what holds trainings of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sweeps.search.packs import Packing
from sweeps.space import cost

Array = NDArray[Any]


class Lattice(NamedTuple):
    """Candidates of a search, and what it thinks that they take.

    Attributes:
        cells: (M, 2), the first axis log2 N, the second log2 W.
        costs: (M,) of one training in company.
        packing: which of them can share a pack, and what a pack costs beside them.
    """

    cells: Array
    costs: Array
    packing: Packing

    def price(self, cells: Sequence[int]) -> float:
        """What trainings take that are known at once, in as few packs as hold them."""
        several, total = np.array(cells, dtype=int), 0.0
        for group in np.unique(self.packing.group[several]):
            own = several[self.packing.group[several] == group]
            packs = math.ceil(len(own) / self.packing.most[own[0]])
            total += float(self.costs[own].sum() + packs * self.packing.launches[own[0]])
        return total


def lattice(cells: Array, costs: Array) -> Lattice:
    """Candidates of which those of one width share packs, launches counted as `cost` does.

    Args:
        cells: (M, 2) of log2 N and log2 W.
        costs: (M,) of one training in company, equal for a width.
    """
    widths = np.round(2 ** cells[:, 1]).astype(int)
    most = np.array([cost.most_members(width, on_gpu=False) for width in widths.tolist()])
    return Lattice(cells, costs, Packing(widths, costs * cost.OVERHEAD / widths, most))


class Trainings(Protocol):
    """Trainings of a lattice's cells, real or synthetic, trained when first asked."""

    @property
    def lattice(self) -> Lattice: ...

    @property
    def log_steps(self) -> Array: ...

    @property
    def seeds(self) -> int: ...

    @property
    def flop(self) -> Array: ...

    def train(self, cell: int, seed: int) -> Sequence[float]: ...

    def price(self, cells: Sequence[int]) -> float: ...


def whole(trainings: Trainings) -> list[int]:
    """The trainings of the grid: every cell as often as it has seeds."""
    return np.repeat(np.arange(len(trainings.lattice.cells)), trainings.seeds).tolist()


@dataclass
class Observed:
    """What one way of searching has trained so far, and what it took."""

    trainings: Trainings
    cells: list[int] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    curves: list[Sequence[float]] = field(default_factory=list)
    spent: float = 0.0

    def train(self, cells: Sequence[int]) -> None:
        """Train one further seed of each of these cells, in as few packs as hold them."""
        for cell in cells:
            seed = self.cells.count(cell)
            self.curves.append(self.trainings.train(cell, seed))
            self.cells.append(cell)
            self.seeds.append(seed)
        self.spent += self.trainings.price(cells)

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
