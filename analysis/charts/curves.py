"""Curves over training: copying, validity, partial memorization, losses, typicality slopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.panels import SHARES, Panel, panel_grid, step_axis
from analysis.charts.theme import Theme
from analysis.frames.generated import BY_LIKELIHOOD, at_generated_steps
from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.seeds import columns_over_seeds, runs

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


def curves_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every curve of every cell over its seeds.

    A point stands on the seeds that were measured at its step, `seeds` says how many; undefined
    points have no row and leave a gap.

    Returns:
        `panel`, `series`, `level` (missing for whole strings), `cell`, `step`, `mean`, `lower`,
        `upper`, `seeds` and `run`, which counts the stretches without a gap.
    """
    panels = curve_panels()
    whole = [panel for panel in panels if panel.level_column is None]
    series = [(p.name, column, name) for p in whole for column, name in p.series.items()]
    curves = _over_seeds(tables, "curves", [column for _, column, _ in series], [])
    strings = curves.merge(pd.DataFrame(series, columns=["panel", "column", "series"]), on="column")
    named = {p.level_column: p.name for p in panels if p.level_column is not None}
    levels = _over_seeds(tables, "levels", list(named), ["level"])
    levels["panel"] = levels["column"].map(named)
    levels["series"] = "level " + levels["level"].astype(str)
    parts = [part.astype({"level": "Int64"}) for part in (strings.assign(level=None), levels)]
    table = pd.concat(parts, ignore_index=True).drop(columns="column")
    keys = ["cell", "panel", "series"]
    return runs(table.sort_values([*keys, "step"], ignore_index=True), by=keys)


def _over_seeds(
    tables: Mapping[str, pd.DataFrame], name: str, columns: Sequence[str], more: list[str]
) -> pd.DataFrame:
    """Columns of a table over seeds, those that need generated strings only where there are any.

    Columns that are nowhere defined, and levels at which a column never is, have no rows.
    """
    cells = tables["trainings"][["training", "cell"]]
    frame = tables[name][["training", "step", *more, *columns]].merge(cells, on="training")
    keys = ["cell", "step", *more]
    emitted = [column for column in columns if column not in BY_LIKELIHOOD]
    known = [column for column in columns if column in BY_LIKELIHOOD]
    long = pd.concat(
        [
            columns_over_seeds(
                at_generated_steps(frame, tables["curves"]), by=keys, columns=emitted
            ),
            columns_over_seeds(frame, by=keys, columns=known),
        ]
    )
    defined = long.groupby([*more, "column"])["seeds"].transform("sum") > 0
    return long[defined]


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
