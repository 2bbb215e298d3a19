"""Measurements calibrated to chance: 200 repetitions on samplers of known answer, and networks.

A statistic of expectation 0 is asked to lie within 3 standard errors of its mean, since some thirty
are asked at once; no more of them may lie beyond 2 than chance makes likely.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.study import calibration
from tests.study.calibration import FLAG_REPETITIONS, REPETITIONS, Summary

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def check(summaries: dict[str, Summary], expected: dict[str, float] | None = None) -> None:
    deviations = {
        name: (s.mean - (expected or {}).get(name, 0.0)) / s.error for name, s in summaries.items()
    }
    assert max(map(abs, deviations.values())) < 3, deviations
    beyond = [name for name, x in deviations.items() if abs(x) > 2]
    assert len(beyond) <= 1 + len(summaries) // 8, deviations
    ratios = {name: s.ratio for name, s in summaries.items()}
    cautious = ratios.pop(calibration.FEW_COPIES, 1.0)
    assert 0.85 < cautious < 1.4
    assert ratios == pytest.approx(dict.fromkeys(ratios, 1.0), rel=0.15)


def test_the_exact_grammar_denoiser_reads_zero_everywhere():
    repetitions = [calibration.of_grammar_denoiser(seed) for seed in range(REPETITIONS)]
    summaries = calibration.summarised(repetitions)
    assert {"E", "T", "λ, level 0", "λ, level 1", "T, level 0", "T, level 2"} <= set(summaries)
    check(summaries)


@pytest.mark.parametrize("weight", [0.25, 0.75])
def test_mixtures_of_strings_read_their_weight_and_no_slope(weight):
    repetitions = [calibration.of_mixture(seed, weight) for seed in range(REPETITIONS)]
    summaries = calibration.summarised(repetitions)
    chosen = {name: s for name, s in summaries.items() if name[0] in "ET"}
    check(chosen, {"E": weight})


def test_unmemorized_strings_are_flagged_at_the_null_rate_and_never_more():
    ever = [calibration.of_likelihood(seed).ever for seed in range(REPETITIONS)]
    assert np.mean(ever) <= 0.05
    exact = (calibration.ZIPF[0],)
    flags = [calibration.of_likelihood(seed, exact) for seed in range(FLAG_REPETITIONS)]
    difference = np.array([f.share - f.expected for f in flags])
    assert abs(difference.mean()) < 2 * difference.std() / np.sqrt(FLAG_REPETITIONS)
    slopes = np.array([f.slope for f in flags])
    assert abs(slopes.mean()) < 2 * slopes.std() / np.sqrt(FLAG_REPETITIONS)
    stated = np.sqrt(np.mean([f.slope_error**2 for f in flags]))
    assert stated == pytest.approx(slopes.std(), rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_empirical_bayes_is_the_perfect_memorizer(seed):
    found = calibration.of_memorizer(seed)
    assert found["E"] > 0.95
    assert found["memorized excess"] > 0.95
    assert found["position"] == pytest.approx(1, abs=1e-5)
    assert found["position of the grammar"] == pytest.approx(0, abs=1e-5)


def test_a_network_that_sees_every_string_once_memorizes_none():
    found = calibration.of_networks(once=True, seeds=range(8))
    excess, errors = np.array([f["memorized excess"] for f in found]).T
    assert abs(excess.mean()) < 3 * np.sqrt((errors**2).mean() / len(found))
    assert (np.abs(excess) < 4 * errors).all()
    for f in found:
        copies, error = f["E"]
        assert abs(copies) <= 3 * error


def test_exchanging_the_sides_after_training_turns_the_flags():
    for found in calibration.of_networks(once=False, seeds=range(8)):
        excess, error = found["memorized excess"]
        copies, copies_error = found["E"]
        assert excess > 5 * error
        assert copies > 3 * copies_error
        assert found["memorized excess exchanged"][0] < 0
        assert found["E exchanged"][0] < -3 * found["E exchanged"][1]
