from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rhm import Grammar, GrammarShape
from rhm.without_replacement import draw_without_replacement


def probability_of_order(p: np.ndarray, order: tuple[int, ...]) -> float:
    """Sequential sampling without replacement: Π p_i / (1 - what was drawn before)."""
    result, left = 1.0, 1.0
    for i in order:
        result *= p[i] / left
        left -= p[i]
    return result


@pytest.mark.parametrize(
    ("depth", "v", "m", "zipf", "k"),
    [(1, 3, 2, {0: 1.5}, 3), (2, 2, 2, {0: 1.0, 1: 2.0}, 2), (2, 2, 1, {}, 2)],
)
def test_orders_follow_sequential_sampling(depth, v, m, zipf, k):
    shape = GrammarShape(depth=depth, vocab_size=v, num_synonyms=m)
    grammar = Grammar.random(shape, zipf, seed=1)
    strings, log_p = grammar.enumerate()
    place = {tuple(string): i for i, string in enumerate(strings.tolist())}
    orders = {order: i for i, order in enumerate(permutations(range(len(strings)), k))}
    expected = np.array([probability_of_order(np.exp(log_p), order) for order in orders])
    assert abs(expected.sum() - 1) < 1e-9
    counts = np.zeros(len(orders))
    for seed in range(4000):
        drawn = draw_without_replacement(grammar, k, seed)
        counts[orders[tuple(place[tuple(x)] for x in drawn.tolist())]] += 1
    expected *= counts.sum()
    rare = expected < 5
    expected = np.append(expected[~rare], expected[rare].sum())
    counts = np.append(counts[~rare], counts[rare].sum())
    keep = expected > 0
    assert stats.chisquare(counts[keep], expected[keep]).pvalue > 1e-3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.floats(0, 4), st.integers(1, 100), st.integers(1, 100))
def test_strings_are_distinct_grammatical_and_a_prefix_of_more(seed, exponent, few, more):
    shape = GrammarShape(depth=2, vocab_size=4, num_synonyms=3)  # 108 strings
    grammar = Grammar.random(shape, {0: exponent, 1: exponent}, seed)
    few, more = sorted((few, more))
    strings = draw_without_replacement(grammar, more, seed)
    assert len(np.unique(strings, axis=0)) == more
    assert grammar.parse(strings).grammatical.all()
    np.testing.assert_array_equal(draw_without_replacement(grammar, few, seed), strings[:few])


def test_the_whole_support_and_not_one_more(small):
    size = small.support_size
    strings = draw_without_replacement(small, size, seed=2)
    assert len(np.unique(strings, axis=0)) == size
    assert np.isfinite(small.log_likelihood(strings)).all()
    message = f"{size + 1} distinct strings were asked for, but the grammar has only {size}"
    with pytest.raises(ValueError, match=message):
        draw_without_replacement(small, size + 1, seed=2)


def test_rare_strings_are_found_where_rejection_would_never_end():
    shape = GrammarShape(depth=4, vocab_size=6, num_synonyms=4)
    grammar = Grammar.random(shape, dict.fromkeys(range(4), 60.0))
    strings = draw_without_replacement(grammar, 5000, seed=0)
    assert len(np.unique(strings, axis=0)) == 5000
    log_p = grammar.log_likelihood(strings)
    assert (np.diff(log_p[:3]) == 0).all()  # all-first-rule strings come first
    assert np.isfinite(log_p).all()
    assert log_p.min() < -100


def test_seeds_give_other_strings():
    grammar = Grammar.random(GrammarShape(depth=3, vocab_size=6, num_synonyms=4))
    one, other = (draw_without_replacement(grammar, 100, seed) for seed in (1, 2))
    assert (one != other).any(axis=1).mean() > 0.9
