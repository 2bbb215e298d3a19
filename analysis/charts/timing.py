"""When is measured what, and what share of the time that takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid, step_axis, without_level
from analysis.charts.theme import Theme
from analysis.frames.generated import generated
from analysis.statistics.seeds import columns_over_seeds, runs

if TYPE_CHECKING:
    import altair as alt

ACTIVITIES = {
    "training_seconds": "training",
    "measuring_seconds": "measuring",
    "generating_seconds": "generating",
}
"""Column of the table `timing` -> what the time went to."""

SCHEDULE = {"known": "likelihood and noise", "emitted": "generated strings"}

PANELS = [
    Panel("schedule", "Schedule", "measurements so far", SCHEDULE),
    Panel("seconds", "Time so far", "seconds per training", ACTIVITIES),
    Panel(
        "share", "Share of the time so far", "share",
        {f"{name}_share": activity for name, activity in ACTIVITIES.items()}, None, (), SHARES,
    ),
]  # fmt: skip

SERIES = [(panel.name, column, name) for panel in PANELS for column, name in panel.series.items()]


def timing_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Measurements and seconds of a training until every measured step, over seeds.

    The trainings of a pack share its seconds equally. What was written before a kind of time was
    recorded is undefined.

    Returns:
        `panel`, `series`, `level` (missing), `cell`, `step`, `mean`, `lower`, `upper`, `seeds` and
        `run`.
    """
    frame = _until_step(tables)
    keys, columns = ["cell", "step"], [column for _, column, _ in SERIES]
    table = columns_over_seeds(frame, by=keys, columns=columns)
    table = table.merge(pd.DataFrame(SERIES, columns=["panel", "column", "series"]), on="column")
    curve = ["cell", "panel", "series"]
    ordered = table.drop(columns="column").sort_values([*curve, "step"], ignore_index=True)
    return runs(without_level(ordered), by=curve)


def _until_step(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Per training and step, the sums over its steps so far."""
    frame = tables["timing"].sort_values(["training", "step"], ignore_index=True)
    emitted = generated(tables["curves"])[["training", "step"]].assign(emitted=1)
    frame = frame.merge(emitted, on=["training", "step"], how="left").assign(known=1)
    frame["emitted"] = frame["emitted"].fillna(0)
    # Where nothing was generated, generating took no time; other gaps are unknown.
    spent = frame["generating_seconds"].where(frame["emitted"] > 0, 0.0)
    frame = frame.assign(generating_seconds=spent)
    sums = frame.groupby("training")[[*ACTIVITIES, *SCHEDULE]].cumsum()
    shared = sums[list(ACTIVITIES)].div(frame["members"].fillna(1).astype(float), axis=0)
    shares = shared.div(shared.sum(axis=1, skipna=False), axis=0).add_suffix("_share")
    cells = tables["trainings"].set_index("training")["cell"]
    named = frame[["training", "step"]].assign(cell=frame["training"].map(cells))
    return pd.concat([named, sums[list(SCHEDULE)], shared, shares], axis=1)


def timing_chart(
    table: pd.DataFrame, theme: Theme, *, cells: list[str], picked: str, data: str
) -> alt.ConcatChart:
    """The panels for one cell, chosen from a list; arguments as of `curves_chart`."""
    x = step_axis(sorted(table["step"].unique().tolist()))
    return panel_grid(table, PANELS, x, theme, data=data, cells=cells, picked=picked)
