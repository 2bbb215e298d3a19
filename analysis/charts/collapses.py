"""Curves and cells on scaled axes, and exponents with their intervals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.cuts import cut_ends
from analysis.charts.layout import headroom
from analysis.charts.panels import SHARES, rule_at
from analysis.charts.theme import STEP_LABEL, Theme, regime_colours
from analysis.statistics.regimes import REGIMES, THRESHOLDS

if TYPE_CHECKING:
    import altair as alt

WIDTH, HEIGHT = 270, 170


def collapse_chart(table: pd.DataFrame, theme: Theme, data: str) -> alt.ConcatChart:
    """A panel per group: E over step/N, coloured by N.

    Args:
        table: from `copy_curves`.
        theme: light or dark.
        data: name of the data set with its rows.
    """
    import altair as alt

    sizes = sorted(table["size"].unique())
    colour = alt.Color(
        "size:Q",
        scale=alt.Scale(type="log", domain=[sizes[0], sizes[-1]], range=list(theme.steps),
                        interpolate="rgb"),
        legend=alt.Legend(title="N", type="symbol", values=sizes[:: -(-len(sizes) // 7)],
                          labelExpr=STEP_LABEL, symbolOpacity=1),
    )  # fmt: skip
    low, high = float(table["scaled"].min()), float(table["scaled"].max())
    x = alt.X(
        "scaled:Q",
        scale=alt.Scale(type="log", domain=[low, high], nice=False, padding=6),
        axis=alt.Axis(title="training step / N", grid=False, tickCount=6, format=".3~g",
                      labelOverlap="greedy"),
    )  # fmt: skip
    y = alt.Y(
        "mean:Q",
        scale=alt.Scale(domain=[min(SHARES[0], float(table["mean"].min())), SHARES[1]], nice=False),
        axis=alt.Axis(title="excess copies E", tickCount=5),
    )
    panels = []
    for group in table["group"].drop_duplicates():
        here = f"datum.group === {json.dumps(group)}"
        base = alt.Chart(alt.NamedData(data)).transform_filter(here).encode(x=x, y=y, color=colour)
        tooltip = [
            alt.Tooltip("cell:N"), alt.Tooltip("step:Q", format=","),
            alt.Tooltip("scaled:Q", title="step/N", format=".3~g"),
            alt.Tooltip("mean:Q", title="E", format=".3f"), alt.Tooltip("seeds:Q"),
        ]  # fmt: skip
        layers = [
            headroom(HEIGHT),
            *rule_at([THRESHOLDS.memorizing], theme, "excess copies E"),
            base.mark_line(strokeWidth=2).encode(detail=["cell:N", "run:O"]),
            base.mark_point(filled=True, size=20, opacity=1).encode(tooltip=tooltip),
        ]
        title = alt.Title(group, fontSize=13)
        panels.append(alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=title))
    return alt.concat(*panels, columns=3, spacing=30)


def scaled_chart(table: pd.DataFrame, theme: Theme, data: str) -> alt.Chart:
    """A row for each of what cells share beside N; squares at N/N*_0 in the colour of the regime.

    Args:
        table: from `scaled_cells`.
        theme: light or dark.
        data: name of the data set with its rows.
    """
    import altair as alt

    colours = regime_colours(theme)
    rows = alt.Chart(alt.NamedData(data))
    x = alt.X(
        "ratio:Q",
        scale=alt.Scale(type="log", nice=False, padding=12,
                        domain=[float(table["ratio"].min()), float(table["ratio"].max())]),
        axis=alt.Axis(title="N / N*₀, strings over v·m^(L+1)", grid=False, tickCount=8,
                      format=".3~g", labelOverlap="greedy"),
    )  # fmt: skip
    order = table["row"].drop_duplicates().tolist()[::-1]
    y = alt.Y(
        "row:N",
        sort=order,
        axis=alt.Axis(title=None, grid=True, domain=False, ticks=False, labelLimit=320),
    )
    fill = alt.Fill(
        "regime:N",
        scale=alt.Scale(domain=list(REGIMES), range=[colours[name] for name in REGIMES]),
        legend=alt.Legend(title=None, orient="bottom", symbolType="square", symbolSize=170),
    )
    tooltip = [
        alt.Tooltip("cell:N"), alt.Tooltip("regime:N"),
        alt.Tooltip("share:Q", title="share of seeds", format=".0%"),
        alt.Tooltip("ratio:Q", title="N/N*₀", format=".3~g"),
    ]  # fmt: skip
    squares = rows.mark_point(shape="square", size=190, opacity=1, stroke=theme.background)
    return squares.encode(x=x, y=y, fill=fill, tooltip=tooltip).properties(
        width=460, height=alt.Step(22)
    )


def exponents_chart(table: pd.DataFrame, theme: Theme, data: str) -> alt.LayerChart:
    """Exponents around dotted lines at 0 and 1.

    Args:
        table: rows of `onset_exponents` that have an exponent, with their `row`.
        theme: light or dark.
        data: name of the data set with its rows.
    """
    import altair as alt

    first, last = (
        min(-0.2, float(table["exponent"].min())),
        max(1.2, float(table["exponent"].max())),
    )
    span = last - first
    ends = [
        max(first - span, min(first, float(table["lower"].min()))),
        min(last + span, max(last, float(table["upper"].max()))),
    ]
    x = alt.X(
        "exponent:Q",
        scale=alt.Scale(domain=ends, nice=False, padding=8),
        axis=alt.Axis(title="exponent (of L: slope of ln τ per level)", tickCount=7),
    )
    y = alt.Y(
        "row:N",
        sort=table["row"].tolist(),
        axis=alt.Axis(title=None, grid=False, domain=False, ticks=False, labelLimit=320),
    )
    rows = alt.Chart(alt.NamedData(data)).encode(x=x, y=y)
    lines = [
        alt.Chart(alt.sequence(1))
        .mark_rule(color=theme.muted, strokeDash=[2, 3])
        .encode(x=alt.XDatum(value, type="quantitative"))
        for value in (0, 1)
    ]
    tooltip = [
        alt.Tooltip("row:N", title="onset on setting"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("exponent", "lower", "upper")),
        alt.Tooltip("seeds:Q"), alt.Tooltip("note:N"),
    ]  # fmt: skip
    layers = [
        *lines,
        rows.mark_rule(color=theme.series[0], strokeWidth=2, clip=True).encode(
            x="lower:Q", x2="upper:Q"
        ),
        *cut_ends(rows, ends, theme.series[0]),
        rows.mark_point(filled=True, size=60, color=theme.series[0], opacity=1).encode(
            tooltip=tooltip
        ),
    ]
    return alt.LayerChart(layer=layers, width=460, height=alt.Step(22))
