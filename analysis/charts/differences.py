"""Differences of cells between two sweeps: a panel per quantity, a row per pair of cells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.cuts import cut_ends
from analysis.charts.theme import Theme

if TYPE_CHECKING:
    import altair as alt

SHOWN = 30
"""More pairs do not fit a page; the data files hold them all."""

WIDTH = 230


def differences_chart(table: pd.DataFrame, theme: Theme, data: str) -> alt.ConcatChart:
    """Intervals around dots, and a line at zero.

    Args:
        table: from `cell_differences`, of `SHOWN` pairs at most.
        theme: light or dark.
        data: name of the data set with its rows.
    """
    import altair as alt

    order = table["pair"].drop_duplicates().tolist()
    panels = []
    for i, name in enumerate(table["parameter"].drop_duplicates()):
        own = table[table["parameter"] == name]
        reach = max(1.3 * float(own["mean"].abs().max()), 1e-3)
        rows = alt.Chart(alt.NamedData(data)).transform_filter(
            f"datum.parameter === {json.dumps(name)}"
        )
        x = alt.X(
            "mean:Q",
            scale=alt.Scale(domain=[-reach, reach], nice=False),
            axis=alt.Axis(title=f"difference of {name}", tickCount=5),
        )
        labels = alt.Axis(
            title=None,
            grid=False,
            domain=False,
            ticks=False,
            labelLimit=260,
            labelExpr="datum.label" if i % 3 == 0 else "''",
        )
        y = alt.Y("pair:N", sort=order, scale=alt.Scale(domain=order), axis=labels)
        zero = alt.Chart(alt.sequence(1)).mark_rule(color=theme.muted, strokeDash=[2, 3])
        tooltip = [
            alt.Tooltip("pair:N"),
            *(alt.Tooltip(f"{n}:Q", format=".3f") for n in ("first", "second", "mean", "lower")),
            alt.Tooltip("upper:Q", format=".3f"), alt.Tooltip("seeds:Q"),
        ]  # fmt: skip
        layers = [
            zero.encode(x=alt.XDatum(0, type="quantitative")),
            rows.mark_rule(color=theme.series[1], strokeWidth=2, clip=True).encode(
                x="lower:Q", x2="upper:Q", y=y
            ),
            *cut_ends(rows.encode(y=y), (-reach, reach), theme.series[1]),
            rows.mark_point(filled=True, size=56, color=theme.series[1], opacity=1).encode(
                x=x, y=y, tooltip=tooltip
            ),
        ]
        title = alt.Title(str(name), fontSize=13)
        panels.append(alt.LayerChart(layer=layers, width=WIDTH, height=alt.Step(18), title=title))
    return alt.concat(*panels, columns=3, spacing=24)
