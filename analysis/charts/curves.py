"""Curves over training: copying, validity, partial memorization, losses, typicality slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid, step_axis
from analysis.charts.theme import Theme
from analysis.statistics.regimes import THRESHOLDS, Thresholds

if TYPE_CHECKING:
    import altair as alt

STEPS_SHOWN = 12
"""Points of a curve, about: more cannot be told apart and make the page heavy."""


def curve_panels(at: Thresholds = THRESHOLDS) -> list[Panel]:
    """The panels, in reading order."""
    copying = {
        "excess_copies": "excess copies E",
        "copy_fraction": "training copied",
        "control_copy_fraction": "controls copied",
    }
    validity = {
        "root_validity": "grammatical",
        "novel_validity": "novel validity V",
        "distinct_share": "distinct",
    }
    losses = {
        "training_loss": "training strings",
        "heldout_loss": "controls",
        "batch_loss": "batches",
        "memorizer_loss": "perfect memorizer",
    }
    slopes = {
        "typicality_slope": "T",
        "likelihood_slope": "T_L, by likelihood",
        "relative_slope": "A = T/E",
    }
    knowledge = {
        "memorized_excess": "strings memorized",
        "gap_fraction": "loss gap",
        "position": "position",
        "off_line": "off-line",
    }
    marks = (at.partial, at.memorizing)
    return [
        Panel("copying", "Copying", "share of generated strings", copying, None, marks, SHARES),
        Panel(
            "partial", "Partial memorization", "λ of level", {}, "partial_memorization",
            (at.partial, at.partial_onset), SHARES,
        ),
        Panel(
            "knowledge", "Memorization by likelihood", "share", knowledge, None,
            (at.memorizing,), SHARES,
        ),
        Panel("slope", "Typical first?", "slope", slopes, None, (0.0,)),
        Panel(
            "level-slope", "T of each level’s rules", "T of level", {}, "typicality_slope", (0.0,)
        ),
        Panel(
            "level-likelihood", "T_L of each level’s rules", "T_L of level", {},
            "likelihood_slope", (0.0,),
        ),
        Panel(
            "validity", "Validity", "share of generated strings", validity, None,
            (at.generalizing,), SHARES,
        ),
        Panel(
            "levels", "Validity of each level", "conditional validity", {},
            "conditional_validity", (), SHARES,
        ),
        Panel("loss", "Loss", "nats per leaf", losses),
        Panel("rule-kl", "Divergence from the rules", "KL of level, nats", {}, "rule_kl", (0.0,)),
        Panel(
            "shift", "Typicality of what is generated", "shift of level, nats", {},
            "typicality_shift", (0.0,),
        ),
    ]  # fmt: skip


def thinned(table: pd.DataFrame, *, by: Sequence[str], at_most: int = STEPS_SHOWN) -> pd.DataFrame:
    """Curves with at most so many points, the last one and others at equal distances before it."""
    groups = table.groupby(list(by), sort=False)["step"]
    back = groups.cumcount(ascending=False)
    every = -(-groups.transform("size") // at_most)
    return table[back % every == 0]


def curves_chart(
    table: pd.DataFrame, theme: Theme, *, cells: list[str], picked: str, data: str
) -> alt.ConcatChart:
    """The panels for one cell, chosen from a list.

    Args:
        table: from `curves_table`.
        theme: light or dark.
        cells: names of the cells, in order.
        picked: the cell that is shown first.
        data: name of the data set with the picked cell's rows.
    """
    x = step_axis(sorted(table["step"].unique().tolist()))
    return panel_grid(table, curve_panels(), x, theme, data=data, cells=cells, picked=picked)
