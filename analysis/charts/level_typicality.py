"""Memorization by each level's part of the typicality, over training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.domains import EMPTY, domain_signal, extents
from analysis.charts.layout import headroom
from analysis.charts.panels import HEIGHT, banded, numbers_tooltip, rule_at
from analysis.charts.theme import Theme
from analysis.charts.typicality import log_p_range, step_colour, stratum_curves

if TYPE_CHECKING:
    import altair as alt

PANELS = {
    "emission": ("by emission", "excess copies"),
    "likelihood": ("by likelihood", "excess memorized"),
}
"""Reading -> heading and label of its vertical axis."""

WHOLE = -1
"""The `level` of rows that speak of log p itself, drawn in the first column."""

WIDTH = 230

DATA = "by_level"
"""Name of the data set, in those of the signals."""


def _part(level: int) -> str:
    """The signal with the horizontal domain of a column."""
    return domain_signal(DATA, "whole" if level == WHOLE else f"level_{level}")


def level_typicality_domains(table: pd.DataFrame) -> dict[str, Mapping[str, list[float]]]:
    """Signal -> cell -> domain: one horizontal per column, one vertical per reading."""
    parts = {
        _part(int(own["level"].iloc[0])): log_p_range(own) for _, own in table.groupby("level")
    }
    vertical = {
        domain_signal(DATA, str(reading)): extents(own) for reading, own in table.groupby("reading")
    }
    return {**parts, **vertical}


def level_typicality_chart(
    table: pd.DataFrame, theme: Theme, *, picked: str, data: str
) -> alt.ConcatChart:
    """A panel for log p and one per level, first by emission, coloured by step.

    Arguments as of `curves_chart`.
    """
    import altair as alt

    levels = sorted(int(level) for level in table["level"].unique())
    readings = [reading for reading in PANELS if (table["reading"] == reading).any()]
    panels = [
        _panel(table, reading, level, theme, data) for reading in readings for level in levels
    ]
    signals = [
        alt.param(name=name, value=domains.get(picked, EMPTY))
        for name, domains in level_typicality_domains(table).items()
    ]
    return alt.concat(*panels, columns=len(levels), spacing=26).add_params(*signals)


def _panel(
    table: pd.DataFrame, reading: str, level: int, theme: Theme, data: str
) -> alt.LayerChart:
    import altair as alt

    heading, label = PANELS[reading]
    vertical = alt.ExprRef(domain_signal(DATA, reading))
    y = alt.Y(
        "mean:Q",
        scale=alt.Scale(domain=vertical, nice=False),
        axis=alt.Axis(title=label, tickCount=5),
    )
    shown = f"datum.reading === '{reading}' && datum.level === {level}"
    whole = level == WHOLE
    log_p = "log p (nats): atypical → typical" if whole else f"log p of level {level}"
    base, latest = stratum_curves(data, shown, _part(level), log_p)
    tooltip = numbers_tooltip(
        alt.Tooltip("level:O"), alt.Tooltip("step:Q", format=","),
        alt.Tooltip("log_p:Q", title="mean log p", format=".2f"),
    )  # fmt: skip
    layers = [
        headroom(HEIGHT),
        *rule_at([0.0], theme, label),
        *banded(
            base,
            y,
            step_colour(table, theme),
            tooltip,
            title=label,
            domain=domain_signal(DATA, reading),
            bands=latest,
        ),
    ]
    layers.append(_nothing_here(_part(level), theme))
    of = "Whole strings" if whole else f"Level {level}"
    title = alt.Title(f"{of}, {heading}", fontSize=13)
    return alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=title)


def _nothing_here(signal: str, theme: Theme) -> alt.Chart:
    """A word in place of curves, where the picked cell has no strata of the level."""
    import altair as alt

    undefined = f"{signal}[0] === {EMPTY[0]} && {signal}[1] === {EMPTY[1]}"
    text = alt.ExprRef(f"{undefined} ? 'undefined in this cell' : ''")
    mark = alt.Chart(alt.sequence(1)).mark_text(color=theme.muted, fontSize=12)
    return mark.encode(x=alt.value(WIDTH / 2), y=alt.value(HEIGHT / 2), text=alt.value(text))
