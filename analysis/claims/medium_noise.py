"""C18: memorization sits at medium noise, and both ends of the schedule are calm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.profiles import profiles_chart, profiles_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Claim, Result
from analysis.claims.needs import several_seeds
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import above_zero
from analysis.frames.wording import number
from analysis.statistics.noise_gap import (
    GAPS,
    WINDOWS,
    gaps_by_seed,
    noise_gaps,
    over_ends,
)
from analysis.statistics.peaks import highest, peak
from analysis.statistics.regimes import THRESHOLDS

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True)
class MediumNoise(Result):
    """C18 with the numbers behind it.

    Its frames: `trainings`, from `noise_gaps`, and `seeds`: `seed`, `gap_0` … `gap_9`.

    Attributes:
        noise: t/T in the middle of the window inside with the largest gap.
        largest: t/T in the middle of the window, of all ten, with the largest gap.

    Both are missing where no training is tested.
    """

    noise: float | None
    largest: float | None


def test(tables: Mapping[str, pd.DataFrame]) -> MediumNoise:
    """Held-out minus train loss inside the schedule is above the mean of both ends.

    The gap of every noise window is averaged over the cells of a seed; each seed is read in the
    window inside where the others have the largest gap, less the mean of both ends (`peak`). The
    exact grammar's own loss by window is not stored: the gap is not freed of which strings fell on
    which side, which widens the interval and moves no expectation (`noise_gaps`). One calm end is
    enough for the mean of both to lie below the peak, so the sentence says where the largest gap of
    all is.
    """
    return judged(noise_gaps(tables))


def judged(trainings: pd.DataFrame) -> MediumNoise:
    """The claim on the gaps of `noise_gaps`."""
    seeds = gaps_by_seed(trainings)
    profiles = seeds.to_numpy(dtype=float)
    heights = over_ends(profiles)
    window = 1 + highest(heights) if len(heights) else None
    effect = peak(heights)
    judgement = above_zero(effect)
    return MediumNoise(
        estimate=effect,
        judgement=judgement,
        basis=f"{basis(trainings)}; gaps as they are, the grammar’s own loss not taken off",
        remedy=remedy(judgement.verdict, effect, UNTESTED),
        frames={"trainings": trainings, "seeds": seeds.reset_index()},
        noise=_middle(window) if window else None,
        largest=_middle(int(profiles.mean(axis=0).argmax())) if window else None,
    )


def _middle(window: int) -> float:
    return (window + 0.5) / WINDOWS


UNTESTED = (
    f"trainings with a measured step at which E ≥ {THRESHOLDS.slope_from:g}, and losses in every "
    "noise window"
)


def sentence(found: MediumNoise) -> str:
    """C18 in one sentence."""
    at_an_end = found.largest is not None and not 1 <= found.largest * WINDOWS < WINDOWS - 1
    largest = f"the largest gap of all at {number(found.largest)}"
    return said(
        found,
        {
            "supported": "training and held-out loss part at medium noise",
            "contradicted": "training and held-out loss part at the ends of the schedule",
        },
        f"{estimated('inside less ends', found.estimate, digits=4)} nats per leaf and step at "
        f"t/T = {number(found.noise)}, {largest}{', an end that is not calm' * at_an_end}",
    )


def figure(found: MediumNoise) -> Figure | None:
    """The gap by noise level."""
    if found.estimate.mean is None:
        return None
    long = found.frames["seeds"].melt("seed", GAPS, var_name="window", value_name="mean")
    window = long["window"].str.removeprefix("gap_").astype(int)
    table = profiles_table(long.assign(x=(window + 0.5) / WINDOWS))

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return profiles_chart(
            table, theme, "medium_noise", x="noise level t/T", y="held-out − train loss, nats"
        )

    return Figure(
        name=CLAIM.name,
        title="Where on the noise schedule are strings memorized?",
        caption=(
            "How much smaller the loss of training strings is than that of unseen ones, per leaf "
            "and reverse step, in ten windows of the noise schedule at the first measured step "
            f"with E ≥ {THRESHOLDS.slope_from:g}. Thin lines: seeds, means over cells. Thick line: "
            "their mean with its 95 % Student t interval."
        ),
        data={"medium_noise": table},
        draw=draw,
    )


CLAIM = Claim(
    id="C18",
    name="medium-noise",
    statement="Memorization sits at medium noise; both ends of the schedule are calm",
    source="Dodson et al., arXiv 2602.17846",
    quantity=(
        "held-out less train loss in the window inside the schedule where it is largest, less its "
        "mean in the first and last window, at the first step with "
        f"E ≥ {THRESHOLDS.slope_from:g}"
    ),
    method=(
        "averaged over the cells of a seed, each seed read in the window that the others pick, "
        "then Student’s t over seeds, wider where several windows may be the largest"
    ),
    needs=(several_seeds,),
    test=test,
    sentence=sentence,
    figure=figure,
)
