"""A grid that was trained, played again: whoever asks for a training gets the one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import load
from analysis.statistics.boundaries import boundary
from benchmarks.boundary.lattice import Array, Lattice, lattice
from benchmarks.boundary.trained import Spent
from benchmarks.boundary.ways import Crossing, Found
from study.store.results import Results
from sweeps.space import cost


@dataclass(frozen=True)
class Grid:
    """Finished trainings over dataset size and width.

    Attributes:
        lattice: cells in log2, costs as the search thinks.
        flop: (M,) operations of one training.
        prices: the same cells with core-seconds as costs, as packs took them.
        log_steps: (S,) of the measured steps.
        curves: (M, seeds, S) of E.
        trainings: one row per training, in the order of `curves`.
        order: which of the grid's seeds is a cell's first, second, …; (M, seeds).
    """

    lattice: Lattice
    flop: Array
    prices: Lattice
    log_steps: Array
    curves: Array
    trainings: pd.DataFrame
    order: Array

    @classmethod
    def of(cls, results: Path, spent: Sequence[Spent]) -> Grid:
        """Reads a results folder whose cells differ in dataset size and width only.

        Args:
            results: the folder; every training has come to its last step.
            spent: packs of every width, of at least two numbers of members each.
        """
        tables = load(str(results))
        trainings = tables.trainings.set_index("training")
        names = ["corpus.size", "network.width"]
        curves = tables["curves"].pivot_table(
            index="training", columns="step", values="excess_copies"
        )
        store = Results.open(results)
        flop = [cost.of(store.config(name)).flop for name in trainings.index]
        ordered = trainings[[*names, "seed"]].assign(flop=flop).sort_values([*names, "seed"])
        cells = ordered.groupby(names)["flop"].mean()
        at = np.log2(np.array(cells.index.to_list(), dtype=float))
        seeds = ordered["seed"].nunique()
        elementwise = np.array([cost.elementwise(round(2**w)) for w in at[:, 1]])
        thought = lattice(at, cells.to_numpy() * elementwise)
        return cls(
            thought,
            cells.to_numpy(),
            _priced(thought, spent),
            np.log(curves.columns.to_numpy(dtype=float)),
            curves.loc[ordered.index].to_numpy().reshape(len(cells), seeds, -1),
            ordered,
            np.tile(np.arange(seeds), (len(cells), 1)),
        )

    @property
    def seeds(self) -> int:
        """Seeds of every cell."""
        return self.curves.shape[1]

    def shuffled(self, repetition: int) -> Grid:
        """The same trainings, every cell's seeds coming in another order."""
        rng = np.random.default_rng(repetition)
        order = rng.permuted(self.order, axis=1)
        return replace(self, order=order)

    def train(self, cell: int, seed: int) -> Sequence[float]:
        """The curve of a training that is there."""
        return self.curves[cell, self.order[cell, seed]].tolist()

    def crossings(self, log_step: float | None = None) -> Found:
        """The grid's own boundary, as the report draws it: the median over seeds, in log2.

        At the last step, or at an earlier measured one.
        """
        at = -1 if log_step is None else int(np.argmin(np.abs(self.log_steps - log_step)))
        last = self.trainings.assign(excess_copies=self.curves[:, :, at].ravel())
        table = boundary(last, along="corpus.size", across=["network.width"], log=True)
        found: Found = {float(w): [] for w in np.unique(self.lattice.cells[:, 1])}
        for row in table[["network.width", "position", "lower", "upper"]].to_numpy(dtype=float):
            with np.errstate(divide="ignore"):  # a band that is open below ends at 0
                width, *ends = np.log2(row).tolist()
            found[width].append(Crossing(*ends))
        return found

    def price(self, cells: Sequence[int]) -> float:
        """Core-seconds of trainings in as few packs as hold them."""
        return self.prices.price(cells)


def _priced(thought: Lattice, spent: Sequence[Spent]) -> Lattice:
    """Core-seconds a member and a pack: for each width a straight line through its packs."""
    members, launches = thought.costs.copy(), thought.packing.launches.copy()
    for width in np.unique(thought.packing.group).tolist():
        own = [row for row in spent if row.width == width]
        numbers = np.array([len(row.trainings) for row in own])
        slope, intercept = np.polyfit(numbers, [row.seconds for row in own], 1)
        members[thought.packing.group == width] = slope
        launches[thought.packing.group == width] = intercept
    return Lattice(thought.cells, members, thought.packing._replace(launches=launches))
