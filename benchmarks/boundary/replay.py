"""A grid that was trained, played again: whoever asks for a training gets the one that is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import load
from analysis.statistics.boundaries import boundary
from benchmarks.boundary.lattice import Array, Lattice
from benchmarks.boundary.ways import Crossing, Found
from study.config import TrialConfig
from study.store.results import Results
from sweeps.space import cost


@dataclass(frozen=True)
class Grid:
    """Finished trainings over dataset size and width.

    Attributes:
        lattice: cells in log2, costs in FLOP.
        log_steps: (S,) of the measured steps.
        curves: (M, seeds, S) of E.
        seconds: (M,) of one training in the packs it was trained in: the pack's over its members.
        members: (M,) trainings of these packs.
        trainings: one row per training, in the order of `curves`.
        order: which of the grid's seeds is a cell's first, second, …; (M, seeds).
    """

    lattice: Lattice
    log_steps: Array
    curves: Array
    seconds: Array
    members: Array
    trainings: pd.DataFrame
    order: Array

    @classmethod
    def of(cls, results: Path, last_step: int | None = None) -> Grid:
        """Reads a results folder whose cells differ in dataset size and width only.

        Args:
            results: the folder.
            last_step: where trainings are cut; widths of which one has not come so far are left
                out. None: the last step that all have come to.
        """
        tables = load(str(results))
        trainings = tables.trainings.set_index("training")
        names = ["corpus.size", "network.width"]
        last_step = last_step or int(trainings["step"].min())
        reached = trainings.groupby("network.width")["step"].transform("min") >= last_step
        trainings = trainings[reached]
        curves = tables["curves"].pivot_table(
            index="training", columns="step", values="excess_copies"
        )
        curves = curves.loc[trainings.index, curves.columns.astype(int) <= last_step]
        timing = tables["timing"].query("step <= @last_step and training in @trainings.index")
        own = ["training_seconds", "generating_seconds", "measuring_seconds"]
        spent = (timing[own].sum(axis=1) / timing["members"]).groupby(timing["training"]).sum()
        packs = timing.groupby("training")["members"].max()
        frame = trainings[[*names, "seed"]].assign(seconds=spent, members=packs)
        store = Results.open(results)
        frame["flop"] = [_flop(store.config(name), last_step) for name in frame.index]
        cells = frame.groupby(names)[["flop", "seconds", "members"]].mean()
        at = np.log2(np.array(cells.index.to_list(), dtype=float))
        ordered = frame.sort_values([*names, "seed"])
        seeds = frame["seed"].nunique()
        values = curves.loc[ordered.index].to_numpy().reshape(len(cells), seeds, -1)
        return cls(
            Lattice(at, cells["flop"].to_numpy()),
            np.log(curves.columns.to_numpy(dtype=float)),
            values,
            cells["seconds"].to_numpy(),
            cells["members"].to_numpy(),
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

    def seconds_spent(self, cells: Sequence[int]) -> float:
        """Share of the grid's core-seconds that these trainings took in the grid's own packs."""
        return float(self.seconds[list(cells)].sum() / (self.seconds.sum() * self.seeds))

    def effort(self, rounds: Sequence[Sequence[int]]) -> float:
        """Share of the grid's work with launches, if each round packs its own trainings by width.

        Small packs of narrow networks are slow: a search that asks for eight trainings at a time
        pays more for each than a grid whose packs are full.
        """
        widths = np.round(2 ** self.lattice.cells[:, 1]).astype(int)
        whole = sum(
            self.seeds * flop * cost.effort(int(members), int(width))
            for flop, members, width in zip(self.lattice.costs, self.members, widths, strict=True)
        )
        spent = 0.0
        for cells in rounds:
            packs = Counter(int(widths[cell]) for cell in cells)
            spent += sum(
                float(self.lattice.costs[cell])
                * cost.effort(packs[int(widths[cell])], int(widths[cell]))
                for cell in cells
            )
        return spent / whole


def _flop(config: TrialConfig, last_step: int) -> float:
    """Operations of a training up to a step."""
    return cost.of(replace(config, training=replace(config.training, steps=last_step))).flop
