"""Measurements calibrated to chance: 200 repetitions on samplers of known answer, and networks.

The seeds 0 … 199 were fixed beforehand. See `tests.study.calibration.repetitions` for how many of
the statistics that are asked at once may lie how far off.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binom

from tests.study.calibration.__main__ import REPETITIONS, WEIGHTS
from tests.study.calibration.flags import Flags, of_likelihood
from tests.study.calibration.networks import Networks
from tests.study.calibration.repetitions import Summary, beyond, most_beyond, summarised
from tests.study.calibration.samplers import (
    FEW_COPIES,
    of_grammar_denoiser,
    of_memorizer,
    of_mixture,
)

pytestmark = pytest.mark.long

SEEDS = range(REPETITIONS)
NETWORKS = range(8)
SIGNIFICANT = 0.05 / len(NETWORKS)
"""Of the smallest p-value of eight networks."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def flags() -> list[Flags]:
    return [of_likelihood(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def summaries(flags) -> list[Summary]:
    """Every statistic whose expectation is 0."""
    return [
        *summarised([of_grammar_denoiser(seed) for seed in SEEDS]),
        *(s for w in WEIGHTS for s in summarised([of_mixture(seed, w) for seed in SEEDS])),
        *summarised([flag.readings for flag in flags]),
    ]


def test_every_statistic_is_there(summaries):
    names = {summary.name for summary in summaries}
    by_level = {"λ, level 0", "λ, level 1", "T_E, level 0", "T_E, level 2"}
    assert {"E", FEW_COPIES, "T_E", *by_level} <= names
    assert {"E - w, w = 0.25", "T_E, w = 0.75", "memorized excess", "T_L"} <= names
    assert sum(name.startswith("overproduction") for name in names) == 12
    assert sum(name.startswith("typicality shift") for name in names) == 2


def test_statistics_read_zero_where_there_is_nothing(summaries):
    """Within two errors of the mean but for those few that chance puts beyond, and all in three."""
    deviations = {summary.name: summary.deviations for summary in summaries}
    assert len(beyond(summaries)) <= most_beyond(len(summaries)), deviations
    assert max(map(abs, deviations.values())) < 3, deviations


def test_stated_standard_errors_match_the_spread(summaries):
    ratios = {summary.name: summary.ratio for summary in summaries}
    assert ratios == pytest.approx(dict.fromkeys(ratios, 1.0), rel=0.15)


def test_unmemorized_strings_have_a_time_of_memorization_in_one_of_twenty_cases_at_most(flags):
    assert np.mean([flag.ever for flag in flags]) <= 0.05


def test_p_values_of_the_memorized_excess_are_p_values(flags):
    most = binom(len(flags), 0.05).ppf(0.995)
    assert sum(flag.p_value <= 0.05 for flag in flags) <= most


@pytest.mark.parametrize("size", [256, 512, 2048])
def test_empirical_bayes_is_the_perfect_memorizer(size):
    """All strings share their few noisings: some corpora's let a string in ten pass for unseen."""
    found = [of_memorizer(seed, size) for seed in range(5)]
    assert min(each["E"] for each in found) > 0.95
    memorized = [each["memorized excess"] for each in found]
    assert np.mean(memorized) > 0.95
    assert min(memorized) > 0.85
    for symbol in ("position", "gap fraction"):
        for each in found:
            assert each[symbol] == pytest.approx(1, abs=1e-5)
            assert each[f"{symbol} of the grammar"] == pytest.approx(0, abs=1e-5)


def test_a_network_that_sees_every_string_once_memorizes_none():
    networks = Networks.once(NETWORKS)
    for reads in (networks.own, networks.exchanged):
        for read in reads:
            copies, error = read.copies
            assert abs(copies) <= 3 * error
            assert min(p for _, _, p in read.excess.values()) > SIGNIFICANT
        for number in reads[0].excess:
            excess, errors, _ = np.array([read.excess[number] for read in reads]).T
            assert abs(excess.mean()) < 3 * np.sqrt((errors**2).mean() / len(reads))


def test_exchanging_the_sides_after_training_turns_the_flags():
    networks = Networks.few(NETWORKS)
    for own, exchanged in zip(networks.own, networks.exchanged, strict=True):
        ((excess, _, p),) = own.excess.values()
        ((turned, _, p_turned),) = exchanged.excess.values()
        assert p < 1e-3
        assert turned < 0 < excess
        assert p_turned > 0.5
        copies, error = own.copies
        assert copies > 3 * error
        copies, error = exchanged.copies
        assert copies < -3 * error
