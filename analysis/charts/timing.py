"""When is measured what, and what share of the time that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid, step_axis
from analysis.charts.theme import Theme
from analysis.statistics.timing import ACTIVITIES, SCHEDULE, SHARES_OF_TIME

if TYPE_CHECKING:
    import altair as alt

PANELS = [
    Panel("schedule", "Schedule", "measurements so far", SCHEDULE),
    Panel("seconds", "Time so far", "seconds per training", ACTIVITIES),
    Panel("share", "Share of the time so far", "share", SHARES_OF_TIME, None, (), SHARES),
]


def timing_chart(table: pd.DataFrame, theme: Theme, *, picked: str, data: str) -> alt.ConcatChart:
    """The panels for one cell; arguments as of `curves_chart`."""
    x = step_axis(sorted(table["step"].unique().tolist()))
    return panel_grid(table, PANELS, x, theme, data=data, picked=picked)
