"""Overproduction: how often rules are generated against how often they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.domains import domain_signal, extents
from analysis.charts.panels import banded, numbers_tooltip, rule_at, step_axis
from analysis.charts.panels import series_legend as legend
from analysis.charts.theme import Theme, level_colours

if TYPE_CHECKING:
    import altair as alt

RANKS_SHOWN = 4
"""The commonest rules of a level; the others are in the data files."""


def overproduction_chart(
    table: pd.DataFrame, theme: Theme, *, picked: str, data: str
) -> alt.TopLevelMixin:
    """One panel per level with ranked rules; arguments as of `curves_chart`."""
    import altair as alt

    axis = "generated / expected"
    ranks = [f"rule {rank}" for rank in sorted(table["rank"].unique())][:RANKS_SHOWN]
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=ranks, range=level_colours(theme, len(ranks))),
        legend=legend(),
    )
    y = alt.Y(
        "mean:Q",
        scale=alt.Scale(domain=alt.ExprRef(domain_signal(data)), nice=False),
        axis=alt.Axis(
            title=axis, tickCount=5, labelExpr="'×' + format(pow(2, datum.value), '.3~g')"
        ),
    )
    x = step_axis(sorted(table["step"].unique().tolist()))
    base = alt.Chart().encode(x=x, detail=["rank:O", "run:O"])
    tooltip = numbers_tooltip(
        alt.Tooltip("level:O"), alt.Tooltip("series:N", title="rule"),
        alt.Tooltip("step:Q", format=","),
    )  # fmt: skip
    layers = [
        *rule_at([0.0], theme, axis),
        *banded(base, y, colour, tooltip, title=axis, domain=domain_signal(data)),
    ]
    layered = alt.LayerChart(layer=layers, data=alt.NamedData(data), width=270, height=170)
    header = alt.Header(
        title=None, labelExpr="'level ' + datum.value", labelFontSize=13, labelFontWeight=600,
        labelAnchor="start", labelColor=theme.ink,
    )  # fmt: skip
    faceted = layered.facet(facet=alt.Facet("level:O", header=header), columns=3)
    limits = extents(table).get(picked, [-1.0, 1.0])
    domain = alt.param(name=domain_signal(data), value=limits)
    return faceted.add_params(domain)
