"""C1: typical strings are copied first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.forest import SHOWN, forest_chart, forest_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Claim, Result
from analysis.claims.needs import several_seeds, several_strata
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import above_zero
from analysis.statistics.seeds import Estimate, mean_over_seeds, over_seeds
from analysis.statistics.typicality_slopes import (
    slope_over_seeds,
    typicality_slopes,
    untested,
    window_of,
)

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True)
class TypicalFirst(Result):
    """C1 with the numbers behind it.

    Its frames: `trainings`, from `typicality_slopes`, and `cells`, per cell `mean`, `lower`,
    `upper` of T_E and `seeds`.

    Attributes:
        relative: A = T_E/E over the same steps: mean and interval over seeds.
    """

    relative: Estimate


def test(tables: Mapping[str, pd.DataFrame]) -> TypicalFirst:
    """T_E > 0 while copying sets in ([Aparicio 2026]).

    T_E is averaged over the steps of a training with 0.1 <= E <= 0.7, then over the cells of a
    seed; the interval is Student's t over seeds. Trainings with excess_fit > 0.05 are left out.
    """
    trainings = typicality_slopes(tables)
    slope = mean_over_seeds(slope_over_seeds(trainings, "typicality_slope"))
    tested = trainings[trainings["left_out"].isna()]
    cells = over_seeds(tested, by=["cell"], value="typicality_slope")
    judgement = above_zero(slope)
    return TypicalFirst(
        estimate=slope,
        judgement=judgement,
        basis=basis(trainings),
        remedy=remedy(judgement.verdict, slope, untested()),
        frames={"trainings": trainings, "cells": cells},
        relative=mean_over_seeds(slope_over_seeds(trainings, "relative_slope")),
    )


def sentence(found: TypicalFirst) -> str:
    """C1 in one sentence."""
    numbers = f"{estimated('T_E', found.estimate)}, {estimated('A = T_E/E', found.relative)}"
    return said(
        found,
        {
            "supported": "while copying sets in, typical strings are copied before atypical",
            "contradicted": "while copying sets in, atypical strings are copied first",
        },
        numbers,
    )


def figure(found: TypicalFirst) -> Figure | None:
    """T_E by cell."""
    if found.estimate.mean is None:
        return None
    slopes = found.frames["trainings"].dropna(subset="typicality_slope")
    table = forest_table(found.estimate, found.frames["cells"], slopes, value="typicality_slope")

    def draw(theme: Theme) -> alt.TopLevelMixin:
        axis = "typicality slope T_E: atypical first ← 0 → typical first"
        return forest_chart(table, theme, "slopes", axis=axis, symbol="T_E")

    return Figure(
        name=CLAIM.name,
        title="Typical strings first?",
        caption=(
            f"Mean typicality slope T_E over the steps with {window_of()}. "
            "Ticks: trainings. Dots and lines: means over seeds with 95 % Student t intervals, "
            f"where there are two seeds. At most {SHOWN} cells are drawn."
        ),
        data={"slopes": table},
        draw=draw,
    )


CLAIM = Claim(
    id="C1",
    name="typical-first",
    statement="Typical strings are copied first",
    source="Aparicio Rodriguez et al., arXiv 2605.30642",
    quantity=f"mean typicality slope T_E while {window_of()}",
    method="averaged over the cells of a seed, then Student’s t over seeds",
    needs=(several_strata, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
