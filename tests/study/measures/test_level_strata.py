"""Typicality by level: its slopes are 0 for the grammar and for mixtures, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from study.measures.copying import Copies
from study.measures.level_strata import level_strata
from study.measures.substrings import TRAINING
from study.measures.typicality import level_slopes, typicality_slope


def expected_slopes(world, emission: np.ndarray) -> list[float | None]:
    """T_l of a sampler that emits every string of the corpus with a given probability (K,)."""
    size = 10**9
    counts = np.round(emission * size).astype(np.int64)
    copies = Copies(world.reference, size, counts)
    return [slope for slope, _ in level_slopes(copies)]


def emissions(world, weight: float) -> np.ndarray:
    """The mixture that memorizes all training strings equally with some weight."""
    strings = world.reference.strings
    corpus = world.corpus
    log_p = np.concatenate([corpus.training.log_p, corpus.control.log_p])[strings.first]
    of_training = strings.sides == TRAINING
    return (1 - weight) * np.exp(log_p) + weight * of_training / of_training.sum()


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_slopes_of_the_grammar_and_of_even_mixtures_are_exactly_zero(zipf, weight):
    slopes = expected_slopes(zipf, emissions(zipf, weight))
    assert [slope is None for slope in slopes] == [False, True, False]
    assert [s for s in slopes if s is not None] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_copying_by_one_levels_typicality_shows_at_that_level(zipf):
    training = zipf.corpus.training
    strings = zipf.reference.strings
    part = np.full(len(strings.keys), np.nan)
    of_training = strings.sides == TRAINING
    part[of_training] = training.log_p_by_level[strings.first[of_training], 2]
    emission = np.where(part > np.nanmedian(part), 1.0, 0.0)
    slopes = expected_slopes(zipf, emission / emission.sum())
    assert slopes[2] > 0.5
    assert abs(slopes[0]) < 0.3 * slopes[2]


def test_strata_keep_whole_probabilities_and_group_by_the_level(world):
    corpus = world.corpus
    sides = corpus.training, corpus.control
    for level, strata in enumerate(level_strata(*sides)):
        if strata is None:
            continue
        assert strata.mass_training.sum() == pytest.approx(corpus.training.mass)
        assert strata.mass_control.sum() == pytest.approx(corpus.control.mass)
        assert strata.mass_ratio == pytest.approx(strata.mass_training / strata.mass_control)
        for side, stratum in zip(
            sides, (strata.training_stratum, strata.control_stratum), strict=True
        ):
            part = side.log_p_by_level[:, level]
            for b in range(len(strata)):
                inside = part[stratum == b]
                assert strata.lower[b] - 1e-8 <= inside.min()
                assert inside.max() <= strata.upper[b] + 1e-8


def test_uniform_levels_have_no_slope(uniform, rng):
    copies = uniform.measured(uniform.from_mixture(200, rng)).copies
    assert level_slopes(copies) == [(None, None)] * 3


def test_with_one_zipf_level_its_slope_is_the_slope(rng):
    from tests.study.measures.conftest import make_world

    world = make_world(100, depth=3, vocab_size=6, num_synonyms=3, zipf={2: 1.0})
    copies = world.measured(world.biased_mixture(2000, rng, typical=True)).copies
    whole = typicality_slope(copies)
    by_level = level_slopes(copies)
    assert by_level[2] == pytest.approx((whole.slope, whole.error))
    assert by_level[:2] == [(None, None)] * 2


def test_stated_errors_match_the_spread(zipf, rng, spread):
    estimates = [
        level_slopes(zipf.measured(zipf.from_mixture(300, rng)).copies)[2] for _ in range(300)
    ]
    mean, error, deviation = spread(estimates)
    assert abs(mean) < 3 * deviation / np.sqrt(300)
    assert error == pytest.approx(deviation, rel=0.15)
