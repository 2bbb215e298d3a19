"""The fit of censored onsets: against a general optimizer, and what it recovers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from analysis.statistics.censored import Onsets, fit, identified, slope_over_seeds, slopes_of_seeds


def sample(rng, *, blocks=5, each=8, slopes=(1.0, -0.5), kinds=("left", "right", "interval")):
    block = np.repeat(np.arange(blocks), each)
    x = rng.normal(size=(len(block), len(slopes)))
    y = 0.3 * rng.normal(size=blocks)[block] + x @ slopes + 0.3 * rng.normal(size=len(block))
    low, high = y.copy(), y.copy()
    if "right" in kinds:
        low[y > 1], high[y > 1] = 1, np.inf
    if "left" in kinds:
        low[y < -1.2], high[y < -1.2] = -np.inf, -1.2
    if "interval" in kinds:
        within = (y > 0) & (y < 0.3)
        low[within], high[within] = 0, 0.3
    return Onsets(low, high, block, x)


def log_likelihood(onsets, intercepts, slopes, sigma):
    mean, known = intercepts[onsets.block] + onsets.covariates @ slopes, onsets.known
    density = stats.norm.logpdf(onsets.low[known], mean[known], sigma)
    ends = [stats.norm.cdf((y - mean) / sigma)[~known] for y in (onsets.high, onsets.low)]
    return density.sum() + np.log(ends[0] - ends[1]).sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_is_the_maximum_that_a_general_optimizer_finds(seed):
    onsets = sample(np.random.default_rng(seed))
    assert {"none", "left", "right", "interval"} == {
        "none" if low == high else "left" if low == -np.inf else "right" if high == np.inf
        else "interval" for low, high in zip(onsets.low, onsets.high, strict=True)
    }  # fmt: skip
    found = fit(onsets)

    def loss(place):
        return -log_likelihood(onsets, place[:5], place[5:7], np.exp(place[7]))

    own = np.concatenate([found.intercepts, found.slopes, [np.log(found.sigma)]])
    start = np.zeros(8)
    other = optimize.minimize(loss, start, method="Nelder-Mead", options={"maxfev": 20_000})
    better = optimize.minimize(loss, other.x, method="BFGS")
    assert loss(own) <= better.fun + 1e-8
    assert own == pytest.approx(better.x, abs=1e-3)
    information = _hessian(loss, own)
    assert found.covariance == pytest.approx(np.linalg.inv(information)[5:, 5:], rel=0.02, abs=1e-5)


def _hessian(loss, place, step=1e-3):
    eye = step * np.eye(len(place))
    return np.array([
        [
            (loss(place + a + b) - loss(place + a - b) - loss(place - a + b) + loss(place - a - b))
            / (4 * step**2) for b in eye
        ]
        for a in eye
    ])  # fmt: skip


def test_without_censoring_it_is_least_squares():
    onsets = sample(np.random.default_rng(1), kinds=())
    design = np.column_stack([np.eye(5)[onsets.block], onsets.covariates])
    expected, squares, *_ = np.linalg.lstsq(design, onsets.low, rcond=None)
    found = fit(onsets)
    assert [*found.intercepts, *found.slopes] == pytest.approx(expected)
    assert found.sigma == pytest.approx(np.sqrt(squares[0] / len(onsets.low)))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(-2, 2))
def test_shifts_and_scales_of_the_data_are_those_of_the_fit(seed, shift, tilt):
    onsets = sample(np.random.default_rng(seed))
    if not identified(onsets):
        return
    move = shift + onsets.covariates[:, 0] * tilt
    moved = Onsets(onsets.low + move, onsets.high + move, onsets.block, onsets.covariates)
    if not (moved.known == onsets.known).all():
        return
    before, after = fit(onsets), fit(moved)
    assert after.slopes == pytest.approx([before.slopes[0] + tilt, before.slopes[1]], abs=1e-5)
    assert after.intercepts == pytest.approx(before.intercepts + shift, abs=1e-5)
    assert after.sigma == pytest.approx(before.sigma, rel=1e-5)


def test_far_tails_do_not_overflow():
    low, high = np.array([0.0, 0.1, 1.0, 1.9, -40.0, 40.0]), np.array([0.0, 0.1, 1.0, 1.9, 0, 0])
    high[4:] = [-39.9, np.inf]
    x = np.array([[0.0], [0.0], [1.0], [2.0], [0.0], [2.0]])
    found = fit(Onsets(low, high, np.zeros(6, int), x))
    assert np.isfinite([*found.intercepts, *found.slopes, found.sigma]).all()


def test_what_known_onsets_do_not_determine_is_refused():
    x = np.arange(3.0)[:, None]
    line = np.array([0.0, 1.0, 2.1])
    assert identified(Onsets(line, line, np.zeros(3, int), x))
    censored = Onsets(line, np.array([0, 1, np.inf]), np.zeros(3, int), x)
    assert not identified(censored)
    with pytest.raises(ValueError, match="too few known onsets"):
        fit(censored)
    assert not identified(Onsets(line, line, np.arange(3), x))
    with pytest.raises(ValueError, match="the lower one first"):
        Onsets(line, line - 1, np.zeros(3, int), x)
    with pytest.raises(ValueError, match="one row per onset"):
        Onsets(line, line, np.zeros(2, int), x)


def seeds_of(rng, seeds, *, cells=5, groups=2, slope=1.0, share=0.14, sd=0.25):
    """log N onsets of a sweep with effects of seeds; the last of them beyond a budget."""
    block = np.repeat(np.arange(seeds * groups), cells)
    x = np.tile(np.arange(cells) * np.log(2), seeds * groups)
    y = 0.35 * rng.normal(size=seeds)[block // groups] + slope * x + sd * rng.normal(size=len(x))
    law = slope * x[:cells, None] + np.hypot(0.35, sd) * stats.norm.ppf((np.arange(99) + 0.5) / 99)
    budget = np.quantile(law, 1 - share)
    late = y > budget
    onsets = Onsets(np.where(late, budget, y), np.where(late, np.inf, y), block, x[:, None])
    told = np.isin(block, block[onsets.known])
    return onsets.where(told), (block // groups)[told], y[told]


def study(seeds, repetitions):
    """Estimates of a slope of 1: by the fit, by what is known alone, and whether 1 is covered."""
    rng = np.random.default_rng(seeds)
    found, dropped, covered = [], [], []
    for _ in range(repetitions):
        onsets, seed, _ = seeds_of(rng, seeds)
        estimate = slope_over_seeds(onsets, seed)
        known = onsets.where(onsets.known)
        dropped.append(np.mean(slopes_of_seeds(known, seed[onsets.known])))
        found.append(estimate.mean)
        covered.append(estimate.lower < 1 < estimate.upper)
    return np.array(found), np.array(dropped), np.array(covered)


def test_dropping_the_censored_ones_biases_a_slope_and_the_fit_does_not():
    found, dropped, covered = study(8, 60)
    assert dropped.mean() < 0.98
    assert abs(found.mean() - 1) < 0.01
    assert stats.binom.cdf(covered.sum(), 60, 0.95) > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_cover_as_often_as_they_say(seeds):
    repetitions = 1000
    found, dropped, covered = study(seeds, repetitions)
    print(f"{seeds} seeds: {found.mean():.3f}, {dropped.mean():.3f}, {covered.mean():.3f}")
    error = 3 * np.sqrt(0.95 * 0.05 / repetitions)
    assert abs(covered.mean() - 0.95) < 0.02 + error
    assert abs(found.mean() - 1) < 0.01 + 3 * found.std() / np.sqrt(repetitions)


def test_known_onsets_give_every_seed_its_own_slope():
    onsets, seed, full = seeds_of(np.random.default_rng(0), 4)
    known = Onsets(full, full, onsets.block, onsets.covariates)
    slopes = slopes_of_seeds(known, seed)
    for one, slope in zip(np.unique(seed), slopes, strict=True):
        own = known.where(seed == one)
        assert fit(own).slopes[0] == pytest.approx(slope)


def test_seeds_are_jackknifed_where_onsets_are_censored():
    onsets, seed, _ = seeds_of(np.random.default_rng(0), 4)
    assert not onsets.known.all()
    whole = fit(onsets).slopes[0]
    rests = [fit(onsets.where(seed != one)).slopes[0] for one in range(4)]
    expected = 4 * whole - 3 * np.array(rests)
    assert slopes_of_seeds(onsets, seed) == pytest.approx(expected)
    alone = onsets.where(seed == 0)
    assert len(slopes_of_seeds(alone, seed[seed == 0])) in (0, 1)
