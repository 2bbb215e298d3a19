"""Strings without a law calibrated to chance: 200 repetitions on samplers that never saw D.

The seeds 0 … 199 were fixed beforehand; docs/calibration.md has the tables. Stated errors must
match the spread within 15 %: of everything on strings of a grammar whose law is hidden, of λ on
English pronunciations. There a model of local statistics copies a string in one repetition of 200,
so that E and T_E have no spread to speak of.
"""

from __future__ import annotations

import pytest
import torch

from tests.study.calibration import without_a_law
from tests.study.calibration.repetitions import Summary, beyond, most_beyond, summarised

pytestmark = pytest.mark.long

SEEDS = range(200)
WEIGHTS = (0.25, 0.75)
CLOSE = 0.15
UNSEEN = (without_a_law.of_fresh, without_a_law.of_another_model, without_a_law.of_another_network)


@pytest.fixture(scope="module", params=[without_a_law.HIDDEN, without_a_law.WORDS])
def summaries(request) -> list[Summary]:
    torch.set_num_threads(1)
    repetitions = [[sampler(seed, request.param) for seed in SEEDS] for sampler in UNSEEN]
    found = [summary for each in repetitions for summary in summarised(each)]
    if request.param == without_a_law.WORDS:
        return [summary for summary in found if summary.name.startswith("λ")]
    found += summarised([without_a_law.of_losses(seed) for seed in SEEDS])
    for weight in WEIGHTS:
        found += summarised([without_a_law.of_mixture(seed, weight) for seed in SEEDS])
    return found


def test_nobody_is_far_from_chance(summaries):
    assert len(beyond(summaries)) <= most_beyond(len(summaries)), beyond(summaries)
    assert max(abs(summary.deviations) for summary in summaries) < 3


def test_stated_errors_are_the_spread(summaries):
    for summary in summaries:
        luck = 2 / (2 * (summary.repetitions - 1)) ** 0.5
        assert abs(summary.ratio - 1) < CLOSE + luck, summary


def test_lambda_is_told_in_every_repetition(summaries):
    told = [summary for summary in summaries if summary.name.startswith("λ")]
    assert [summary.repetitions for summary in told] == [len(SEEDS)] * len(UNSEEN)


def test_a_hidden_law_reads_as_a_known_one():
    for summary in summarised([without_a_law.with_and_without_the_law(seed) for seed in SEEDS]):
        assert abs(summary.deviations) < 3
        assert summary.spread < 1.5 * summary.stated
