"""What the network knows at every noise level, at the last measured step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid, without_level
from analysis.charts.theme import Theme
from analysis.statistics.seeds import columns_over_seeds, runs

if TYPE_CHECKING:
    import altair as alt

PANELS = [
    Panel(
        "loss", "Loss", "nats per leaf",
        {
            "training_loss": "training strings",
            "heldout_loss": "controls",
            "memorizer_loss": "perfect memorizer",
        },
    ),
    Panel(
        "kl", "Distance from the optima", "KL from the posterior, nats",
        {"kl_memorizer": "of a perfect memorizer", "kl_grammar": "of the grammar"},
    ),
    Panel(
        "position", "Between the optima", "position",
        {"position": "0 grammar, 1 perfect memorizer"}, None, (0.0, 1.0), SHARES,
    ),
    Panel(
        "off-line", "Off the line between the optima", "squared distance",
        {"off_line": "1 as far off as the optima lie apart"}, None, (1.0,), SHARES,
    ),
    Panel(
        "recovery", "Token recovery", "share of redrawn leaves",
        {"training_recovery": "training strings", "heldout_recovery": "controls"},
        None, (), SHARES,
    ),
    Panel(
        "entropy", "Conditional entropy", "nats per leaf",
        {"training_entropy": "training strings", "heldout_entropy": "controls"},
    ),
]  # fmt: skip

SERIES = [(panel.name, column, name) for panel in PANELS for column, name in panel.series.items()]

COLUMNS = ["window", "first_t", "last_t", *(column for _, column, _ in SERIES)]
"""The columns of `noise` that are drawn, beside training and step."""


def noise_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every quantity by noise level over seeds, at the latest step at which a cell has any.

    A point stands on half of the cell's seeds at least: where most seeds have no position, for the
    optima say the same there, the few that have one are no sample of them.

    Returns:
        `panel`, `series`, `level` (missing), `cell`, `step`, `window`, `noise` (the middle of the
        window as a share of T), `mean`, `lower`, `upper`, `seeds` and `run`.
    """
    trainings = tables["trainings"]
    cell = trainings.set_index("training")["cell"]
    frame = tables["noise"][["training", "step", *COLUMNS]]
    cells = frame["training"].map(cell)
    last = frame["step"] == frame.groupby(cells)["step"].transform("max")
    frame = frame[last].assign(cell=cells[last])
    keys = ["cell", "step", "window"]
    table = columns_over_seeds(frame, by=keys, columns=[column for _, column, _ in SERIES])
    most = table["cell"].map(frame.groupby("cell")["training"].nunique())
    table["mean"] = table["mean"].where(2 * table["seeds"] >= most)
    table = table.merge(pd.DataFrame(SERIES, columns=["panel", "column", "series"]), on="column")
    steps = trainings.drop_duplicates("cell").set_index("cell")["diffusion.num_timesteps"]
    middle = frame.assign(noise=(frame["first_t"] + frame["last_t"]) / 2).groupby(keys)["noise"]
    table = table.merge(middle.mean().reset_index(), on=keys)
    table["noise"] = table["noise"].astype(float) / table["cell"].map(steps).astype(float)
    curve = ["cell", "panel", "series"]
    ordered = table.drop(columns="column").sort_values([*curve, "window"], ignore_index=True)
    return runs(without_level(ordered), by=curve)


def noise_chart(
    table: pd.DataFrame, theme: Theme, *, cells: list[str], picked: str, data: str
) -> alt.ConcatChart:
    """The panels for one cell, chosen from a list; arguments as of `curves_chart`."""
    import altair as alt

    axis = alt.Axis(
        title="noise level t/T", grid=False, tickCount=5, format=".1f", labelFlush=False
    )
    x = alt.X("noise:Q", scale=alt.Scale(domain=[0, 1]), axis=axis)
    return panel_grid(table, PANELS, x, theme, data=data, cells=cells, picked=picked)
