"""C1 and C16: the effects, the intervals, the verdicts, and what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import load
from analysis.claims import outlier_first, typical_first
from analysis.claims.outcomes import claims_table, outcomes
from analysis.statistics.typicality_slopes import (
    OUTSIDE,
    TOO_SMALL,
    UNDEFINED,
    UNKNOWN,
    UNPAIRED,
)


def tables(slopes, *, excess=0.4, excess_fit=0.01):
    """One training per (cell, seed) with two steps in the window and one outside."""
    rows, trainings = [], []
    for cell, per_seed in enumerate(slopes):
        for seed, slope in enumerate(per_seed):
            name = f"{cell}-{seed}"
            trainings.append({"training": name, "cell": f"c{cell}", "seed": seed})
            for step, e, t in ((64, 0.0, 9.0), (128, excess, slope - 1), (256, excess, slope + 1)):
                rows.append((name, step, e, excess_fit, t, t / e if e else None))
    columns = ["training", "step", "excess_copies", "excess_fit"]
    columns += ["typicality_slope", "relative_slope"]
    curves = pd.DataFrame(rows, columns=columns).astype({"relative_slope": float})
    curves["likelihood_slope"] = -curves["typicality_slope"]
    return {"curves": curves, "trainings": pd.DataFrame(trainings)}


def test_the_seed_is_the_unit():
    slopes = [[1.0, 2.0, 3.0], [3.0, 4.0, 8.0]]
    found = typical_first.test(tables(slopes))
    by_seed = np.mean(slopes, axis=0)
    lower, upper = stats.t.interval(0.95, 2, by_seed.mean(), stats.sem(by_seed))
    assert found.estimate == pytest.approx((by_seed.mean(), lower, upper, 3))
    assert found.judgement.p_value == pytest.approx(stats.ttest_1samp(by_seed, 0).pvalue)
    assert found.relative.mean == pytest.approx(by_seed.mean() / 0.4)
    assert found.frames["cells"].set_index("cell").loc["c1", "mean"] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("slopes", "verdict"),
    [
        ([[0.05, 0.06, 0.055]], "supported"),
        ([[-0.05, -0.06, -0.055]], "contradicted"),
        ([[0.05, -0.06, 0.01]], "inconclusive"),
        ([[0.05]], "inconclusive"),
    ],
)
def test_the_verdict_follows_the_interval(slopes, verdict):
    found = typical_first.test(tables(slopes))
    assert found.verdict == verdict
    assert bool(found.remedy) == (verdict == "inconclusive")


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        (OUTSIDE, {"excess": 0.9}),
        (TOO_SMALL, {"excess_fit": 0.06}),
        (UNKNOWN, {"excess_fit": np.nan}),
    ],
)
def test_what_cannot_be_tested_is_not_tested_and_says_why(reason, change):
    found = typical_first.test(tables([[0.1, 0.2]], **change))
    assert found.verdict == "not tested by this sweep"
    assert found.estimate.mean is None
    assert set(found.frames["trainings"]["left_out"]) == {reason}
    assert f"2 left out: {reason}" in found.basis
    assert found.remedy


def test_an_undefined_slope_is_no_zero():
    made = tables([[0.1, 0.2, 0.3]])
    own = made["curves"]["training"] == "0-1"
    made["curves"].loc[own, "typicality_slope"] = np.nan
    found = typical_first.test(made)
    assert found.estimate.seeds == 2
    assert found.estimate.mean == pytest.approx(0.2)
    assert set(found.frames["trainings"]["left_out"].dropna()) == {UNDEFINED}


def test_a_sweep_that_copies_typical_strings_first_supports_c1(grid):
    (found,) = outcomes(load(grid), [typical_first.CLAIM])
    assert found.result.verdict == "supported"
    table = claims_table([found])
    assert table.loc[0, "id"] == "C1"
    assert 0 < table.loc[0, "lower"] < table.loc[0, "effect"]


UP, DOWN, AROUND = [0.05, 0.06, 0.055], [-0.05, -0.06, -0.055], [0.05, -0.06, 0.01]


def both(slopes, likelihood):
    """C16 of one cell, with T_L equal at every step of a training."""
    made = tables([slopes])
    by_training = {f"0-{seed}": value for seed, value in enumerate(likelihood)}
    made["curves"]["likelihood_slope"] = made["curves"]["training"].map(by_training)
    return outlier_first.test(made)


@pytest.mark.parametrize(
    ("slopes", "likelihood", "verdict", "signs"),
    [
        (UP, DOWN, "supported", 3),
        (UP, UP, "contradicted", 0),
        (DOWN, DOWN, "contradicted", 0),
        (UP, AROUND, "inconclusive", 1),
        (AROUND, DOWN, "inconclusive", 2),
        (AROUND, UP, "contradicted", 0),
    ],
)
def test_c16_needs_both_signs(slopes, likelihood, verdict, signs):
    found = both(slopes, likelihood)
    assert found.verdict == verdict
    assert (found.both, found.paired) == (signs, 3)
    assert found.estimate.mean == pytest.approx(np.mean(likelihood))
    assert (found.judgement.p_value < 0.05) == (verdict != "inconclusive")
    assert found.copying.mean == pytest.approx(np.mean(slopes))


def test_c16_pairs_by_training():
    found = both([0.05, 0.06, 9.0], [-0.05, -0.06, np.nan])
    assert found.copying.mean == pytest.approx(0.055)
    assert found.paired == found.estimate.seeds == 2
    assert set(found.frames["trainings"]["left_out"].dropna()) == {UNPAIRED}


def test_c16_without_likelihoods_is_not_tested():
    found = both(UP, [np.nan] * 3)
    assert found.verdict == "not tested by this sweep"
    assert found.judgement.p_value is None
    assert found.remedy
    assert found.paired == 0
