"""Means, intervals and medians over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.seeds import (
    columns_over_seeds,
    mean_over_seeds,
    median_over_seeds,
    over_seeds,
    runs,
)

SEEDS = st.lists(st.floats(-10, 10), min_size=2, max_size=12)


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_the_interval_is_students(values):
    found = mean_over_seeds(values)
    spread = np.std(values, ddof=1)
    if spread == 0 or len(set(values)) == 1:
        assert found.lower == pytest.approx(found.upper)
        return
    lower, upper = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert found == pytest.approx((np.mean(values), lower, upper, len(values)), abs=1e-9)


def test_one_seed_has_no_interval_and_no_seed_no_mean():
    assert mean_over_seeds([0.3]) == (0.3, None, None, 1)
    assert mean_over_seeds([]) == (None, None, None, 0)
    assert mean_over_seeds([np.nan, np.nan]) == (None, None, None, 0)


def test_equal_values_have_an_interval_of_width_zero():
    assert mean_over_seeds([0.25] * 4) == (0.25, 0.25, 0.25, 4)


def test_missing_values_never_count_as_zero():
    frame = pd.DataFrame({"cell": ["a", "a", "a", "b"], "value": [1.0, 3.0, np.nan, np.nan]})
    table = over_seeds(frame, by=["cell"]).set_index("cell")
    assert table.loc["a", "mean"] == 2.0
    assert table.loc["a", "seeds"] == 2
    assert np.isnan(table.loc["b", "mean"])
    assert table.loc["b", "seeds"] == 0


@pytest.mark.parametrize(
    ("seeds", "coverage"), [(1, 0.0), (2, 0.5), (3, 0.75), (5, 0.9375), (6, 0.96875)]
)
def test_the_range_of_few_seeds_states_its_coverage(seeds, coverage):
    found = median_over_seeds(np.arange(seeds, dtype=float))
    assert (found.lower, found.upper) == (0, seeds - 1)
    assert found.coverage == pytest.approx(coverage)


def test_the_stated_coverage_is_kept():
    rng = np.random.default_rng(5)
    for seeds in (3, 5, 8, 12):
        draws = np.sort(rng.exponential(size=(4000, seeds)), axis=1)
        found = [median_over_seeds(row) for row in draws[:400]]
        stated = found[0].coverage
        rank = int(np.argmax(draws[0] == found[0].lower))
        truth = np.log(2)
        held = np.mean((draws[:, rank] <= truth) & (truth <= draws[:, seeds - 1 - rank]))
        assert held == pytest.approx(stated, abs=0.025)
        assert stated >= 0.95 or rank == 0


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_the_median_lies_in_its_interval(values):
    found = median_over_seeds(values)
    assert found.lower <= found.median <= found.upper
    assert found.median == pytest.approx(np.median(values), abs=1e-9)


def test_seeds_beyond_the_ends_keep_their_rank():
    found = median_over_seeds([-np.inf, 2.0, np.inf])
    assert (found.median, found.lower, found.upper) == (2.0, -np.inf, np.inf)


def test_several_columns_at_once_are_as_one_by_one():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"cell": list("aabbbc"), "x": rng.normal(size=6), "y": rng.normal(size=6)})
    frame.loc[2, "y"] = np.nan
    every = columns_over_seeds(frame, by=["cell"], columns=["x", "y"])
    for name in ("x", "y"):
        own = every[every["column"] == name].drop(columns="column").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, over_seeds(frame, by=["cell"], value=name))


def test_runs_end_at_gaps_and_at_the_end_of_a_curve():
    table = pd.DataFrame({"curve": list("aaaab"), "mean": [1.0, np.nan, 2.0, 3.0, 4.0]})
    found = runs(table, by=["curve"])
    assert list(zip(found["curve"], found["run"], strict=True)) == [
        ("a", 0), ("a", 1), ("a", 1), ("b", 0),
    ]  # fmt: skip


@pytest.mark.filterwarnings("error")
def test_between_below_and_above_everything_there_is_no_median():
    found = median_over_seeds([-np.inf, np.inf])
    assert np.isnan(found.median)
    assert (found.lower, found.upper) == (-np.inf, np.inf)
    assert median_over_seeds([np.inf, np.inf]).median == np.inf
