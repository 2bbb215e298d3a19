"""C16: copying goes typical-first while likelihood betrays the outliers first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.pairs import pairs_chart, pairs_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Claim, Result
from analysis.claims.needs import several_seeds, several_strata
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import above_zero, all_of, below_zero
from analysis.frames.wording import counted
from analysis.statistics.seeds import Estimate, columns_over_seeds, mean_over_seeds
from analysis.statistics.typicality_slopes import (
    slope_over_seeds,
    typicality_slopes,
    untested,
    window_of,
    with_both,
)

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True)
class OutlierFirst(Result):
    """C16 with the numbers behind it; its estimate is that of T_L.

    Its frames: `trainings`, from `typicality_slopes`, with those left out that have no T_L, and
    `cells`, per cell and `column` (T_E or T_L) `mean`, `lower`, `upper` and `seeds`: where the two
    differ in sign.

    Attributes:
        copying: T_E of the same trainings: mean and interval over seeds.
        paired: trainings with T_E and T_L.
        both: trainings with T_E > 0 and T_L < 0.
    """

    copying: Estimate
    paired: int
    both: int


def test(tables: Mapping[str, pd.DataFrame]) -> OutlierFirst:
    """T_E > 0 and T_L < 0 over the same steps of the same trainings, those of C1.

    Each is averaged over the cells of a seed, Student's t over seeds. The claim is the conjunction:
    supported where both intervals say so, contradicted where one says the opposite.
    """
    trainings = with_both(typicality_slopes(tables))
    copying = mean_over_seeds(slope_over_seeds(trainings, "typicality_slope"))
    likelihood = mean_over_seeds(slope_over_seeds(trainings, "likelihood_slope"))
    judgement = all_of(above_zero(copying), below_zero(likelihood))
    tested = trainings[trainings["left_out"].isna()]
    signs = (tested["typicality_slope"] > 0) & (tested["likelihood_slope"] < 0)
    return OutlierFirst(
        estimate=likelihood,
        judgement=judgement,
        basis=basis(trainings),
        remedy=remedy(judgement.verdict, likelihood, untested()),
        frames={
            "trainings": trainings,
            "cells": columns_over_seeds(
                tested, by=["cell"], columns=["typicality_slope", "likelihood_slope"]
            ),
        },
        copying=copying,
        paired=len(tested),
        both=int(signs.sum()),
    )


def sentence(found: OutlierFirst) -> str:
    """C16 in one sentence."""
    slopes = f"{estimated('T_E', found.copying)}, {estimated('T_L', found.estimate)}"
    return said(
        found,
        {
            "supported": (
                "the same trainings copy typical strings first, while by likelihood they know "
                "atypical strings first"
            ),
            "contradicted": "one of the two slopes has the other sign",
        },
        f"{slopes}; both signs in {found.both:,} of {counted(found.paired, 'training')}",
    )


def figure(found: OutlierFirst) -> Figure | None:
    """T_E against T_L, training by training."""
    if found.estimate.mean is None:
        return None
    trainings = found.frames["trainings"]
    tested = trainings[trainings["left_out"].isna()]
    table = pairs_table(tested, found.copying, found.estimate)

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return pairs_chart(table, theme, "pairs")

    return Figure(
        name=CLAIM.name,
        title="Typical strings first in copying, outliers first in likelihood?",
        caption=(
            "Both slopes of the same trainings over the same steps: to the right of zero, typical "
            "strings are copied first; below zero, likelihood betrays atypical strings first. "
            "Small dots: trainings. Large dot: mean over seeds with 95 % Student t intervals."
        ),
        data={"pairs": table},
        draw=draw,
    )


CLAIM = Claim(
    id="C16",
    name="outlier-first",
    statement="Typical strings first in copying, outliers first in likelihood",
    source="this project",
    quantity=f"mean slopes T_E and T_L of the same trainings while {window_of()}",
    method="averaged over the cells of a seed, then Student’s t over seeds",
    needs=(several_strata, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
