"""What the network knows at every noise level, at the last measured step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.declared import drawn, series
from analysis.charts.panels import SHARES, Panel, panel_grid
from analysis.charts.theme import Theme

if TYPE_CHECKING:
    import altair as alt

_SERIES = {name: series(columns) for name, columns in drawn("noise").items()}

PANELS = [
    Panel("loss", "Loss", "nats per leaf", _SERIES["loss"]),
    Panel("kl", "Distance from the optima", "KL from the posterior, nats", _SERIES["kl"]),
    Panel(
        "position", "Between the optima", "position", _SERIES["position"], None, (0.0, 1.0), SHARES
    ),
    Panel(
        "off-line", "Off the line between the optima", "squared distance", _SERIES["off-line"],
        None, (1.0,), SHARES,
    ),
    Panel(
        "recovery", "Token recovery", "share of redrawn leaves", _SERIES["recovery"],
        None, (), SHARES,
    ),
    Panel("entropy", "Conditional entropy", "nats per leaf", _SERIES["entropy"]),
]  # fmt: skip


def noise_chart(table: pd.DataFrame, theme: Theme, *, picked: str, data: str) -> alt.ConcatChart:
    """The panels for one cell; arguments as of `curves_chart`."""
    import altair as alt

    axis = alt.Axis(
        title="noise level t/T", grid=False, tickCount=5, format=".1f", labelFlush=False
    )
    x = alt.X("noise:Q", scale=alt.Scale(domain=[0, 1]), axis=axis)
    return panel_grid(table, PANELS, x, theme, data=data, picked=picked)
