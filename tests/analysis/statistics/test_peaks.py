"""The height of a peak whose place is not known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.statistics.peaks import highest, peak
from analysis.statistics.seeds import mean_over_seeds

PLAIN = np.array([[0.0, 5.0, 1.0], [0.1, 5.4, 0.8], [-0.2, 4.9, 1.2], [0.1, 5.2, 0.9]])


def test_a_peak_that_is_clear_has_students_interval():
    assert highest(PLAIN) == 1
    assert peak(PLAIN) == pytest.approx(mean_over_seeds(PLAIN[:, 1].tolist()))


def test_a_seed_is_read_where_the_others_are_highest():
    profiles = np.array([[9.0, 0.0], [0.0, 2.0], [0.0, 3.0]])
    assert highest(profiles) == 0
    assert peak(profiles).mean == pytest.approx((0 + 0 + 0) / 3)


def test_where_places_compete_the_interval_is_wider_than_students():
    profiles = np.random.default_rng(0).normal(size=(6, 8))
    found = peak(profiles)
    assert found.mean is not None and found.lower is not None and found.upper is not None
    others = profiles.sum(axis=0) - profiles
    read = profiles[np.arange(6), others.argmax(axis=1)]
    assert found.mean == pytest.approx(read.mean())
    half = stats.t.ppf(0.975, 5) * read.std(ddof=1) / np.sqrt(6)
    assert (found.upper - found.lower) / 2 > half


def test_turning_the_places_round_changes_nothing():
    profiles = np.random.default_rng(1).normal(size=(5, 4))
    assert peak(profiles) == pytest.approx(peak(profiles[:, [2, 0, 3, 1]]))


def test_one_seed_has_no_interval_and_none_no_height():
    assert peak(PLAIN[:1]) == (5.0, None, None, 1)
    assert peak(PLAIN[:0]) == (None, None, None, 0)
    assert peak(np.ones((3, 2))) == pytest.approx((1.0, 1.0, 1.0, 3))
