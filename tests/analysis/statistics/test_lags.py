"""Lags between onsets: known ones, bounds where the order is known, nothing where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.statistics.lags import NO_CURVE, UNDECIDED, gap_lags, lag_by_seed, lags, level_lags
from analysis.statistics.onsets import first_crossings

FIRST, LAST = 10.0, 1000.0


def onset(step: float | None) -> dict[str, object]:
    """What is known of an onset by measurements from step 10 to step 1000."""
    empty = {"step": np.nan, "after": np.nan, "by": np.nan}
    if step is None:
        return {"censoring": "undefined", **empty}
    if step <= FIRST:
        return {"censoring": "left", **empty, "by": FIRST}
    if step > LAST:
        return {"censoring": "right", **empty, "after": LAST}
    return {"censoring": "none", "step": step, "after": FIRST, "by": LAST}


def lag(later: float | None, earlier: float | None) -> pd.Series:
    return lags(pd.DataFrame([onset(later)]), pd.DataFrame([onset(earlier)])).iloc[0]


@pytest.mark.parametrize(
    ("later", "earlier", "expected", "bound"),
    [
        (200, 100, np.log(2), False),
        (100, 100, 0.0, False),
        (5000, 100, np.log(10), True),
        (100, 5000, -np.log(10), True),
        (100, 1, np.log(10), True),
        (1, 100, -np.log(10), True),
        (5000, 1, np.log(100), True),
        (1, 5000, -np.log(100), True),
    ],
)
def test_a_lag_is_known_or_its_bound_tells_the_order(later, earlier, expected, bound):
    found = lag(later, earlier)
    assert found["lag"] == pytest.approx(expected)
    assert (found["bound"], found["left_out"]) == (bound, None)


@pytest.mark.parametrize(
    ("later", "earlier", "why"),
    [
        (5000, 6000, UNDECIDED),
        (1, 2, UNDECIDED),
        (10, 10, UNDECIDED),
        (None, 100, NO_CURVE),
        (5000, None, NO_CURVE),
    ],
)
def test_what_does_not_tell_the_order_is_left_out(later, earlier, why):
    found = lag(later, earlier)
    assert np.isnan(found["lag"])
    assert (found["bound"], found["left_out"]) == (False, why)


STEPS = st.floats(0.1, 1e5)


@given(STEPS, STEPS)
def test_a_bound_errs_towards_none_and_reverses_with_its_onsets(later, earlier):
    found, reversed_ = lag(later, earlier)["lag"], lag(earlier, later)["lag"]
    truth = np.log(later / earlier)
    if np.isnan(found):
        assert np.isnan(reversed_)
        return
    assert found == pytest.approx(-reversed_)
    assert found * truth >= -1e-9
    assert abs(found) <= abs(truth) + 1e-9


def test_gap_lags_interpolate_both_curves_at_their_own_steps():
    steps = [1, 4, 16, 64]
    curves = pd.DataFrame({"training": "a", "step": steps})
    curves["gap_fraction"] = [0.0, 0.4, 0.6, 0.8]
    curves["excess_copies"] = [0.0, np.nan, 0.3, 0.7]  # no strings were generated at step 4
    trainings = pd.DataFrame({"training": ["a", "b"], "cell": "c", "seed": [0, 1]})
    found = gap_lags({"curves": curves, "trainings": trainings}, 0.5).set_index("training")
    assert found.loc["a", "lag"] == pytest.approx(np.log(32 / 8))
    assert found.loc["b", "left_out"] == NO_CURVE  # it has published nothing
    assert lag_by_seed(found.reset_index()).to_dict() == {0: pytest.approx(np.log(4))}
    copies = first_crossings(curves, by=["training"], value="excess_copies", threshold=0.5)
    assert copies["step"].item() == pytest.approx(32)


def test_level_lags_of_the_results_of_a_sweep(tables):
    found = level_lags(tables)
    depths = tables.trainings["grammar.depth"]
    assert len(found) == (depths - 1).sum()
    assert set(found["level"]) == set(range(depths.max() - 1))
