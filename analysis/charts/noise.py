"""What the network knows at every noise level, at the last measured step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid
from analysis.charts.theme import Theme

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
