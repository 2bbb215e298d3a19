"""C2: typical strings are copied first although no training string occurs twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.forest import SHOWN, forest_chart, forest_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Claim, Result
from analysis.claims.needs import a_grammar, several_seeds, several_strata
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import above_zero
from analysis.frames.wording import counted
from analysis.statistics.deduplication import CONTROLS, NEAR, deduplicated_slopes
from analysis.statistics.seeds import Estimate, mean_over_seeds, over_seeds
from analysis.statistics.typicality_slopes import slope_over_seeds, window_of
from study.config import TrialConfig

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True)
class Deduplicated(Result):
    """C2 with the numbers behind it.

    Its frames: `trainings`, from `deduplicated_slopes`, and `cells`, per cell `mean`, `lower`,
    `upper` of T_E and `seeds`.

    Attributes:
        repeated: T_E of the i.i.d. twins: mean and interval over seeds.
        difference: T_E of the unique corpora less that of their twins, paired by training.
    """

    repeated: Estimate
    difference: Estimate


def test(tables: Mapping[str, pd.DataFrame]) -> Deduplicated:
    """T_E > 0 on unique corpora that use up at least half of the grammar's strings.

    The claim of [Aparicio 2026].

    T_E is that of C1, averaged over the cells of a seed; the interval is Student's t over seeds.
    What repetition adds stands beside it: T_E of the same trainings on corpora drawn i.i.d. The
    claim does not rest on it.
    """
    return judged(deduplicated_slopes(tables))


def judged(trainings: pd.DataFrame) -> Deduplicated:
    """The claim on the slopes of `deduplicated_slopes`."""
    slope = mean_over_seeds(slope_over_seeds(trainings, "typicality_slope"))
    tested = trainings[trainings["left_out"].isna()]
    paired = tested[tested["twin"].notna()]
    paired = paired.assign(difference=paired["typicality_slope"] - paired["twin"])
    judgement = above_zero(slope)
    twins = f"; {len(paired):,} with a twin drawn i.i.d." if len(tested) else ""
    return Deduplicated(
        estimate=slope,
        judgement=judgement,
        basis=basis(trainings) + twins,
        remedy=remedy(judgement.verdict, slope, UNTESTED),
        frames={
            "trainings": trainings,
            "cells": over_seeds(tested, by=["cell"], value="typicality_slope"),
        },
        repeated=mean_over_seeds(slope_over_seeds(paired, "twin")),
        difference=mean_over_seeds(slope_over_seeds(paired, "difference")),
    )


USED_UP = (
    f"unique corpora whose training and control strings are at least {NEAR:g} of all strings of "
    f"the grammar, with at least {CONTROLS:g} controls per training string"
)

UNTESTED = f"{USED_UP}, and a measured step at which {window_of()}"


def nearly_used_up(trials: Sequence[TrialConfig]) -> str | None:
    """Being unique changes a corpus only where strings would else repeat."""
    for trial in trials:
        size, controls = trial.corpus.size, trial.control_size
        if trial.grammar is None:
            continue
        used_up = size + controls >= NEAR * trial.grammar.shape.support_size
        if trial.corpus.unique and used_up and controls >= CONTROLS * size:
            return None
    return (
        f"no corpus uses up its grammar: it takes {USED_UP}; raise corpus.size and "
        "corpus.control_size, or make the grammar smaller"
    )


def sentence(found: Deduplicated) -> str:
    """C2 in one sentence."""
    numbers = estimated("T_E", found.estimate)
    if found.difference.mean is None:
        numbers += ", with no i.i.d. corpora beside them"
    else:
        numbers += f", {estimated('T_E of i.i.d. twins', found.repeated)}"
        numbers += f", {estimated('unique less i.i.d.', found.difference)}"
    return said(
        found,
        {
            "supported": "without a repeated training string, typical strings are copied first",
            "contradicted": "without a repeated training string, atypical strings are copied first",
        },
        numbers,
    )


def figure(found: Deduplicated) -> Figure | None:
    """T_E by cell."""
    if found.estimate.mean is None:
        return None
    slopes = found.frames["trainings"].dropna(subset="typicality_slope")
    table = forest_table(found.estimate, found.frames["cells"], slopes, value="typicality_slope")

    def draw(theme: Theme) -> alt.TopLevelMixin:
        axis = "typicality slope T_E: atypical first ← 0 → typical first"
        return forest_chart(table, theme, "deduplicated_slopes", axis=axis, symbol="T_E")

    return Figure(
        name=CLAIM.name,
        title="Typical strings first without repetition?",
        caption=(
            f"Mean typicality slope T_E over the steps with {window_of()}, of "
            f"{counted(found.estimate.seeds, 'seed')} on unique corpora that use up at least "
            f"{NEAR:g} of their grammar’s strings. Ticks: trainings. Dots and lines: means over "
            "seeds with 95 % Student t intervals, where there are two seeds. At most "
            f"{SHOWN} cells are drawn."
        ),
        data={"deduplicated_slopes": table},
        draw=draw,
    )


CLAIM = Claim(
    id="C2",
    name="deduplicated",
    statement="Typical strings are copied first though every training string is unique",
    source="Aparicio Rodriguez et al., arXiv 2605.30642",
    quantity=f"mean typicality slope T_E of unique corpora while {window_of()}",
    method="averaged over the cells of a seed, then Student’s t over seeds",
    needs=(a_grammar, nearly_used_up, several_strata, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
