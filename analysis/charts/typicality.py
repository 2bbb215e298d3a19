"""Memorization by typicality: how much of each stratum of log p is memorized, over training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.domains import EMPTY, domain_signal, extent, extents
from analysis.charts.layout import headroom
from analysis.charts.panels import banded, numbers_tooltip, rule_at
from analysis.charts.theme import STEP_LABEL, Theme, spaced

if TYPE_CHECKING:
    import altair as alt

STEPS_SHOWN = 6
"""More lines than this in one panel cannot be told apart."""


def shown_steps(table: pd.DataFrame) -> pd.DataFrame:
    """The rows at a few steps with an emission curve, the last of every cell and reading too."""
    emitted = table[table["reading"] == "emission"]["step"]
    steps = spaced(sorted((emitted if len(emitted) else table["step"]).unique()), STEPS_SHOWN)
    last = table.groupby(["cell", "reading"])["step"].transform("max")
    return table[table["step"].isin(steps) | (table["step"] == last)]


def typicality_domains(table: pd.DataFrame) -> dict[str, Mapping[str, list[float]]]:
    """Signal -> cell -> domain: the common horizontal one, and the vertical one of each reading."""
    vertical = {
        domain_signal("typicality", str(reading)): extents(own)
        for reading, own in table.groupby("reading")
    }
    return {HORIZONTAL: log_p_range(table), **vertical}


HORIZONTAL = domain_signal("typicality", "log_p")


def log_p_range(table: pd.DataFrame) -> dict[str, list[float]]:
    """Cell -> the range of its log p, never without a width."""
    ends = table.groupby("cell", sort=False)["log_p"].agg(["min", "max"])
    room = (0.5 - (ends["max"] - ends["min"]) / 2).clip(lower=0)
    low, high = (ends["min"] - room).round(3), (ends["max"] + room).round(3)
    return {str(cell): [a, b] for cell, a, b in zip(ends.index, low, high, strict=True)}


PANELS = {
    "emission": ("By emission", "excess copies of the stratum"),
    "likelihood": ("By likelihood", "excess share of memorized strings"),
}
"""Reading -> heading and label of its vertical axis."""

WIDTH, HEIGHT = 360, 220


def typicality_panels(
    table: pd.DataFrame, theme: Theme, data: str, *, picked: str
) -> alt.ConcatChart:
    """The curves of the picked cell, one panel per reading, coloured by step.

    Args:
        table: from `shown_steps`.
        theme: light or dark.
        data: name of the data set with the picked cell's rows.
        picked: the cell that is shown first.
    """
    import altair as alt

    readings = [reading for reading in PANELS if (table["reading"] == reading).any()]
    several = len(table["cell"].unique()) > 1
    panels = [_panel(table, reading, theme, data, several=several) for reading in readings]
    signals = [
        alt.param(name=name, value=domains.get(picked, EMPTY))
        for name, domains in typicality_domains(table).items()
    ]
    choice = [_scale_choice()] if several else []
    return alt.concat(*panels, columns=2, spacing=34).add_params(*choice, *signals)


def _panel(
    table: pd.DataFrame, reading: str, theme: Theme, data: str, *, several: bool
) -> alt.LayerChart:
    import altair as alt

    own = table[table["reading"] == reading]
    heading, label = PANELS[reading]
    shown, title = f"datum.reading === '{reading}'", "log p (nats): atypical → typical"
    base, latest = stratum_curves(data, shown, HORIZONTAL, title)
    signal = domain_signal("typicality", reading)
    common = json.dumps(extent(own))
    domain = f"scale === '{OWN}' ? {signal} : {common}" if several else signal
    axis = alt.Axis(title=label, tickCount=5)
    y = alt.Y("mean:Q", scale=alt.Scale(domain=alt.ExprRef(domain), nice=False), axis=axis)
    tooltip = numbers_tooltip(
        alt.Tooltip("cell:N"), alt.Tooltip("step:Q", format=","),
        alt.Tooltip("log_p:Q", title="mean log p", format=".2f"),
    )  # fmt: skip
    layers = [
        headroom(HEIGHT),
        *rule_at([0.0], theme, label),
        *banded(
            base, y, step_colour(table, theme), tooltip,
            title=label, domain=domain, height=HEIGHT, bands=latest,
        ),
        _cell_name(data, theme),
    ]  # fmt: skip
    title = alt.Title(heading, fontSize=13)
    return alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=title)


def stratum_curves(
    data: str, shown: str, domain: str, title: str | None
) -> tuple[alt.Chart, alt.Chart]:
    """What curves over strata are drawn from: those of all steps, and that of the last.

    Args:
        data: name of the data set.
        shown: which of its rows.
        domain: the signal with the horizontal domain.
        title: of the horizontal axis.
    """
    import altair as alt

    x = alt.X(
        "log_p:Q",
        scale=alt.Scale(domain=alt.ExprRef(domain), nice=False, zero=False, padding=10),
        axis=alt.Axis(title=title, grid=False, tickCount=5, labelFlush=False),
    )
    base = alt.Chart(alt.NamedData(data)).transform_filter(shown).encode(x=x, detail="step:O")
    latest = base.transform_joinaggregate(latest="max(step)")
    return base, latest.transform_filter("datum.step === datum.latest")


def _cell_name(data: str, theme: Theme) -> alt.Chart:
    import altair as alt

    return (
        alt.Chart(alt.NamedData(data))
        .transform_aggregate(groupby=["cell"])
        .mark_text(align="left", baseline="top", fontSize=12, color=theme.ink)
        .encode(x=alt.value(6), y=alt.value(4), text="cell:N")
    )


def step_colour(table: pd.DataFrame, theme: Theme) -> alt.Color:
    """Colours from early to late steps, the same in both panels."""
    import altair as alt

    steps = sorted(table["step"].unique().tolist())
    scale = alt.Scale(
        type="log",
        range=list(theme.steps),
        interpolate="rgb",
        domain=[steps[0], steps[-1]] if len(steps) > 1 else [1, max([2, *steps])],
    )
    legend = alt.Legend(
        type="symbol",
        values=spaced(steps, 7),
        labelExpr=STEP_LABEL,
        title="step",
        symbolOpacity=1,
    )
    return alt.Color("step:Q", scale=scale, legend=legend)


OWN, COMMON = "of this cell", "of all cells"


def _scale_choice() -> alt.Parameter:
    """Whether the vertical axes suit the picked cell or compare all of them."""
    import altair as alt

    return alt.param(
        name="scale",
        value=OWN,
        bind=alt.binding_select(options=[OWN, COMMON], name="scale of the curves "),
    )
