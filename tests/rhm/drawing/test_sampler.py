import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rhm import Grammar, GrammarShape, string_keys
from rhm.drawing import sampler as sampler_module
from rhm.drawing.sampler import Sampler
from rhm.exact import subtrees as subtrees_module

SHAPES = [
    {"depth": 1, "vocab_size": 3, "num_synonyms": 2},
    {"depth": 3, "vocab_size": 6, "num_synonyms": 4},
    {"depth": 4, "vocab_size": 2, "num_synonyms": 2},
    {"depth": 2, "vocab_size": 3, "num_synonyms": 5, "tuple_size": 3, "num_classes": 2},
    {"depth": 2, "vocab_size": 300, "num_synonyms": 90},  # one level fills more than a small tier
    {"depth": 6, "vocab_size": 4, "num_synonyms": 3},  # strings too long for integer keys
    {"depth": 2, "vocab_size": 2, "num_synonyms": 1, "tuple_size": 70},
]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(SHAPES), st.floats(0, 3), st.sampled_from([1, 200, 2**14]), st.integers(0, 9)
)
def test_likelihoods_are_those_of_the_strings_to_the_last_bit(shape, exponent, listed, seed):
    shape = GrammarShape(**shape)
    grammar = Grammar.random(shape, dict.fromkeys(range(shape.depth), exponent), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subtrees_module, "LISTED_SYMBOLS", listed)
        drawn = Sampler.of(grammar).draw(50, np.random.default_rng(seed))
    assert drawn.strings.shape == (50, shape.num_leaves)
    assert drawn.strings.dtype == grammar.sample(1, np.random.default_rng(0)).dtype
    np.testing.assert_array_equal(drawn.log_p, grammar.log_likelihood(drawn.strings))
    by_level = grammar.log_likelihood_by_level(drawn.strings)
    np.testing.assert_array_equal(drawn.log_p_by_level, by_level)
    assert np.isfinite(drawn.log_p).all()


@pytest.mark.parametrize("listed", [1, 100, 2**14])
def test_strings_follow_the_grammar(small, listed, monkeypatch):
    monkeypatch.setattr(subtrees_module, "LISTED_SYMBOLS", listed)
    strings, log_p = small.enumerate()
    keys = string_keys(strings, small.shape.vocab_size)
    order = np.argsort(keys)
    drawn = Sampler.of(small).draw(30_000, np.random.default_rng(listed)).strings
    place = np.searchsorted(keys[order], string_keys(drawn, small.shape.vocab_size))
    counts = np.bincount(place, minlength=len(strings))
    expected = np.exp(log_p[order]) * len(drawn)
    assert (counts[expected == 0] == 0).all()
    counts, expected = counts[expected > 0], expected[expected > 0]
    rare = expected < 5
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3


@pytest.mark.parametrize("block", [1, 7, 2**13])
def test_row_i_does_not_depend_on_the_count_or_the_blocks(block, monkeypatch):
    grammar = Grammar.random(GrammarShape(depth=3, vocab_size=6, num_synonyms=4), {0: 1.0})
    whole = grammar.sampler.draw(40, np.random.default_rng(1))
    monkeypatch.setattr(sampler_module, "BLOCK", block)
    rng = np.random.default_rng(1)
    parts = [grammar.sampler.draw(count, rng) for count in (3, 17, 20)]
    np.testing.assert_array_equal(np.concatenate([p.strings for p in parts]), whole.strings)
    np.testing.assert_array_equal(np.concatenate([p.log_p for p in parts]), whole.log_p)


def test_tiers_are_few_and_small():
    grammar = Grammar.random(GrammarShape(depth=4, vocab_size=6, num_synonyms=4))
    assert [tier.leaves.shape for tier in grammar.sampler.tiers] == [(6, 64, 4)] * 2
    one_level = Grammar.random(GrammarShape(depth=2, vocab_size=300, num_synonyms=90))
    assert [tier.leaves.shape for tier in one_level.sampler.tiers] == [(300, 90, 2)] * 2
