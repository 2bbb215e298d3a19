from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rhm import Grammar, GrammarShape, string_keys
from rhm.drawing import without_replacement as module
from rhm.drawing.without_replacement import draw_without_replacement

SWITCHES = {"at once": (1, 2.0), "early": (4, 0.8), "as it is": (64, 0.25), "late": (256, 0.1)}
"""First look and least share of new strings; the first never lets two independent draws stand."""


def probability_of_order(p: np.ndarray, order: tuple[int, ...]) -> float:
    """Sequential sampling without replacement: Π p_i / (1 - what was drawn before)."""
    result, left = 1.0, 1.0
    for i in order:
        result *= p[i] / left
        left -= p[i]
    return result


@pytest.fixture(params=SWITCHES)
def switch(request, monkeypatch):
    """Moves the place where the beam takes over."""
    use_switch(monkeypatch, request.param)
    return request.param


def use_switch(monkeypatch, name):
    first_look, least_new = SWITCHES[name]
    monkeypatch.setattr(module, "FIRST_LOOK", first_look)
    monkeypatch.setattr(module, "LEAST_NEW", least_new)


def agree(counts: np.ndarray, expected: np.ndarray) -> bool:
    """Chi-square, with what is expected less than five times taken together."""
    rare = expected < 5
    expected = np.append(expected[~rare], expected[rare].sum())
    counts = np.append(counts[~rare], counts[rare].sum())
    assert (counts[expected == 0] == 0).all()
    keep = expected > 0
    expected = expected * (counts.sum() / expected.sum())
    return stats.chisquare(counts[keep], expected[keep]).pvalue > 1e-3


@pytest.mark.usefixtures("switch")
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
        drawn = draw_without_replacement(grammar, k, seed).strings
        counts[orders[tuple(place[tuple(x)] for x in drawn.tolist())]] += 1
    assert agree(counts, expected * counts.sum())


@pytest.mark.usefixtures("switch")
def test_the_last_strings_follow_sequential_sampling():
    """Near the whole support, where both kinds of drawing take part: which two are left over."""
    grammar = Grammar.random(GrammarShape(depth=1, vocab_size=3, num_synonyms=2), {0: 1.5}, seed=1)
    strings, log_p = grammar.enumerate()
    p = np.exp(log_p)
    size = len(strings)
    expected = np.zeros((size, size))
    for order in permutations(range(size)):
        expected[order[-2:]] += probability_of_order(p, order)
    assert abs(expected.sum() - 1) < 1e-9
    place = {tuple(string): i for i, string in enumerate(strings.tolist())}
    counts = np.zeros((size, size))
    for seed in range(4000):
        drawn = draw_without_replacement(grammar, size, seed).strings.tolist()
        counts[place[tuple(drawn[-2])], place[tuple(drawn[-1])]] += 1
    assert agree(counts.ravel(), expected.ravel() * counts.sum())


@pytest.mark.parametrize("name", SWITCHES)
def test_inclusion_near_saturation_is_that_of_listed_strings(name, monkeypatch):
    """Which strings are in a sample of 70 of 108, against the Gumbel top-70 of the list of all."""
    use_switch(monkeypatch, name)
    shape = GrammarShape(depth=2, vocab_size=4, num_synonyms=3)
    grammar = Grammar.random(shape, {0: 1.0, 1: 1.0}, seed=1)
    strings, log_p = grammar.enumerate()
    keys = string_keys(strings, 4)
    rng = np.random.default_rng(7)
    included = np.zeros((2, len(strings)))
    repetitions = 1500
    for seed in range(repetitions):
        drawn = string_keys(draw_without_replacement(grammar, 70, seed).strings, 4)
        included[0] += np.isin(keys, drawn)
        included[1, np.argsort(-(log_p + rng.gumbel(size=len(keys))))[:70]] += 1
    assert (included.sum(axis=1) == 70 * repetitions).all()
    share = included.mean(axis=0) / repetitions
    z = (included[0] - included[1]) / np.sqrt(2 * repetitions * share * (1 - share) + 1e-9)
    assert np.abs(z).max() < 4.5
    assert 0.6 < np.square(z).mean() < 1.5


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 99),
    st.floats(0, 4),
    st.integers(1, 100),
    st.integers(1, 100),
    st.sampled_from(sorted(SWITCHES)),
)
def test_strings_are_distinct_grammatical_and_a_prefix_of_more(seed, exponent, few, more, name):
    shape = GrammarShape(depth=2, vocab_size=4, num_synonyms=3)  # 108 strings
    grammar = Grammar.random(shape, {0: exponent, 1: exponent}, seed)
    few, more = sorted((few, more))
    with pytest.MonkeyPatch.context() as patch:
        use_switch(patch, name)
        drawn = draw_without_replacement(grammar, more, seed)
        fewer = draw_without_replacement(grammar, few, seed)
    assert len(np.unique(drawn.strings, axis=0)) == more
    np.testing.assert_array_equal(drawn.log_p, grammar.log_likelihood(drawn.strings))
    by_level = grammar.log_likelihood_by_level(drawn.strings)
    np.testing.assert_array_equal(drawn.log_p_by_level, by_level)
    assert np.isfinite(drawn.log_p).all()
    np.testing.assert_array_equal(fewer.strings, drawn.strings[:few])
    np.testing.assert_array_equal(fewer.log_p, drawn.log_p[:few])


@pytest.mark.parametrize(
    ("shape", "zipf", "counts"),
    [
        (GrammarShape(depth=3, vocab_size=6, num_synonyms=4), 1.0, [1000, 30_000, 60_000, 80_000]),
        (GrammarShape(depth=6, vocab_size=4, num_synonyms=3), 4.0, [10, 100, 1000, 3000]),
        (GrammarShape(depth=5, vocab_size=300, num_synonyms=30), 6.0, [10, 100, 1000, 3000]),
    ],
)
def test_prefixes_hold_across_the_switch_at_any_size_and_kind_of_key(shape, zipf, counts):
    grammar = Grammar.random(shape, dict.fromkeys(range(shape.depth), zipf))
    largest = draw_without_replacement(grammar, counts[-1], seed=3).strings
    assert len(np.unique(string_keys(largest, shape.vocab_size))) == counts[-1]
    for count in counts[:-1]:
        drawn = draw_without_replacement(grammar, count, seed=3).strings
        np.testing.assert_array_equal(drawn, largest[:count])


@pytest.mark.usefixtures("switch")
def test_the_whole_support_and_not_one_more(small):
    size = small.support_size
    strings = draw_without_replacement(small, size, seed=2).strings
    assert len(np.unique(strings, axis=0)) == size
    assert np.isfinite(small.log_likelihood(strings)).all()
    message = f"{size + 1} distinct strings were asked for, but the grammar has only {size}"
    with pytest.raises(ValueError, match=message):
        draw_without_replacement(small, size + 1, seed=2)


def test_rare_strings_are_found_where_rejection_would_never_end():
    shape = GrammarShape(depth=4, vocab_size=6, num_synonyms=4)
    grammar = Grammar.random(shape, dict.fromkeys(range(4), 60.0))
    strings = draw_without_replacement(grammar, 5000, seed=0).strings
    assert len(np.unique(strings, axis=0)) == 5000
    log_p = grammar.log_likelihood(strings)
    assert (np.diff(log_p[:3]) == 0).all()  # all-first-rule strings come first
    assert np.isfinite(log_p).all()
    assert log_p.min() < -100


def test_seeds_give_other_strings():
    grammar = Grammar.random(GrammarShape(depth=3, vocab_size=6, num_synonyms=4))
    one, other = (draw_without_replacement(grammar, 100, seed).strings for seed in (1, 2))
    assert (one != other).any(axis=1).mean() > 0.9
