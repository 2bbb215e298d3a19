"""Verdicts and p-values: against scipy's own tests, and what they promise together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.claims.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTED,
    SUPPORTED,
    Judgement,
    above_zero,
    all_of,
    below_zero,
    equal_to,
    holm,
)
from analysis.statistics.seeds import Estimate, mean_over_seeds

SEEDS = st.lists(
    st.integers(-300, 300).map(lambda x: x / 100), min_size=2, max_size=10, unique=True
)


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_p_is_that_of_the_t_test_and_agrees_with_the_verdict(values):
    estimate = mean_over_seeds(values)
    up, down = above_zero(estimate), below_zero(estimate)
    assert up.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=1e-9)
    assert down.p_value == pytest.approx(up.p_value, abs=1e-12)
    assert (up.verdict == INCONCLUSIVE) == (down.verdict == INCONCLUSIVE) == (up.p_value >= 0.05)
    assert (up.verdict == SUPPORTED) == (down.verdict == CONTRADICTED)
    assert up.holds == (np.mean(values) > 0) or abs(np.mean(values)) < 1e-12


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.floats(-1, 1))
def test_equivalence_is_two_one_sided_tests(values, value):
    found = equal_to(mean_over_seeds(values), value)
    low = stats.ttest_1samp(values, value - 0.2, alternative="greater").pvalue
    high = stats.ttest_1samp(values, value + 0.2, alternative="less").pvalue
    outside = 2 * min(1 - low, 1 - high)
    expected = outside if found.verdict == CONTRADICTED else min(1, 2 * max(low, high))
    assert found.p_value == pytest.approx(expected, abs=1e-9)
    assert (found.verdict == INCONCLUSIVE) == (found.p_value >= 0.05)
    assert found.holds or found.verdict != SUPPORTED


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((1.0, 0.85, 1.15), SUPPORTED),
        ((1.0, 0.75, 1.25), INCONCLUSIVE),
        ((1.3, 1.1, 1.5), INCONCLUSIVE),
        ((1.5, 1.25, 1.75), CONTRADICTED),
        ((0.0, -0.3, 0.3), CONTRADICTED),
    ],
)
def test_a_value_is_equal_within_a_fifth(interval, verdict):
    assert equal_to(Estimate(*interval, 5), 1.0).verdict == verdict


@pytest.mark.parametrize("judge", [above_zero, below_zero, lambda e: equal_to(e, 0.0)])
def test_without_an_interval_nothing_is_decided(judge):
    assert judge(Estimate(None, None, None, 0)) == (NOT_TESTED, None, False)
    single = judge(Estimate(0.1, None, None, 1))
    assert (single.verdict, single.p_value) == (INCONCLUSIVE, None)


def test_seeds_that_all_agree_are_certain():
    assert above_zero(mean_over_seeds([0.25] * 3)) == (SUPPORTED, 0.0, True)
    assert above_zero(mean_over_seeds([0.0] * 3)) == (INCONCLUSIVE, 1.0, False)


def test_a_conjunction_is_as_weak_as_its_weakest_part():
    yes, no = Judgement(SUPPORTED, 0.01, True), Judgement(CONTRADICTED, 0.001, False)
    open_ = Judgement(INCONCLUSIVE, 0.3, True)
    assert all_of(yes, yes._replace(p_value=0.04)) == (SUPPORTED, 0.04, True)
    assert all_of(yes, open_) == (INCONCLUSIVE, 0.3, True)
    assert all_of(yes, open_, no) == (CONTRADICTED, 3 * no.p_value, False)
    assert all_of(yes, Judgement(NOT_TESTED, None, False)) == (NOT_TESTED, None, False)


def test_holm_by_hand():
    adjusted = holm([0.04, None, 0.01, 0.03, 0.9])
    assert adjusted == pytest.approx([0.09, None, 0.04, 0.09, 0.9])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lies_between_the_p_value_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= min(1.0, p * len(p_values)) + 1e-12
    assert list(np.argsort(adjusted, kind="stable")) == sorted(
        range(len(p_values)), key=lambda i: (adjusted[i], i)
    )
    ranked = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)
