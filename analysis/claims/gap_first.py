"""C14: the gap between train and held-out loss opens before copies appear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.forests import forest_figure
from analysis.claims.needs import several_generated_steps, several_seeds
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import Judgement, above_zero
from analysis.frames.wording import counted
from analysis.statistics.lags import gap_lags, lag_by_seed
from analysis.statistics.seeds import Estimate, mean_over_seeds

HALF, EARLY = 0.5, 0.1
"""What gap fraction and E both reach: the reading that decides, and its repetition."""


@dataclass(frozen=True, kw_only=True)
class GapFirst(Result):
    """C14 with the numbers behind it; its estimate is the lag at one half.

    Its frames: `trainings`, from `gap_lags` at one half, and `early`, the same at a tenth.

    Attributes:
        early: the lag at a tenth: mean and interval over seeds.
        early_judgement: what that says.
    """

    early: Estimate
    early_judgement: Judgement


def test(tables: Mapping[str, pd.DataFrame]) -> GapFirst:
    """log(step at E = 0.5) - log(step at gap fraction 0.5) > 0, and repeated at 0.1.

    The claim of [Bonnaire 2025].

    Both are shares of the way from none to a perfect memorizer. The lag of each training is
    averaged over the cells of a seed; Student's t over seeds. Where an onset is censored, see
    `lags`. The verdict is that at 0.5, which fewer trainings have behind them when they are first
    measured.
    """
    trainings, early = gap_lags(tables, HALF), gap_lags(tables, EARLY)
    lag, before = (mean_over_seeds(lag_by_seed(frame).tolist()) for frame in (trainings, early))
    judgement = above_zero(lag)
    bounds = counted(int(trainings["bound"].sum()), "lag")
    return GapFirst(
        estimate=lag,
        judgement=judgement,
        basis=f"{basis(trainings)}; {bounds} at their bounds",
        remedy=remedy(judgement.verdict, lag, UNTESTED),
        frames={"trainings": trainings, "early": early},
        early=before,
        early_judgement=above_zero(before),
    )


UNTESTED = (
    f"trainings in which the gap fraction or E passes {HALF:g} at measured steps: train longer, or "
    "on fewer strings"
)


def sentence(found: GapFirst) -> str:
    """C14 in one sentence."""
    again = f"{estimated(f'at {EARLY:g}', found.early)}, {found.early_judgement.verdict}"
    return said(
        found,
        {
            "supported": "the gap between train and held-out loss opens before copies appear",
            "contradicted": "copies appear before the gap between train and held-out loss opens",
        },
        f"{estimated(f'log lag of E behind the gap at {HALF:g}', found.estimate)}; {again}",
    )


def figure(found: GapFirst) -> Figure | None:
    """The lag by cell."""
    lags = found.frames["trainings"].dropna(subset="lag")
    return forest_figure(
        found.estimate,
        lags.assign(row=lags["cell"], value=lags["lag"]),
        name=CLAIM.name,
        title="Does the gap open before copies appear?",
        caption=(
            f"How much later, in nats of the training step, E reaches {HALF:g} than the gap "
            "fraction does."
        ),
        axis="lag: copies first ← 0 → gap first",
        symbol="lag",
    )


CLAIM = Claim(
    id="C14",
    name="gap-first",
    statement="The gap between train and held-out loss opens before copies appear",
    source="Bonnaire et al., arXiv 2505.17638",
    quantity=f"log ratio of the steps at which E and the gap fraction reach {HALF:g}",
    method="averaged over the cells of a seed, then Student’s t over seeds",
    needs=(several_generated_steps, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
