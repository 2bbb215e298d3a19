"""Single strings of the picked cell: losses, p-values, and since when they are memorized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.domains import domain_signal
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


LOSSES = domain_signal("strings", "losses")
"""The signal with the range of the picked cell's losses."""


def loss_ranges(table: pd.DataFrame) -> dict[str, list[float]]:
    """Cell -> the range of the losses of its strings, nats."""
    losses = table[table["panel"] == "loss"].groupby("cell", sort=False)["x"].agg(["min", "max"])
    return {str(cell): [float(low), float(high)] for cell, low, high in losses.itertuples()}


def strings_chart(table: pd.DataFrame, theme: Theme, *, picked: str, data: str) -> alt.ConcatChart:
    """The panels for one cell; arguments as of `curves_chart`."""
    import altair as alt

    def linear(title: str, domain: list[float] | alt.ExprRef, count: int = 5) -> alt.X:
        scale = alt.Scale(domain=domain, zero=False, nice=False, padding=6)
        axis = alt.Axis(title=title, grid=False, tickCount=count)
        return alt.X("x:Q", scale=scale, axis=axis)

    steps = sorted(table[table["panel"] == "since"]["x"].astype(int).unique().tolist())
    x = {
        "loss": linear("ELBO loss of a string, nats", alt.ExprRef(LOSSES)),
        "p": linear("conformal p-value among controls", [0.0, 1.0]),
        "since": step_axis(steps, field="x"),
    }
    limits = loss_ranges(table).get(picked, [0.0, 1.0])
    grid = panel_grid(table, PANELS, x, theme, data=data, picked=picked)
    return grid.add_params(alt.param(name=LOSSES, value=limits))
