"""Rule usage of generated nodes, against naive counting and the exact grammar."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest

from rhm import Grammar, GrammarShape
from study.measures.overproduction import expected_frequencies, rule_usage


def usage(world, strings, level):
    return rule_usage(world.grammar.parse(strings), world.reference.rule_frequencies)[level]


def test_usage_equals_naive_counting(world, rng):
    strings = np.concatenate([world.from_mixture(100, rng), world.from_noise(100, rng)])
    derivations = world.grammar.parse(strings)
    for level, result in enumerate(rule_usage(derivations, world.reference.rule_frequencies)):
        p = world.grammar.rule_probabilities[level]
        per_string = [Counter(ranks[ranks >= 0].tolist()) for ranks in derivations.ranks[level]]
        counts = sum(per_string, Counter())
        n = counts.total()
        share = [counts[k] / n for k in range(len(p))]
        assert result.count.tolist() == [counts[k] for k in range(len(p))]
        assert result.share == pytest.approx(share)
        errors = [
            sqrt(sum((c[k] - share[k] * c.total()) ** 2 for c in per_string)) / n
            for k in range(len(p))
        ]
        assert result.share_se == pytest.approx(errors)
        plug_in = sum(f * log(f / q) for f, q in zip(share, p, strict=True) if f > 0)
        assert result.kl == pytest.approx(plug_in - (len(p) - 1) / (2 * n))
        if np.ptp(p) < 1e-12:
            assert (result.typicality_shift, result.typicality_shift_se) == (None, None)
        else:
            shift = sum((f - q) * log(q) for f, q in zip(share, p, strict=True))
            assert result.typicality_shift == pytest.approx(shift)


def test_grammar_overproduces_nothing(zipf, rng, spread):
    for level in range(3):
        p = zipf.grammar.rule_probabilities[level]
        results = [usage(zipf, zipf.from_grammar(300, rng), level) for _ in range(200)]
        mean, error, true_spread = spread([(x.share[0], x.share_se[0]) for x in results])
        assert abs(mean - p[0]) <= 3.5 * true_spread / sqrt(200)
        assert error == pytest.approx(true_spread, rel=0.2)
        kls = [x.kl for x in results]
        assert abs(np.mean(kls)) <= 3.5 * np.std(kls) / sqrt(200)
        if level != 1:
            pairs = [(x.typicality_shift, x.typicality_shift_se) for x in results]
            mean, error, true_spread = spread(pairs)
            assert abs(mean) <= 3.5 * true_spread / sqrt(200)
            assert error == pytest.approx(true_spread, rel=0.2)


def test_common_rules_shift_typicality_upwards(zipf, rng):
    skewed = [p**2 / (p**2).sum() for p in zipf.grammar.rule_probabilities]
    strings = zipf.grammar.with_rule_probabilities(skewed).sample(2000, rng)
    for level in (0, 2):
        result = usage(zipf, strings, level)
        assert result.typicality_shift > 5 * result.typicality_shift_se
        assert result.kl > 0.01


def test_everything_is_null_where_no_node_parses(zipf, rng):
    noise = zipf.from_noise(300, rng)
    broken = noise[~zipf.grammar.parse(noise).grammatical]
    result = usage(zipf, broken, 0)
    assert result.count.tolist() == [0, 0, 0]
    assert (result.share, result.share_se, result.kl, result.typicality_shift) == (None,) * 4


def test_rules_that_the_grammar_never_uses_leave_divergences_undefined():
    shape = GrammarShape(depth=1, vocab_size=4, num_synonyms=3)
    tables = Grammar.random(shape, seed=0)
    grammar = tables.with_rule_probabilities([[0.7, 0.3, 0.0]])
    expected = expected_frequencies(grammar)
    rng = np.random.default_rng(0)
    fine = rule_usage(grammar.parse(grammar.sample(200, rng)), expected)[0]
    assert fine.kl is not None
    assert fine.typicality_shift is not None
    odd = rule_usage(grammar.parse(tables.sample(200, rng)), expected)[0]
    assert odd.share[2] > 0
    assert (odd.kl, odd.typicality_shift) == (None, None)


def test_expected_frequencies_are_those_of_a_random_node(rng):
    shape = GrammarShape(depth=2, vocab_size=3, num_synonyms=2)
    own = [rng.dirichlet(np.ones(2), size=3) for _ in range(2)]
    grammar = Grammar.random(shape, seed=4).with_rule_probabilities(own)
    strings, log_p = grammar.enumerate()
    ranks = grammar.parse(strings).ranks
    for level, expected in enumerate(expected_frequencies(grammar)):
        share = [(np.exp(log_p) * (ranks[level] == k).mean(axis=1)).sum() for k in range(2)]
        assert expected == pytest.approx(share)
