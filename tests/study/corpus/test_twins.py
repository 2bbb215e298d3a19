import numpy as np
import pytest
from scipy import stats

from rhm import Grammar, GrammarShape, string_keys
from study.corpus import GrammarSource

SHAPE = GrammarShape(depth=2, vocab_size=4, num_synonyms=3)  # 108 strings
SKEWED = Grammar.random(SHAPE, {0: 1.5, 1: 1.5}, seed=1)
LARGE = Grammar.random(GrammarShape(depth=4, vocab_size=6, num_synonyms=4), {0: 1.0}, seed=1)


def keys(strings):
    return string_keys(strings, SHAPE.vocab_size)


@pytest.mark.parametrize(("size", "control"), [(20, None), (20, 30), (50, 20), (53, 53), (1, 107)])
def test_unique_strings_are_pairwise_distinct(size, control):
    corpus = GrammarSource(SKEWED).draw(size, control_size=control, seed=3)
    assert len(corpus.training) == size
    assert len(corpus.control) == (control or size)
    both = np.concatenate([corpus.training.strings, corpus.control.strings])
    assert len(np.unique(both, axis=0)) == len(both)
    for side in (corpus.training, corpus.control):
        assert side.counted.all()
        assert side.distinct.all()


@pytest.mark.parametrize("grammar", [SKEWED, LARGE])
@pytest.mark.parametrize("unique", [True, False])
def test_a_smaller_corpus_is_a_prefix_of_a_larger_one(grammar, unique):
    large = GrammarSource(grammar).draw(27, seed=4, unique=unique)
    for size in (5, 11, 26):
        small = GrammarSource(grammar).draw(size, seed=4, unique=unique)
        np.testing.assert_array_equal(small.training.strings, large.training.strings[:size])
        np.testing.assert_array_equal(small.control.strings, large.control.strings[:size])


def test_the_whole_support_can_be_drawn():
    corpus = GrammarSource(SKEWED).draw(54)
    assert abs(corpus.training.mass + corpus.control.mass - 1) < 1e-12
    corpus = GrammarSource(SKEWED).draw(100, control_size=8)
    assert abs(corpus.training.mass + corpus.control.mass - 1) < 1e-12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 55}, "55 training and 55 control strings make 110, but the grammar has only 108"),
        ({"size": 100, "control_size": 9}, "make 109, but the grammar has only 108"),
        ({"size": 0}, "at least 1 training and 1 control string, got 0 and 0"),
        ({"size": 5, "control_size": 0}, "got 5 and 0"),
        ({"size": 20_000, "unique": False}, "also falls on the other side"),
    ],
)
def test_impossible_sizes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GrammarSource(SKEWED).draw(**arguments)


@pytest.mark.parametrize(
    ("size", "control", "unique"),
    [(20, None, True), (45, None, True), (20, 40, True), (20, None, False), (15, 45, False)],
)
def test_both_sides_have_the_same_law(size, control, unique):
    strings, log_p = SKEWED.enumerate()
    likeliest = strings[log_p.argmax()]
    difference, chances = [], []
    for seed in range(400):
        corpus = GrammarSource(SKEWED).draw(size, control_size=control, unique=unique, seed=seed)
        difference.append(corpus.training.log_p.mean() - corpus.control.log_p.mean())
        in_training = (corpus.training.strings == likeliest).all(axis=1).sum() / size
        in_control = (corpus.control.strings == likeliest).all(axis=1).sum() / (control or size)
        chances.append(in_training - in_control)
    assert stats.ttest_1samp(difference, 0).pvalue > 1e-2
    assert stats.ttest_1samp(chances, 0).pvalue > 1e-2


def test_the_order_on_one_side_does_not_tell_the_other_side():
    firsts = [GrammarSource(SKEWED).draw(10, seed=seed) for seed in range(500)]
    more_typical = [c.training.log_p[0] - c.control.log_p[0] for c in firsts]
    assert abs(np.sign(more_typical).sum()) < 4 * 500**0.5


@pytest.mark.parametrize(("size", "control"), [(20, None), (45, None), (20, 40)])
def test_the_first_strings_of_both_sides_have_the_same_law(size, control):
    """Measures that look at the first strings only must not see typical ones on one side."""
    corpora = [
        GrammarSource(SKEWED).draw(size, control_size=control, seed=seed) for seed in range(400)
    ]
    difference = [c.training.log_p[:5].mean() - c.control.log_p[:5].mean() for c in corpora]
    assert stats.ttest_1samp(difference, 0).pvalue > 1e-2


def test_independent_draws_follow_the_grammar():
    strings, log_p = SKEWED.enumerate()
    order = np.argsort(keys(strings))
    corpora = [GrammarSource(SKEWED).draw(30, unique=False, seed=seed) for seed in range(300)]
    drawn = np.concatenate([corpus.training.strings for corpus in corpora])
    place = np.searchsorted(keys(strings)[order], keys(drawn))
    counts = np.bincount(place, minlength=len(strings))
    expected = np.exp(log_p[order]) * len(drawn)
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3


def test_independent_strings_on_both_sides_count_for_neither():
    corpus = GrammarSource(SKEWED).draw(60, unique=False, seed=5)
    training, control = (set(keys(s.strings).tolist()) for s in (corpus.training, corpus.control))
    shared = training & control
    assert shared
    assert len(training) < 60
    for side, own in ((corpus.training, training), (corpus.control, control)):
        side_keys = keys(side.strings)
        np.testing.assert_array_equal(side.counted, [key not in shared for key in side_keys])
        assert sorted(side_keys[side.distinct]) == sorted(own - shared)
        log_p = dict(zip(side_keys.tolist(), side.log_p, strict=True))
        expected = sum(np.exp(log_p[key]) for key in own - shared)
        assert abs(side.mass - expected) < 1e-12
        assert (side.masses[~side.distinct] == 0).all()


def test_likelihoods_belong_to_the_strings():
    corpus = GrammarSource(LARGE).draw(200, control_size=50)
    for side in (corpus.training, corpus.control):
        np.testing.assert_array_equal(side.log_p, LARGE.log_likelihood(side.strings))
        by_level = LARGE.log_likelihood_by_level(side.strings)
        np.testing.assert_array_equal(side.log_p_by_level, by_level)
        parts = side.log_p_by_level.sum(axis=1) - np.log(6)
        np.testing.assert_allclose(side.log_p, parts, rtol=0, atol=1e-12)
    assert corpus.control.log_p_by_level.shape == (50, 4)


def test_rule_frequencies_are_counted_over_training_strings():
    corpus = GrammarSource(LARGE).draw(200, seed=2)
    ranks = LARGE.parse(corpus.training.strings).ranks
    assert [f.shape for f in corpus.rule_frequencies] == [(4,)] * 4
    for level, frequencies in enumerate(corpus.rule_frequencies):
        expected = [(ranks[level] == k).mean() for k in range(4)]
        np.testing.assert_allclose(frequencies, expected, rtol=0, atol=1e-15)


def test_unique_strings_flatten_rule_frequencies():
    corpora = [GrammarSource(SKEWED).draw(27, seed=seed) for seed in range(30)]
    top = np.mean([corpus.rule_frequencies[0][0] for corpus in corpora])
    assert top < 0.95 * SKEWED.rule_probabilities[0][0]
    independent = [GrammarSource(SKEWED).draw(27, seed=seed, unique=False) for seed in range(30)]
    top = [corpus.rule_frequencies[0][0] for corpus in independent]
    assert stats.ttest_1samp(top, SKEWED.rule_probabilities[0][0]).pvalue > 1e-2


def test_a_corpus_can_be_made_of_given_strings():
    drawn = GrammarSource(SKEWED).draw(20, seed=1)
    given = GrammarSource(SKEWED).of(drawn.training.strings, drawn.control.strings)
    np.testing.assert_array_equal(given.training.masses, drawn.training.masses)
    np.testing.assert_array_equal(given.control.log_p, drawn.control.log_p)


def test_the_same_seed_draws_the_same_corpus_and_others_do_not():
    one, again, other = (GrammarSource(LARGE).draw(50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.training.strings, again.training.strings)
    assert (one.training.strings != other.training.strings).any()


@pytest.mark.parametrize(
    ("unique", "strings"),
    [
        (True, ["1254505450011450", "2421010150421445", "0124210245212554"]),
        (False, ["5154411005010501", "3450122110512050", "5150335150203554"]),
    ],
)
def test_draws_never_change(unique, strings):
    """Results on disk are found again by their configuration, so its corpus must stay the same."""
    corpus = GrammarSource(LARGE).draw(1000, unique=unique, seed=1)
    chosen = corpus.training.strings[[0, 999]], corpus.control.strings[[999]]
    assert ["".join(map(str, string)) for string in np.concatenate(chosen)] == strings


def test_the_protocol_of_the_paper_is_drawn_quickly():
    corpus = GrammarSource(LARGE).draw(20_000)
    both = np.concatenate([corpus.training.strings, corpus.control.strings])
    assert len(np.unique(string_keys(both, 6))) == 40_000
