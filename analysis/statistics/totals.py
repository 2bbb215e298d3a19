"""What all trainings of a sweep took together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.frames.tables import columns_of
from analysis.statistics.moments import worth_of_a_step

ACTIVITIES = ("training", "generating", "measuring")

COLUMNS = [*(f"{name}_seconds" for name in ACTIVITIES), "memory_mib", "members"]


@dataclass(frozen=True)
class Totals:
    """Sums over trainings.

    Attributes:
        hours: activity -> processor hours, a pack's shared by its members.
        flop: of all optimizer steps; None where a network is not known here.
        memory_mib: the most that a process has held; None where unknown.
    """

    hours: Mapping[str, float]
    flop: float | None
    memory_mib: float | None


def totals_of(tables: Mapping[str, pd.DataFrame]) -> Totals:
    """The sums of a sweep, up to the last published step of each training."""
    timing = columns_of(tables, "timing", COLUMNS)
    members = timing["members"].astype(float).fillna(1.0)
    hours = {
        name: float((timing[f"{name}_seconds"].astype(float) / members).sum() / 3600)
        for name in ACTIVITIES
    }
    trainings = tables["trainings"]
    worth = worth_of_a_step(trainings).set_index("cell")["flop"]
    flop = (trainings["step"].astype(float) * trainings["cell"].map(worth)).sum(skipna=False)
    memory = timing["memory_mib"].astype(float).max()
    return Totals(
        hours, None if flop != flop else float(flop), None if memory != memory else float(memory)
    )
