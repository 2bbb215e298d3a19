"""Ways of looking for a boundary along the first axis: each trains cells and names crossings.

All but the search know their budget beforehand: it is what the search spent on the same repetition.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from benchmarks.boundary.lattice import Array, Observed, Trainings, whole
from sweeps.search.level_set import LevelSet, Surface

SLOTS = 2
"""Packs that a search asks for at a time."""
FURTHER = 8
"""Trainings that random sampling takes more at a time until its band is narrow enough."""
LEVEL = 0.5


class Crossing(NamedTuple):
    """A crossing that was named, with its band where there is one."""

    position: float
    lower: float
    upper: float


Found = dict[float, list[Crossing]]
"""Crossings by the second axis; a band without a position has NaN there."""


@dataclass
class Played:
    """What a way of searching found, and what it spent.

    Attributes:
        found, observed: crossings, and the trainings they come from.
        packs: for a search, the cells of each.
        finished: whether it ended by itself.
    """

    found: Found
    observed: Observed
    packs: list[list[int]] = field(default_factory=list)
    finished: bool = True


def level_set(trainings: Trainings, width: float, seed: int, most: int) -> LevelSet:
    """The search on a lattice, with at most so many seeds of a cell."""
    cells, costs, packing = trainings.lattice
    return LevelSet(cells, costs, packing, level=LEVEL, width=width, seed=seed, max_seeds=most)


def search(
    trainings: Trainings, width: float, seed: int, slots: int = SLOTS
) -> tuple[Played, Surface]:
    """Level-set search until its band is narrow enough."""
    way, observed = level_set(trainings, width, seed, trainings.seeds), Observed(trainings)
    surface, packs = way.fit(*observed.rows()), []
    while not way.finished(surface) and (wanted := way.ask(surface, slots)):
        for pack in wanted:
            packs.append([cell for cell, seeds in pack for _ in range(seeds)])
            observed.train(packs[-1])
        surface = way.fit(*observed.rows())
    return Played(of_surface(surface), observed, packs, way.finished(surface)), surface


def grid(trainings: Trainings) -> Played:
    """Every cell with all its seeds, joined straight between neighbours."""
    observed = Observed(trainings)
    observed.train(whole(trainings))
    return Played(joined(observed), observed)


def random(trainings: Trainings, budget: float, width: float, seed: int) -> Played:
    """Cells and seeds drawn evenly and packed together, read by the surface of the search."""
    observed, drawn = Observed(trainings), _drawn(trainings, seed)
    most = bisect_right(range(1, len(drawn) + 1), budget, key=lambda n: trainings.price(drawn[:n]))
    observed.train(drawn[:most])
    surface = level_set(trainings, width, seed, trainings.seeds).fit(*observed.rows())
    return Played(of_surface(surface), observed)


def random_until(trainings: Trainings, width: float, seed: int) -> Played:
    """The same, going on until the band is as narrow as the search's.

    Packed as if it were known beforehand how many it takes.
    """
    way, drawn = level_set(trainings, width, seed, trainings.seeds), _drawn(trainings, seed)
    most = 0
    while True:
        most += FURTHER
        observed = Observed(trainings)
        observed.train(drawn[:most])
        surface = way.fit(*observed.rows())
        if way.finished(surface) or most >= len(drawn):
            return Played(of_surface(surface), observed, finished=way.finished(surface))


def bisection(trainings: Trainings, budget: float) -> Played:
    """Plain bisection: on every line both ends, then the middle of the bracket, one seed each.

    The line with the widest bracket goes first, the cheapest of equals. What is left of the budget
    goes to further seeds of the brackets' ends, both ends a pack, by turns. E is taken to cross
    once.
    """
    observed = Observed(trainings)
    cells, costs = trainings.lattice.cells, trainings.lattice.costs
    lines = [np.flatnonzero(cells[:, 1] == w) for w in np.unique(cells[:, 1])]
    lines = [line[np.argsort(cells[line, 0])] for line in lines]
    for line in lines:
        ends = [int(line[0]), int(line[-1])]
        if observed.spent + trainings.price(ends) <= budget:
            observed.train(ends)
    while True:
        brackets = [_bracket(observed, line) for line in lines]
        known = [(line, b) for line, b in zip(lines, brackets, strict=True) if b]
        wanted = [
            (b[0] - b[1], float(costs[line[0]]), [int(line[(b[0] + b[1]) // 2])])
            for line, b in known
            if b[1] - b[0] > 1
        ]
        wanted = wanted or [
            (observed.cells.count(int(line[b[0]])), float(costs[line[0]]), ends)
            for line, b in known
            if (ends := [i for i in line[list(b)].tolist() if _has_more(observed, i)])
        ]
        affordable = [w for w in sorted(wanted) if observed.spent + trainings.price(w[2]) <= budget]
        if not affordable:
            return Played(joined(observed), observed)
        observed.train(affordable[0][2])


def of_surface(surface: Surface) -> Found:
    """A surface's crossings, line by line."""
    found: Found = {}
    table = surface.boundary()[["x1", "position", "lower", "upper"]].to_numpy(dtype=float)
    for line, *crossing in table.tolist():
        found.setdefault(line, []).append(Crossing(*crossing))
    return found


def joined(observed: Observed) -> Found:
    """Crossings of cells' mean E at the last step, joined straight over the first axis."""
    cells = observed.trainings.lattice.cells
    found: Found = {}
    trained = np.unique(observed.cells)
    for width in np.unique(cells[trained, 1]):
        line = trained[cells[trained, 1] == width]
        line = line[np.argsort(cells[line, 0])]
        e = np.array([observed.mean(int(i)) for i in line]) - LEVEL
        for i in np.flatnonzero((e[:-1] >= 0) != (e[1:] >= 0)):
            x0, x1 = cells[line[i], 0], cells[line[i + 1], 0]
            x = float(x0 + e[i] / (e[i] - e[i + 1]) * (x1 - x0))
            found.setdefault(float(width), []).append(Crossing(x, x, x))
    return found


def _bracket(observed: Observed, line: Array) -> tuple[int, int] | None:
    """The neighbouring trained cells of a line between which E crosses, or None."""
    seen = [i for i, cell in enumerate(line) if int(cell) in observed.cells]
    above = [observed.mean(int(line[i])) >= LEVEL for i in seen]
    for (a, left), (b, right) in zip(
        zip(seen, above, strict=True), list(zip(seen, above, strict=True))[1:], strict=False
    ):
        if left != right:
            return a, b
    return None


def _has_more(observed: Observed, cell: int) -> bool:
    return observed.cells.count(cell) < observed.trainings.seeds


def _drawn(trainings: Trainings, seed: int) -> list[int]:
    return np.random.default_rng([seed, 1]).permutation(whole(trainings)).tolist()
