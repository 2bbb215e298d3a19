import numpy as np
import pytest
from scipy import stats

from rhm import Grammar, GrammarShape


def test_probabilities_sum_to_one(small):
    strings, log_p = small.enumerate()
    assert len(strings) == small.shape.support_size
    assert len(np.unique(strings, axis=0)) == len(strings)
    assert abs(np.exp(log_p).sum() - 1) < 1e-12
    assert np.isfinite(log_p).sum() == small.support_size


def test_likelihood_equals_enumeration(small):
    strings, log_p = small.enumerate()
    np.testing.assert_allclose(small.log_likelihood(strings), log_p, rtol=0, atol=1e-12)


def test_all_other_strings_are_ungrammatical(small):
    v, d = small.shape.vocab_size, small.shape.num_leaves
    if v**d > 2**17:
        pytest.skip("too many strings to try them all")
    everything = np.indices((v,) * d).reshape(d, -1).T
    log_p = small.log_likelihood(everything)
    assert abs(np.exp(log_p).sum() - 1) < 1e-12
    assert np.isfinite(log_p).sum() == small.support_size
    assert small.parse(everything).grammatical.sum() == small.shape.support_size


def test_parts_by_level_add_up(small):
    derivations = small.sample_derivations(100, np.random.default_rng(0))
    strings, root = derivations.strings, derivations.symbols[0][:, 0]
    parts = small.log_likelihood_by_level(strings)
    assert parts.shape == (100, small.shape.depth)
    whole = np.log(small.class_probabilities[root]) + parts.sum(axis=1)
    np.testing.assert_allclose(small.log_likelihood(strings), whole, rtol=0, atol=1e-12)


def test_levels_that_fail_are_told_from_those_that_parse():
    rules = [[[[0, 0]], [[1, 1]]], [[[0, 1]], [[1, 0]]], [[[0, 0]], [[1, 1]]]]
    grammar = Grammar.from_rules(rules)
    fine, top, middle, bottom = (
        [0, 0, 1, 1, 0, 0, 1, 1],
        [0, 0, 1, 1, 1, 1, 0, 0],  # level-1 symbols 0 and 1: no root writes them
        [0, 0, 1, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 1, 0],
    )
    strings = np.array([fine, top, middle, bottom])
    failed = np.isneginf(grammar.log_likelihood_by_level(strings))
    np.testing.assert_array_equal(failed, [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(np.isneginf(grammar.log_likelihood(strings)), [0, 1, 1, 1])


def test_node_marginals_equal_enumeration(small):
    strings, log_p = small.enumerate()
    symbols = small.parse(strings).symbols
    for level, marginals in enumerate(small.node_marginals()):
        assert marginals.shape == (small.shape.nodes_at(level), small.shape.symbols_at(level))
        for node, marginal in enumerate(marginals):
            weights = np.bincount(symbols[level][:, node], np.exp(log_p), len(marginal))
            np.testing.assert_allclose(marginal, weights, rtol=0, atol=1e-12)


def test_substring_probabilities_equal_enumeration(small):
    strings, log_p = small.enumerate()
    for level in range(small.shape.depth):
        length = small.shape.leaves_under(level)
        pieces = strings.reshape(len(strings), -1, length)
        substrings = np.unique(pieces.reshape(-1, length), axis=0)
        found = (pieces[:, :, None] == substrings).all(axis=-1)  # (S, nodes, substrings)
        expected = np.einsum("sju,s->uj", found, np.exp(log_p))
        at_each = small.substring_probability(substrings, level)
        np.testing.assert_allclose(at_each, expected, rtol=0, atol=1e-12)
        average = small.substring_mass(substrings, level)
        np.testing.assert_allclose(average, expected.mean(axis=1), rtol=0, atol=1e-12)


def test_ungrammatical_substrings_have_no_mass():
    grammar = Grammar.from_rules([[[[0, 0]], [[1, 1]]], [[[0, 1]], [[1, 0]]]])
    np.testing.assert_array_equal(grammar.substring_mass(np.array([[0, 0], [1, 1]]), 1), 0)
    np.testing.assert_array_equal(grammar.substring_probability(np.array([[0, 0]]), 1), 0)


def test_support_counts_only_possible_strings():
    grammar = Grammar.from_rules(
        [[[[0, 0], [1, 1]], [[0, 1], [1, 0]]], [[[0, 0], [0, 1]], [[1, 0], [1, 1]]]],
        rule_probabilities=[[0.5, 0.5], [[1.0, 0.0], [0.5, 0.5]]],
        class_probabilities=[1.0, 0.0],
    )
    assert grammar.support_size == 1 + 4
    assert np.isfinite(grammar.enumerate()[1]).sum() == 5


def test_support_of_a_large_grammar_is_exact():
    shape = GrammarShape(depth=6, vocab_size=8, num_synonyms=5)
    assert Grammar.random(shape).support_size == 8 * 5**63


def test_enumeration_above_the_limit_is_refused():
    grammar = Grammar.random(GrammarShape(depth=4, vocab_size=6, num_synonyms=4))
    with pytest.raises(ValueError, match="6442450944 strings, more than the limit of 1048576"):
        grammar.enumerate()
    with pytest.raises(ValueError, match="more than the limit of 5"):
        Grammar.random(GrammarShape(depth=1, vocab_size=3, num_synonyms=2)).enumerate(limit=5)


def test_samples_follow_the_probabilities(small):
    strings, log_p = small.enumerate()
    place = {tuple(string): i for i, string in enumerate(strings.tolist())}
    sample = small.sample(20_000, np.random.default_rng(11))
    counts = np.zeros(len(strings))
    for string in sample.tolist():
        counts[place[tuple(string)]] += 1
    possible = np.isfinite(log_p)
    assert counts[~possible].sum() == 0
    frequent = possible & (np.exp(log_p) * len(sample) >= 5)
    expected = np.exp(log_p[frequent]) * len(sample)
    observed = counts[frequent]
    if (rest := len(sample) - expected.sum()) > 5:
        expected = np.append(expected, rest)
        observed = np.append(observed, len(sample) - observed.sum())
    if len(expected) > 1:
        expected *= observed.sum() / expected.sum()
        assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_a_longer_sample_extends_a_shorter_one(small):
    short = small.sample(5, np.random.default_rng(1))
    long = small.sample(50, np.random.default_rng(1))
    np.testing.assert_array_equal(long[:5], short)


@pytest.mark.parametrize(("vocab_size", "kind"), [(6, np.uint8), (256, np.uint8), (300, np.uint16)])
def test_strings_take_the_smallest_type(vocab_size, kind):
    shape = GrammarShape(depth=2, vocab_size=vocab_size, num_synonyms=2)
    assert Grammar.random(shape).sample(3, np.random.default_rng(0)).dtype == kind
