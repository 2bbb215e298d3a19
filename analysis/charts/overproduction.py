"""Overproduction: how often rules are generated against how often they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.domains import domain_signal, extents
from analysis.charts.panels import banded, numbers_tooltip, rule_at, step_axis
from analysis.charts.panels import series_legend as legend
from analysis.charts.theme import Theme, level_colours
from analysis.frames.wording import listed
from analysis.statistics.overproduction import PAIRS

if TYPE_CHECKING:
    import altair as alt

TITLE = "Overproduction of "

RANKS_SHOWN = 4
"""The commonest rules of a level; the others are in the data files."""


def overproduction_title(table: pd.DataFrame) -> str:
    """What is shown of a table: rules, pairs of neighbours where there is no grammar, or both."""
    pairs = table["series"].str.startswith(PAIRS)
    names = ["rules"] * (not pairs.all()) + ["pairs of neighbours"] * bool(pairs.any())
    return TITLE + listed(names or ["rules"])


def overproduction_chart(
    table: pd.DataFrame, theme: Theme, *, picked: str, data: str
) -> alt.TopLevelMixin:
    """One panel per level with ranked rules; arguments as of `curves_chart`."""
    import altair as alt

    axis = "generated / expected"
    ranked = table.drop_duplicates("series").sort_values(["rank", "series"])
    ranked = ranked[ranked["rank"] <= RANKS_SHOWN]
    ranks = ranked["rank"].unique()
    shades = dict(zip(ranks, level_colours(theme, len(ranks)), strict=True))
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(
            domain=ranked["series"].tolist(), range=ranked["rank"].map(shades).tolist()
        ),
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
        alt.Tooltip("level:O"), alt.Tooltip("series:N", title="rank"),
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
