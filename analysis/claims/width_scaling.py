"""C6 and C9: what the width of a network does to the onsets of memorization."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
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
from analysis.claims.verdicts import Verdict, below_zero, equal_to
from analysis.frames.cells import value_label
from analysis.frames.wording import listed
from analysis.statistics.onset_slopes import Dependence, OnsetSlope
from analysis.statistics.onsets import LOSS, MEMORIZATION, PARTIAL, generalization_onset

WIDTH = "network.width"
AXIS = "network width W"


def window(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether the partial window is longer at low capacity ([Aparicio 2026]).

    The slope of ln(τ_mem/τ_partial) on log2 W is below 0; a window that has not closed is censored.
    """
    slope = Dependence(
        onset=MEMORIZATION, since=PARTIAL, field=WIDTH, scale=np.log2, learner=True
    ).slope(tables)
    return onset_result(
        slope,
        below_zero(slope.estimate),
        name="slope of ln(τ_mem/τ_partial) on log2 W",
        untested=needed("τ_partial, and τ_mem or its being later,", WIDTH),
    )


def memorization(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether larger models memorize earlier: the slope of log τ_mem on log2 W is below 0."""
    slope = Dependence(onset=MEMORIZATION, field=WIDTH, scale=np.log2).slope(tables)
    return onset_result(
        slope,
        below_zero(slope.estimate),
        name="slope of log τ_mem on log2 W",
        untested=needed("τ_mem", WIDTH),
        notes=_rates(tables, slope),
    )


def ratio(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether τ_mem/τ_gen is the same at every W: its log has slope 0 on log2 W within 0.2.

    τ_gen is that by V; where V is undefined throughout, that by held-out loss.
    """
    since = generalization_onset(tables)
    slope = Dependence(onset=MEMORIZATION, since=since, field=WIDTH, scale=np.log2).slope(tables)
    how = " with τ_gen by held-out loss" if since == LOSS else ""
    return onset_result(
        slope,
        equal_to(slope.estimate, 0.0),
        name=f"slope of ln(τ_mem/τ_gen){how} on log2 W",
        untested=needed("τ_gen and τ_mem", WIDTH),
        notes=_rates(tables, slope),
    )


def _rates(tables: Mapping[str, pd.DataFrame], slope: OnsetSlope) -> list[str]:
    """The learning rate, since what is early in steps depends on it."""
    trainings = tables["trainings"]
    tested = trainings[trainings["training"].isin(slope.tested["training"])]
    rates = [value_label(float(rate)) for rate in sorted(tested["training.learning_rate"].unique())]
    return [f"learning rate {listed(rates)}"] if rates else []


def _window_sentence(found: OnsetResult) -> str:
    holds: dict[Verdict, str] = {
        "supported": "the narrower the network, the longer it memorizes in parts only",
        "contradicted": "the wider the network, the longer it memorizes in parts only",
    }
    return onset_sentence(found, holds)


def _memorization_sentence(found: OnsetResult) -> str:
    holds: dict[Verdict, str] = {
        "supported": "wider networks memorize earlier",
        "contradicted": "wider networks memorize later",
    }
    return onset_sentence(found, holds)


def _ratio_sentence(found: OnsetResult) -> str:
    longer = "longer" if (found.estimate.mean or 0.0) > 0 else "shorter"
    holds: dict[Verdict, str] = {
        "supported": "how much later memorization comes than generalization does not depend on W",
        "contradicted": f"the wider the network, the {longer} from generalization to memorization",
    }
    return onset_sentence(found, holds, UNDECIDED_EQUAL)


def _window_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C6.name,
        title="A longer partial window at low capacity?",
        axes=OnsetAxes(AXIS, "partial window τ_mem/τ_partial", base=2.0, steps=False),
    )


def _memorization_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C9.name,
        title="Do larger models memorize earlier?",
        axes=OnsetAxes(AXIS, "onset of memorization τ_mem, steps", base=2.0),
    )


def _ratio_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C9B.name,
        title="Memorization as much later at every width?",
        axes=OnsetAxes(AXIS, "τ_mem/τ_gen", base=2.0, steps=False),
    )


C6 = Claim(
    id="C6",
    name="partial-window",
    statement="The partial window is longer at low capacity",
    source="Aparicio Rodriguez et al., arXiv 2605.30642",
    quantity="slope of ln(τ_mem/τ_partial) on log2 W",
    method=METHOD,
    needs=(varied(WIDTH), several_seeds),
    test=window,
    sentence=_window_sentence,
    figure=_window_figure,
)

C9 = Claim(
    id="C9",
    name="memorization-by-width",
    statement="Larger models memorize earlier in steps",
    source="Bonnaire et al., arXiv 2505.17638",
    quantity="slope of log τ_mem on log2 W",
    method=METHOD,
    needs=(varied(WIDTH), several_seeds),
    test=memorization,
    sentence=_memorization_sentence,
    figure=_memorization_figure,
)

C9B = Claim(
    id="C9b",
    name="onset-ratio-by-width",
    statement="τ_mem/τ_gen does not depend on W",
    source="Bonnaire et al., arXiv 2505.17638",
    quantity="slope of ln(τ_mem/τ_gen) on log2 W, to equal 0",
    method=METHOD,
    needs=(varied(WIDTH), several_seeds),
    test=ratio,
    sentence=_ratio_sentence,
    figure=_ratio_figure,
)
