"""C19: more reverse steps copy more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.profiles import profiles_chart, profiles_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Claim, Result
from analysis.claims.needs import several_seeds
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import above_zero
from analysis.frames.wording import listed, number
from analysis.statistics.regimes import THRESHOLDS
from analysis.statistics.reverse_step_slopes import by_reverse_steps, reverse_step_slopes
from analysis.statistics.sampler_bias import MEMORIZER
from analysis.statistics.seeds import Estimate, mean_over_seeds
from analysis.statistics.typicality_slopes import slope_over_seeds
from study.config import TrialConfig

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True)
class ReverseSteps(Result):
    """C19 with the numbers behind it.

    Its frames: `groups`, from `reverse_step_slopes`, and `points`, from `by_reverse_steps`.

    Attributes:
        relative: the slope of E over that of an exact empirical-Bayes denoiser with as many reverse
            steps: what is left of the slope when the sampler's own loss is taken off.
    """

    relative: Estimate


def test(tables: Mapping[str, pd.DataFrame]) -> ReverseSteps:
    """The slope of E on log2 of the reverse steps of one network > 0 ([DL]).

    A training does not depend on how it is measured, so trainings that differ in reverse steps
    alone are one network. Slopes are averaged over the steps with E >= 0.1 and over the cells of a
    seed; Student's t over seeds.
    """
    return judged(reverse_step_slopes(tables), by_reverse_steps(tables))


def judged(groups: pd.DataFrame, points: pd.DataFrame) -> ReverseSteps:
    """The claim on the slopes of `reverse_step_slopes`."""
    slope = mean_over_seeds(slope_over_seeds(groups, "slope"))
    judgement = above_zero(slope)
    return ReverseSteps(
        estimate=slope,
        judgement=judgement,
        basis=basis(groups, "network"),
        remedy=remedy(judgement.verdict, slope, UNTESTED),
        frames={"groups": groups, "points": points},
        relative=mean_over_seeds(slope_over_seeds(groups, "relative_slope")),
    )


UNTESTED = (
    "trainings that differ in measurement.reverse_steps alone and reach "
    f"E ≥ {THRESHOLDS.slope_from:g}"
)


def several_reverse_steps(trials: Sequence[TrialConfig]) -> str | None:
    """Slopes need one network measured with two numbers of reverse steps."""
    lacking = "no two trainings differ in reverse steps alone: sweep measurement.reverse_steps"
    if len({trial.reverse_steps for trial in trials}) < 2:  # identities take long to work out
        return lacking
    steps = defaultdict(set)
    for trial in trials:
        alike = replace(trial, measurement=replace(trial.measurement, reverse_steps=None))
        steps[alike.hash].add(trial.reverse_steps)
    return None if any(len(values) > 1 for values in steps.values()) else lacking


def sentence(found: ReverseSteps) -> str:
    """C19 in one sentence."""
    return said(
        found,
        {
            "supported": "the same networks copy more with more reverse steps",
            "contradicted": "the same networks copy less with more reverse steps",
        },
        f"{estimated('slope of E per doubling', found.estimate)}, "
        f"{estimated('of E over that of an exact memorizer', found.relative)}",
    )


def figure(found: ReverseSteps) -> Figure | None:
    """E by reverse steps."""
    if found.estimate.mean is None:
        return None
    points = found.frames["points"]
    tested = points.groupby(["group", "step"])["excess_copies"].transform("mean")
    points = points[tested >= THRESHOLDS.slope_from]
    keys = ["seed", "reverse_steps"]
    means = points.groupby([*keys, "group"])["excess_copies"].mean().groupby(keys).mean()
    values = means.rename("mean").reset_index().rename(columns={"reverse_steps": "x"})
    table = profiles_table(values)
    exact = [f"E = {number(1 - MEMORIZER[steps])} in {steps}" for steps in (6, 12, 25, 50)]

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return profiles_chart(
            table, theme, "reverse_steps", x="reverse steps", y="excess copies E", doubling=True
        )

    return Figure(
        name=CLAIM.name,
        title="Do more reverse steps copy more?",
        caption=(
            "Excess copies of the same networks, by the number of reverse steps in which strings "
            f"are generated; mean over the measured steps with E ≥ {THRESHOLDS.slope_from:g}. Thin "
            "lines: seeds, means over cells. Thick line: their mean with its 95 % Student t "
            "interval, which contains how seeds differ; the slope is fitted within each network. "
            f"An exact memorizer of 128 strings (L = 3, v = 6, m = 4) itself shows {listed(exact)} "
            "reverse steps."
        ),
        data={"reverse_steps": table},
        draw=draw,
    )


CLAIM = Claim(
    id="C19",
    name="reverse-steps",
    statement="More reverse steps copy more",
    source="Luo et al., arXiv 2603.02333",
    quantity=(
        "slope of excess copies E on log2 of the reverse steps, within a network, while "
        f"E ≥ {THRESHOLDS.slope_from:g}"
    ),
    method="averaged over steps and over the cells of a seed, then Student’s t over seeds",
    needs=(several_reverse_steps, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
