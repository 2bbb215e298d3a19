"""C7 and C8: memorization comes in proportion to the data, generalization whenever it comes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.onsets import OnsetAxes
from analysis.claims.claim import Claim
from analysis.claims.needs import several_seeds, varied
from analysis.claims.onset_slope import (
    METHOD,
    UNDECIDED_EQUAL,
    OnsetResult,
    needed,
    onset_figure,
    onset_result,
    onset_sentence,
)
from analysis.claims.verdicts import Verdict, equal_to
from analysis.statistics.onset_slopes import Dependence
from analysis.statistics.onsets import (
    GENERALIZATION,
    LOSS,
    MEMORIZATION,
    generalization_onset,
)

SIZE = "corpus.size"
BY_LOSS = " by held-out loss"
PROPORTIONAL = 1.0
"""The slope of the logarithm of an onset that grows in proportion to N."""


def memorization(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether τ_mem is proportional to N: the slope of log τ_mem on log N equals 1 within 0.2."""
    slope = Dependence(onset=MEMORIZATION, field=SIZE).slope(tables)
    return onset_result(
        slope,
        equal_to(slope.estimate, PROPORTIONAL),
        name="slope of log τ_mem on log N",
        untested=needed("τ_mem", SIZE),
    )


def generalization(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether τ_gen is the same at every N: the slope of log τ_gen on log N equals 0 within 0.2.

    Beside it the same for the step at which the held-out loss has fallen by nine tenths, which
    decides where V is undefined throughout.
    """
    loss = Dependence(onset=LOSS, field=SIZE).slope(tables)
    by_loss = generalization_onset(tables) == LOSS
    slope = loss if by_loss else Dependence(onset=GENERALIZATION, field=SIZE).slope(tables)
    return onset_result(
        slope,
        equal_to(slope.estimate, 0.0),
        name=f"slope of log τ_gen{BY_LOSS * by_loss} on log N",
        untested=needed("τ_gen", SIZE),
        beside={} if by_loss else {BY_LOSS.strip(): loss.estimate},
    )


def _memorization_sentence(found: OnsetResult) -> str:
    mean = found.estimate.mean or 0.0
    slower = "less" if mean < 1 else "more"
    holds: dict[Verdict, str] = {
        "supported": "memorization comes in proportion to the number of training strings",
        "contradicted": f"memorization is put off {slower} than in proportion to N",
    }
    return onset_sentence(found, holds, UNDECIDED_EQUAL)


def _generalization_sentence(found: OnsetResult) -> str:
    later = "later" if (found.estimate.mean or 0.0) > 0 else "earlier"
    holds: dict[Verdict, str] = {
        "supported": "generalization comes at the same step whatever the number of strings",
        "contradicted": f"with more training strings, generalization comes {later}",
    }
    return onset_sentence(found, holds, UNDECIDED_EQUAL)


def _memorization_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C7.name,
        title="Memorization in proportion to the data?",
        axes=OnsetAxes("training strings N", "onset of memorization τ_mem, steps"),
    )


def _generalization_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C8.name,
        title="Generalization whatever the data?",
        axes=OnsetAxes("training strings N", "onset of generalization τ_gen, steps"),
    )


C7 = Claim(
    id="C7",
    name="memorization-by-size",
    statement="τ_mem grows in proportion to N",
    source="Favero et al., arXiv 2505.16959; Bonnaire et al., arXiv 2505.17638",
    quantity="slope of log τ_mem on log N, to equal 1",
    expected=PROPORTIONAL,
    method=METHOD,
    needs=(varied(SIZE), several_seeds),
    test=memorization,
    sentence=_memorization_sentence,
    figure=_memorization_figure,
)

C8 = Claim(
    id="C8",
    name="generalization-by-size",
    statement="τ_gen does not depend on N",
    source="Bonnaire et al., arXiv 2505.17638",
    quantity="slope of log τ_gen on log N, to equal 0",
    method=METHOD,
    needs=(varied(SIZE), several_seeds),
    test=generalization,
    sentence=_generalization_sentence,
    figure=_generalization_figure,
)
