"""Strings without a law calibrated to chance: 200 repetitions on samplers that never saw D.

The seeds 0 … 199 were fixed beforehand; docs/calibration.md has the tables. Stated errors of E, T_E
and T_L must match the spread within 15 %; that of λ within 25 %, see there.
"""

from __future__ import annotations

import pytest
import torch

from tests.study.calibration import strings
from tests.study.calibration.repetitions import Summary, beyond, most_beyond, summarised

pytestmark = pytest.mark.long

SEEDS = range(200)
WEIGHTS = (0.25, 0.75)
CLOSE, LOOSE = 0.15, 0.25


@pytest.fixture(scope="module")
def summaries() -> list[Summary]:
    torch.set_num_threads(1)
    samplers = (
        strings.of_fresh,
        strings.of_another_model,
        strings.of_another_network,
        strings.of_losses,
    )
    found = [s for sampler in samplers for s in summarised([sampler(seed) for seed in SEEDS])]
    for weight in WEIGHTS:
        found += summarised([strings.of_mixture(seed, weight) for seed in SEEDS])
    return found


def test_nobody_is_far_from_chance(summaries):
    assert len(beyond(summaries)) <= most_beyond(len(summaries)), beyond(summaries)
    assert max(abs(summary.deviations) for summary in summaries) < 3


def test_stated_errors_are_the_spread(summaries):
    for summary in summaries:
        within = LOOSE if summary.name.startswith("λ") else CLOSE
        luck = 2 / (2 * (summary.repetitions - 1)) ** 0.5
        assert abs(summary.ratio - 1) < within + luck, summary


def test_a_hidden_law_reads_as_a_known_one():
    for summary in summarised([strings.with_and_without_the_law(seed) for seed in SEEDS]):
        assert abs(summary.deviations) < 3
        assert summary.spread < 1.5 * summary.stated
