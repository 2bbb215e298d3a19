"""Single strings of the picked cell: losses, p-values, and since when they are memorized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid, step_axis
from analysis.charts.theme import Theme
from analysis.statistics.single_strings import CHANCE, SIDES, THIRDS
from study.measures.memorized import LARGEST_P

if TYPE_CHECKING:
    import altair as alt

PANELS = [
    Panel("loss", "Loss of single strings", "share of strings", SIDES),
    Panel(
        "p", "Memorized strings", "share with p ≤ x",
        {"training": SIDES["training"], "chance": CHANCE}, None, (), SHARES,
    ),
    Panel(
        "since", "Memorized since", "share of training strings",
        {name: name for name in THIRDS}, None, (LARGEST_P,), SHARES,
    ),
]  # fmt: skip


def strings_chart(
    table: pd.DataFrame, theme: Theme, *, cells: list[str], picked: str, data: str
) -> alt.ConcatChart:
    """The panels for one cell, chosen from a list; arguments as of `curves_chart`."""
    import altair as alt

    def linear(title: str, domain: list[float] | None = None, count: int = 5) -> alt.X:
        scale = alt.Scale(domain=domain or alt.Undefined, zero=False, nice=False, padding=6)
        axis = alt.Axis(title=title, grid=False, tickCount=count)
        return alt.X("x:Q", scale=scale, axis=axis)

    steps = sorted(table[table["panel"] == "since"]["x"].astype(int).unique().tolist())
    x = {
        "loss": linear("ELBO loss of a string, nats"),
        "p": linear("conformal p-value among controls", [0.0, 1.0]),
        "since": step_axis(steps, field="x"),
    }
    return panel_grid(table, PANELS, x, theme, data=data, cells=cells, picked=picked)
