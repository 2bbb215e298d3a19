"""Exclusive substrings and their exact masses, against listing every string of the grammar."""

import numpy as np
import pytest

from study.measures.substrings import CONTROL, TRAINING


def sides_of_corpus(world, pieces, level):
    shape = world.grammar.shape
    sides = (world.corpus.training.strings, world.corpus.control.strings)
    return [{u for x in pieces(side, shape, level) for u in x} for side in sides]


def mass_by_enumeration(world, pieces, level, members, p):
    """Probability that a random level-l node of a random string lies in a set."""
    nodes = pieces(world.strings, world.grammar.shape, level)
    return sum(q * np.mean([u in members for u in x]) for x, q in zip(nodes, p, strict=True))


def test_contrasts_equal_enumeration(world, pieces):
    shape = world.grammar.shape
    for level, found in enumerate(world.reference.substrings):
        of_D, of_C = sides_of_corpus(world, pieces, level)
        only_D, only_C = of_D - of_C, of_C - of_D
        own = [u for x in pieces(world.corpus.training.strings, shape, level) for u in x]
        assert found.exclusive_share == pytest.approx(np.mean([u in only_D for u in own]))
        if not only_D or not only_C:
            assert found.contrast is None
            continue
        p_D = mass_by_enumeration(world, pieces, level, only_D, world.p)
        p_C = mass_by_enumeration(world, pieces, level, only_C, world.p)
        fit_D = mass_by_enumeration(world, pieces, level, only_D, world.fit_p)
        fit_C = mass_by_enumeration(world, pieces, level, only_C, world.fit_p)
        assert found.contrast.num_training == len(only_D)
        assert found.contrast.num_control == len(only_C)
        assert found.contrast.mass_training == pytest.approx(p_D)
        assert found.contrast.mass_ratio == pytest.approx(p_D / p_C)
        expected_fit = (fit_D - fit_C * p_D / p_C) / found.exclusive_share
        assert found.contrast.fit == pytest.approx(expected_fit, abs=1e-12)


def test_sides_equal_set_membership(world, pieces, rng):
    shape = world.grammar.shape
    strings = np.concatenate([world.from_mixture(40, rng), world.from_noise(40, rng)])
    for level, found in enumerate(world.reference.substrings):
        of_D, of_C = sides_of_corpus(world, pieces, level)
        naive = [
            [TRAINING * (u in of_D) + CONTROL * (u in of_C) for u in x]
            for x in pieces(strings, shape, level)
        ]
        assert found.sides_at(found.places(strings)).tolist() == naive


def test_some_contrast_is_put_to_the_test(zipf, repeats):
    assert zipf.reference.substrings[1].contrast.num_training >= 20
    assert (repeats.reference.strings.sides == TRAINING + CONTROL).any()
    assert repeats.reference.strings.exclusive_share < 0.8
