"""Curves over training: copying, validity, partial memorization, losses, typicality slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.charts.declared import drawn, series
from analysis.charts.panels import SHARES, Panel, panel_grid, worth_axis
from analysis.charts.theme import Theme
from analysis.statistics.regimes import THRESHOLDS, Thresholds

if TYPE_CHECKING:
    import altair as alt

STEPS_SHOWN = 12
"""Points of a curve, about: more cannot be told apart and make the page heavy."""


def curve_panels(at: Thresholds = THRESHOLDS) -> list[Panel]:
    """The panels, in reading order; what is declared in no panel known here has one of its own."""
    strings, levels = drawn("curves"), drawn("levels")
    marks = (at.partial, at.memorizing)

    def of_strings(name: str, title: str, axis: str, *more: Any) -> Panel:
        return Panel(name, title, axis, series(strings.pop(name)), None, *more)

    def of_levels(name: str, title: str, axis: str, *more: Any) -> Panel:
        (column,) = levels.pop(name)
        return Panel(name, title, axis, {}, column.name, *more)

    panels = [
        of_strings("copying", "Copying", "share of generated strings", marks, SHARES),
        of_strings("nearest", "Near copies", "share of generated images", (), SHARES),
        of_levels(
            "partial", "Partial memorization", "λ of level", (at.partial, at.partial_onset), SHARES
        ),
        of_strings("knowledge", "Memorization by likelihood", "share", (at.memorizing,), SHARES),
        of_strings("slope", "Typical first?", "slope", (0.0,)),
        of_levels("level-slope", "T_E of each level’s rules", "T_E of level", (0.0,)),
        of_levels("level-likelihood", "T_L of each level’s rules", "T_L of level", (0.0,)),
        of_strings(
            "validity", "Validity", "share of generated strings", (at.generalizing,), SHARES
        ),
        of_levels("levels", "Validity of each level", "conditional validity", (), SHARES),
        of_strings("loss", "Loss", "nats per leaf"),
        of_levels("rule-kl", "Divergence from the rules", "KL of level, nats", (0.0,)),
        of_levels("shift", "Typicality of what is generated", "shift of level, nats", (0.0,)),
    ]
    others = [of_strings(name, name, own[0].unit) for name, own in list(strings.items())]
    by_level = [of_levels(name, name, own[0].unit) for name, own in list(levels.items())]
    return [*panels, *others, *by_level]


def thinned(table: pd.DataFrame, *, by: Sequence[str], at_most: int = STEPS_SHOWN) -> pd.DataFrame:
    """Curves with at most so many points, the last one and others at equal distances before it."""
    groups = table.groupby(list(by), sort=False)["step"]
    back = groups.cumcount(ascending=False)
    every = -(-groups.transform("size") // at_most)
    return table if bool((every <= 1).all()) else table[back % every == 0]


def curves_chart(table: pd.DataFrame, theme: Theme, *, picked: str, data: str) -> alt.ConcatChart:
    """The panels for one cell.

    Args:
        table: from `curves_table`.
        theme: light or dark.
        picked: the cell that is shown first.
        data: name of the data set with the picked cell's rows.
    """
    x = worth_axis(sorted(table["step"].unique().tolist()))
    return panel_grid(table, curve_panels(), x, theme, data=data, picked=picked, worth=True)
