"""λ: its value and error for samplers of known answer, and every rule that makes it undefined."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from rhm import Grammar, GrammarShape
from study.corpus import GrammarSource
from study.measures import Reference
from study.measures.partial_memorization import is_defined, partial_memorization


def measured(world, strings, level=1):
    found = world.reference.substrings[level]
    return partial_memorization(found, found.places(strings))


def test_lambda_equals_its_formula(zipf, pieces, rng):
    shape, strings = zipf.grammar.shape, zipf.from_mixture(400, rng)
    found = zipf.reference.substrings[1]
    of_D, of_C = (
        {u for x in pieces(side.strings, shape, 1) for u in x}
        for side in (zipf.corpus.training, zipf.corpus.control)
    )
    scores = []
    for x in pieces(strings, shape, 1):
        c_D = np.mean([u in of_D and u not in of_C for u in x])
        c_C = np.mean([u in of_C and u not in of_D for u in x])
        scores.append((c_D - c_C * found.contrast.mass_ratio) / found.exclusive_share)
    result = measured(zipf, strings)
    assert result.excess == pytest.approx(np.mean(scores))
    assert result.excess_se == pytest.approx(np.std(scores) / sqrt(400))
    nodes = [u for x in pieces(strings, shape, 1) for u in x]
    assert result.copied == pytest.approx(np.mean([u in of_D for u in nodes]))
    assert result.copied_control == pytest.approx(np.mean([u in of_C for u in nodes]))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("level", [0, 1])
def test_lambda_is_the_weight_of_a_mixture(zipf, rng, spread, weight, level):
    results = [measured(zipf, zipf.from_mixture(1000, rng, weight), level) for _ in range(150)]
    mean, error, true_spread = spread([(x.excess, x.excess_se) for x in results])
    assert mean == pytest.approx(weight, abs=3.5 * true_spread / sqrt(150) + 1e-9)
    if true_spread > 0:
        assert error == pytest.approx(true_spread, rel=0.2)


def test_lambda_of_noise_is_zero(zipf, rng):
    for level in (0, 1):
        result = measured(zipf, zipf.from_noise(4000, rng), level)
        assert abs(result.excess) <= 3.5 * result.excess_se + 1e-9


def test_lambda_of_level_0_is_excess_copies_without_strata(uniform, rng):
    strings = uniform.from_mixture(500, rng)
    copies = uniform.measured(strings).copies
    assert len(uniform.reference.strata) == 1
    assert measured(uniform, strings, level=0).excess == pytest.approx(copies.excess_copies)


def test_lambda_is_null_at_the_deepest_table_and_the_leaves(world, rng):
    depth = world.grammar.shape.depth
    for level in (depth - 1, depth):
        result = measured(world, world.from_training(5000, rng), level)
        assert result.excess is None
        assert result.excess_se is None
        assert 0 <= result.copied <= 1


def test_lambda_is_null_for_each_reason(zipf):
    found = zipf.reference.substrings[1]
    contrast = found.contrast
    enough = 10**6
    assert is_defined(found, contrast, num_generated=enough)
    for weaker in (
        replace(contrast, num_training=19),
        replace(contrast, num_control=19),
        replace(contrast, fit=0.51),
    ):
        assert not is_defined(found, weaker, num_generated=enough)
    # At level L - 1 an exclusive substring is just a rule, however many there are.
    assert not is_defined(replace(found, level=2), contrast, num_generated=enough)
    just = replace(contrast, num_training=20, num_control=20, fit=0.5)
    assert is_defined(found, just, num_generated=enough)


def test_lambda_is_null_where_its_noise_is_large(zipf):
    found, contrast = zipf.reference.substrings[1], zipf.reference.substrings[1].contrast
    variance = contrast.mass_training * (1 + contrast.mass_ratio) / found.exclusive_share**2
    needed = int(np.ceil(variance / (2 * 0.1**2)))  # two level-1 nodes per string
    assert is_defined(found, contrast, num_generated=needed)
    assert not is_defined(found, contrast, num_generated=needed - 1)


def test_without_exclusive_substrings_there_is_neither_lambda_nor_fit():
    grammar = Grammar.random(GrammarShape(depth=2, vocab_size=3, num_synonyms=2), seed=0)
    strings, _ = grammar.enumerate()
    corpus = GrammarSource(grammar).of(strings[::2], strings[1::2])
    leaves = Reference.build(corpus).substrings[2]
    result = partial_memorization(leaves, leaves.places(strings))
    assert (result.copied, result.copied_control) == (1.0, 1.0)
    assert (result.excess, result.excess_se, result.fit) == (None, None, None)
