"""Verdicts: what an effect with its interval over seeds says about a claim, and how surely.

A verdict rests on the unadjusted 95 % interval. The p-value beside it is of the same Student t law
and two-sided, so that it falls below 0.05 exactly where the interval decides, for the claim or
against it; over the claims of a report it is adjusted by Holm's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from scipy import special

from analysis.statistics.seeds import CONFIDENCE, Estimate

Verdict = Literal["supported", "contradicted", "inconclusive", "not tested by this sweep"]
SUPPORTED: Verdict = "supported"
CONTRADICTED: Verdict = "contradicted"
INCONCLUSIVE: Verdict = "inconclusive"
NOT_TESTED: Verdict = "not tested by this sweep"

WEAKEST_FIRST: tuple[Verdict, ...] = (NOT_TESTED, CONTRADICTED, INCONCLUSIVE, SUPPORTED)

EQUAL = 0.2
"""An effect within so much of a value counts as equal to it."""


class Judgement(NamedTuple):
    """What one estimate says about one statement.

    Attributes:
        verdict: by the interval.
        p_value: two-sided; None where there is no interval.
        holds: whether the estimate itself, whatever its interval, is as the statement says.
    """

    verdict: Verdict
    p_value: float | None
    holds: bool


def above_zero(estimate: Estimate) -> Judgement:
    """Whether an effect is above zero."""
    mean, lower, upper, _ = estimate
    if mean is None:
        return Judgement(NOT_TESTED, None, holds=False)
    if lower is None or upper is None:
        return Judgement(INCONCLUSIVE, None, holds=mean > 0)
    verdict: Verdict = SUPPORTED if lower > 0 else CONTRADICTED if upper < 0 else INCONCLUSIVE
    return Judgement(verdict, 2 * min(_tails(estimate, 0.0)), holds=mean > 0)


def below_zero(estimate: Estimate) -> Judgement:
    """Whether an effect is below zero."""
    mean, upper, lower = (None if x is None else -x for x in estimate[:3])
    return above_zero(Estimate(mean, lower, upper, estimate.seeds))


def equal_to(estimate: Estimate, value: float, within: float = EQUAL) -> Judgement:
    """Whether an effect equals a value: an equivalence test.

    Supported where the interval lies inside value ± within, contradicted where it lies outside. The
    p-value is the larger one of the two one-sided tests against the ends of the band; where the
    claim is contradicted that of the end beyond which the estimate lies; doubled as those of the
    other tests are.
    """
    mean, lower, upper, _ = estimate
    low, high = value - within, value + within
    if mean is None:
        return Judgement(NOT_TESTED, None, holds=False)
    if lower is None or upper is None:
        return Judgement(INCONCLUSIVE, None, holds=low < mean < high)
    inside, outside = low < lower and upper < high, upper < low or high < lower
    verdict: Verdict = SUPPORTED if inside else CONTRADICTED if outside else INCONCLUSIVE
    (below, above_low), (below_high, above) = _tails(estimate, low), _tails(estimate, high)
    beyond = min(above_low, below_high) if outside else max(below, above)
    return Judgement(verdict, min(1.0, 2 * beyond), holds=low < mean < high)


def all_of(*parts: Judgement) -> Judgement:
    """Whether several things hold at once: the weakest verdict and the largest p-value.

    A part whose estimate points the other way counts with p = 1, so that the p-value is small only
    where all of them hold; or where one is contradicted: then it is the smallest of those that are,
    times the number of parts (Bonferroni), since any of them would have contradicted the whole.
    """
    verdict = WEAKEST_FIRST[min(WEAKEST_FIRST.index(part.verdict) for part in parts)]
    if verdict == CONTRADICTED:
        against = [part.p_value for part in parts if part.verdict == CONTRADICTED]
        least = min((p for p in against if p is not None), default=None)
        p_value = None if least is None else min(1.0, len(parts) * least)
        return Judgement(verdict, p_value, holds=False)
    known = [part.p_value if part.holds else 1.0 for part in parts if part.p_value is not None]
    p_value = max(known) if len(known) == len(parts) else None
    return Judgement(verdict, p_value, holds=all(part.holds for part in parts))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted for their number (Holm 1979); undefined ones take no part.

    The k-th smallest of n is multiplied by n - k + 1; none ends below a smaller one, or beyond 1.
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        adjusted[i] = largest
    return adjusted


def _tails(estimate: Estimate, value: float) -> tuple[float, float]:
    """Shares below and above a value of the t law around an estimate that has an interval."""
    mean, lower, upper, seeds = estimate
    assert mean is not None and lower is not None and upper is not None
    half = (upper - lower) / 2
    if half == 0:
        return (0.5, 0.5) if value == mean else (float(value > mean), float(value < mean))
    widths = (value - mean) / half * special.stdtrit(seeds - 1, (1 + CONFIDENCE) / 2)
    return float(special.stdtr(seeds - 1, widths)), float(special.stdtr(seeds - 1, -widths))
