"""C10: above some dataset size memorization does not come however long one trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy import special

from analysis.charts.figure import Figure
from analysis.charts.onsets import OnsetAxes
from analysis.claims.claim import Claim
from analysis.claims.needs import several_seeds, varied
from analysis.claims.onset_slope import OnsetResult, onset_figure
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTED,
    SUPPORTED,
    Judgement,
    Verdict,
)
from analysis.statistics.onset_slopes import Dependence
from analysis.statistics.onsets import MEMORIZATION
from analysis.statistics.overdue import SURE, overdue
from analysis.statistics.seeds import CONFIDENCE, Estimate

HALF = 0.5
"""A seed waits where so large a share of its largest foretold corpora is not memorized."""

SIZE = "corpus.size"

UNTESTED = (
    "τ_mem known at two corpus sizes or more and larger ones trained so long that "
    "proportion to N foretells memorization: vary corpus.size and raise training.steps"
)


@dataclass(frozen=True, kw_only=True)
class BeyondReach(OnsetResult):
    """C10 with the numbers behind it; its estimate is the share of seeds that wait.

    Its frame: `trainings`, from `overdue`.

    Attributes:
        foretold: trainings in which memorization is foretold.
        waiting: those in which it has not come.
        smallest: the smallest N at which one of them waits; None if none does.
    """

    foretold: int
    waiting: int
    smallest: float | None


def test(tables: Mapping[str, pd.DataFrame]) -> BeyondReach:
    """Whether memorization stays away where smaller corpora foretell it.

    Only trainings count whose onset C7's fit on smaller N puts beyond their last step with a
    probability below 0.05, and of cells that differ in N alone the largest such N. A seed waits if
    at least half of these are still censored. While the fit holds, that has a probability of at
    most 0.05·K/(1/2) (union bound over the K sizes foretold, Markov's over cells). Supported where
    the exact binomial interval of the share of seeds that wait lies above it, contradicted where it
    lies below half.
    """
    trainings = overdue(tables)
    foretold = trainings[trainings["left_out"].isna()]
    largest = foretold.sort_values("x").drop_duplicates(["group", "seed"], keep="last")
    seeds = largest.groupby("seed")["waiting"].mean() >= HALF
    sizes_foretold = foretold.groupby(["group", "seed"]).size().max()
    chance = SURE / HALF * (sizes_foretold if len(foretold) else 1)
    estimate, judgement = _share(int(seeds.sum()), len(seeds), chance)
    waiting = foretold[foretold["waiting"]]
    sizes = tables["trainings"].set_index("training")[SIZE].reindex(waiting["training"])
    return BeyondReach(
        estimate=estimate,
        judgement=judgement,
        basis=basis(trainings),
        remedy=remedy(judgement.verdict, estimate, UNTESTED),
        frames={"trainings": trainings},
        name="share of seeds that wait",
        slope=Dependence(onset=MEMORIZATION, field=SIZE).slope(tables),
        beside={},
        foretold=len(foretold),
        waiting=len(waiting),
        smallest=float(sizes.min()) if len(sizes) else None,
    )


def _share(waiting: int, seeds: int, chance: float) -> tuple[Estimate, Judgement]:
    """The share of seeds that wait, with Clopper and Pearson's interval, and what it says.

    Args:
        waiting, seeds: how many wait, of how many.
        chance: the largest probability that one waits although the fit holds.
    """
    if not seeds:
        return Estimate(None, None, None, 0), Judgement(NOT_TESTED, None, holds=False)
    share = waiting / seeds
    if seeds == 1:
        return Estimate(share, None, None, 1), Judgement(INCONCLUSIVE, None, holds=share > HALF)
    tail = (1 - CONFIDENCE) / 2
    lower = special.betaincinv(waiting, seeds - waiting + 1, tail) if waiting else 0.0
    upper = special.betaincinv(waiting + 1, seeds - waiting, 1 - tail) if waiting < seeds else 1.0
    by_chance = special.bdtrc(waiting - 1, seeds, min(1.0, chance)) if waiting else 1.0
    verdict: Verdict = (
        SUPPORTED if lower > chance else CONTRADICTED if upper < HALF else INCONCLUSIVE
    )
    judgement = Judgement(verdict, min(1.0, 2 * float(by_chance)), holds=share > HALF)
    return Estimate(share, float(lower), float(upper), seeds), judgement


def sentence(found: BeyondReach) -> str:
    """C10 in one sentence."""
    size = f", from N = {found.smallest:,.0f} on" if found.smallest is not None else ""
    share = estimated(found.name, found.estimate)
    return said(
        found,
        {
            "supported": f"memorization stays away where smaller corpora foretell it{size}",
            "contradicted": "memorization comes where smaller corpora foretell it",
        },
        f"{share}, {found.waiting:,} of {found.foretold:,} foretold onsets have not come",
        "the interval does not decide",
    )


def figure(found: BeyondReach) -> Figure | None:
    """τ_mem against N, with what has not come."""
    if found.estimate.mean is None:
        return None
    return onset_figure(
        found,
        name=CLAIM.name,
        title="A size beyond which memorization does not come?",
        axes=OnsetAxes("training strings N", "onset of memorization τ_mem, steps"),
    )


CLAIM = Claim(
    id="C10",
    name="beyond-reach",
    statement="Above a dataset size n*(W), memorization does not come however long one trains",
    source="Bonnaire et al., arXiv 2505.17638",
    quantity=(
        "share of seeds in which memorization has not come where the fit of C7 on smaller N gives "
        f"P(τ_mem > last step) < {SURE:g}"
    ),
    method="exact binomial interval over seeds",
    expected=HALF,
    needs=(varied(SIZE), several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
