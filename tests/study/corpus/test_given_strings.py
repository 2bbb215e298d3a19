"""Strings of unknown law: the second source, behind the same twins, strata and null laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rhm import Grammar, GrammarShape
from study.corpus import GrammarSource
from study.corpus.given_strings import GivenStrings
from study.corpus.source import Source
from study.measures.level_strata import level_strata
from study.measures.memorized import null_rate
from study.measures.reference import stratum_excess
from study.measures.string_losses import Memorized

POOL = 600


@pytest.fixture(scope="module")
def pool() -> GivenStrings:
    """Strings of no grammar, with a score that follows nothing but their first leaf."""
    rng = np.random.default_rng(0)
    strings = np.unique(rng.integers(5, size=(2 * POOL, 8)), axis=0).astype(np.uint8)
    strings = rng.permutation(strings)[:POOL]
    return GivenStrings(strings=strings, scores=-1.0 * strings[:, 0], vocab_size=5)


def sources(pool: GivenStrings) -> list[Source]:
    shape = GrammarShape(depth=3, vocab_size=5, num_synonyms=3)
    return [pool, GrammarSource(Grammar.random(shape, {0: 1.0}, seed=1))]


def by_string(pool: GivenStrings, values: np.ndarray) -> dict[bytes, float]:
    return dict(zip(map(bytes, pool.strings), values.tolist(), strict=True))


def test_every_source_gives_twins_of_its_strings(pool):
    for source in sources(pool):
        corpus = source.draw(150, seed=3)
        assert corpus.law is source.law
        both = np.concatenate([corpus.training.strings, corpus.control.strings])
        assert both.shape == (300, source.num_leaves)
        assert both.max() < source.vocab_size
        assert len(np.unique(both, axis=0)) == 300
        small = source.draw(40, seed=3)
        for side, larger in (
            (small.training, corpus.training),
            (small.control, corpus.control),
        ):
            np.testing.assert_array_equal(side.strings, larger.strings[:40])
            np.testing.assert_array_equal(side.log_p, larger.log_p[:40])
        other = source.draw(40, seed=4)
        assert not np.array_equal(other.training.strings, small.training.strings)
        assert len(source.draw(40, control_size=70, seed=3).control) == 70


def test_what_needs_a_law_is_refused_or_null(pool):
    corpus = pool.draw(200, seed=1)
    strata = corpus.strata
    assert len(strata) > 2
    assert (strata.mass_training, strata.mass_control) == (None, None)
    np.testing.assert_array_equal(strata.mass_ratio, strata.num_training / strata.num_control)
    assert level_strata(corpus.training, corpus.control) == []
    for needing in (lambda: corpus.grammar, lambda: corpus.training.mass):
        with pytest.raises(ValueError, match="the law of these strings is unknown"):
            needing()


def test_a_model_that_has_not_seen_the_corpus_shows_no_excess_and_no_slope(pool):
    """However it prefers some strings to others: D and C are exchangeable given the pool."""
    preference = by_string(pool, np.random.default_rng(1).pareto(1.5, POOL))
    total = sum(preference.values())
    found = []
    for seed in range(400):
        corpus = pool.draw(100, control_size=150, seed=seed)
        strata = corpus.strata
        shares = [
            np.bincount(stratum, [preference[bytes(x)] / total for x in side.strings])
            for side, stratum in (
                (corpus.training, strata.training_stratum),
                (corpus.control, strata.control_stratum),
            )
        ]
        excess = stratum_excess(strata, *shares)
        found.append((excess.sum(), strata.z @ excess))
    assert (stats.ttest_1samp(found, 0).pvalue > 0.01).all()


def test_a_memorizer_has_excess_one_and_no_slope(pool):
    strata = pool.draw(100, seed=2).strata
    excess = stratum_excess(strata, strata.num_training / 100, np.zeros(len(strata)))
    assert excess.sum() == pytest.approx(1)
    assert strata.z @ excess == pytest.approx(0)


def test_losses_that_do_not_know_the_corpus_betray_strings_at_the_null_rate(pool):
    shares, rates = [], []
    losses = by_string(pool, np.random.default_rng(2).normal(size=POOL))
    for seed in range(200):
        corpus = pool.draw(200, seed=seed)
        strata = corpus.strata
        found = Memorized.of(
            *(
                np.array([losses[bytes(x)] for x in side.strings])
                for side in (corpus.training, corpus.control)
            ),
            strata.training_stratum,
            strata.control_stratum,
        )
        rates.append(null_rate(int(strata.num_control[0])))
        shares.append(found.share[0])
    assert stats.ttest_1samp(np.subtract(shares, rates), 0).pvalue > 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 301}, "301 training and 301 control strings make 602, but there are only 600"),
        ({"size": 0}, "at least 1 training and 1 control string"),
        ({"size": 5, "unique": False}, "without replacement: set unique to true"),
    ],
)
def test_what_the_pool_cannot_give_is_refused(pool, arguments, message):
    with pytest.raises(ValueError, match=message):
        pool.draw(**arguments)


def test_a_pool_of_repeated_or_unscored_strings_is_refused(pool):
    twice = np.concatenate([pool.strings, pool.strings[:1]])
    with pytest.raises(ValueError, match="must be distinct"):
        GivenStrings(strings=twice, scores=np.zeros(POOL + 1), vocab_size=5)
    for scores in (np.zeros(POOL - 1), np.full(POOL, np.nan)):
        with pytest.raises(ValueError, match="one finite score"):
            GivenStrings(strings=pool.strings, scores=scores, vocab_size=5)
