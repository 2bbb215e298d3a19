"""C17: memorization hardly depends on the rules, the innovation window does."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.onsets import OnsetAxes
from analysis.claims.claim import Claim
from analysis.claims.needs import a_grammar, several_seeds, varied
from analysis.claims.onset_slope import (
    METHOD,
    OnsetResult,
    onset_figure,
    onset_result,
    onset_sentence,
)
from analysis.claims.sentences import estimated
from analysis.claims.verdicts import Verdict, above_zero, all_of, below_zero, equal_to
from analysis.statistics.onset_slopes import Dependence
from analysis.statistics.onsets import GENERALIZATION, MEMORIZATION

SYNONYMS, DEPTH, SIZE = "grammar.num_synonyms", "grammar.depth", "corpus.size"

UNTESTED = (
    "two seeds with τ_gen and τ_mem known at two values or more of corpus.size, and of "
    "grammar.num_synonyms, with all else equal: vary both, or train longer"
)


def test(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Three parts, all of which must hold.

    log τ_mem does not depend on log m, nor, where the sweep varies it, on L: slopes equal 0 within
    0.2. ln(τ_mem/τ_gen), censored where memorization has not come, rises with log N and falls with
    log m.
    """
    rules = Dependence(onset=MEMORIZATION, field=SYNONYMS).slope(tables)
    depth = Dependence(onset=MEMORIZATION, field=DEPTH, scale=lambda x: x).slope(tables)
    size = Dependence(onset=MEMORIZATION, since=GENERALIZATION, field=SIZE).slope(tables)
    narrows = Dependence(onset=MEMORIZATION, since=GENERALIZATION, field=SYNONYMS).slope(tables)
    parts = [
        equal_to(rules.estimate, 0.0),
        above_zero(size.estimate),
        below_zero(narrows.estimate),
    ]
    if depth.estimate.mean is not None:
        parts.append(equal_to(depth.estimate, 0.0))
    judgement = all_of(*parts)
    beside = {
        "of log τ_mem on L": depth.estimate,
        "of ln(τ_mem/τ_gen) on log N": size.estimate,
        "of ln(τ_mem/τ_gen) on log m": narrows.estimate,
    }
    known = [estimated(name, one) for name, one in beside.items() if one.mean is not None]
    return onset_result(
        rules,
        judgement,
        name="slope of log τ_mem on log m",
        untested=UNTESTED,
        beside=beside,
        notes=known if judgement.verdict == "not tested by this sweep" else (),
    )


def sentence(found: OnsetResult) -> str:
    """C17 in one sentence."""
    holds: dict[Verdict, str] = {
        "supported": (
            "memorization comes as late whatever the rules, and the window before it widens with N "
            "and narrows with m"
        ),
        "contradicted": "one of the slopes is not as claimed",
    }
    return onset_sentence(found, holds, "an interval does not decide")


def figure(found: OnsetResult) -> Figure | None:
    """τ_mem against m."""
    return onset_figure(
        found,
        name=CLAIM.name,
        title="Memorization whatever the rules?",
        axes=OnsetAxes("synonyms m", "onset of memorization τ_mem, steps"),
    )


CLAIM = Claim(
    id="C17",
    name="innovation-window",
    statement=(
        "τ_mem hardly depends on the rule; the window [τ_gen, τ_mem] widens with N and narrows "
        "with rule complexity"
    ),
    source="Wang, Finn and Liu, arXiv 2605.10019",
    quantity=(
        "slopes of log τ_mem on log m and L, to equal 0, and of ln(τ_mem/τ_gen) on log N and log m"
    ),
    method=f"{METHOD}; all parts must hold",
    needs=(a_grammar, varied(SYNONYMS), varied(SIZE), several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
