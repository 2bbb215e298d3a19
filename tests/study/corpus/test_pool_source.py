"""Strings of unknown law: the second source, behind the same twins, strata and null laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rhm import Grammar, GrammarShape
from study.config import StringsConfig, TrialConfig
from study.corpus import GrammarSource, Pool, PoolSource
from study.corpus.pool import DamagedPool
from study.corpus.pooling import pooled
from study.corpus.pools import ready
from study.corpus.reading import Lines, read
from study.corpus.source import Source
from study.measures.level_strata import level_strata
from study.measures.memorized import null_rate
from study.measures.reference import stratum_excess
from study.measures.string_losses import Memorized

POOL = 600
"""Strings beside those put aside."""
WORDS = [a + b + c + d for a in "xy" for b in "xyz" for c in "xyz" for d in "xyz"]


@pytest.fixture(scope="module")
def pool() -> PoolSource:
    """Strings of no grammar, with a score that follows nothing but their first leaf."""
    rng = np.random.default_rng(0)
    strings = np.unique(rng.integers(5, size=(4 * POOL, 8)), axis=0).astype(np.uint8)
    strings = np.unique(rng.permutation(strings)[: 2 * POOL], axis=0)
    return PoolSource(
        Pool(
            strings=strings,
            counts=np.ones(len(strings), dtype=np.int64),
            typicality=-1.0 * strings[:, 0],
            alphabet=tuple("abcde"),
        )
    )


def sources(pool: PoolSource) -> list[Source]:
    shape = GrammarShape(depth=3, vocab_size=5, num_synonyms=3)
    return [pool, GrammarSource(Grammar.random(shape, {0: 1.0}, seed=1))]


def by_string(pool: PoolSource, values: np.ndarray) -> dict[bytes, float]:
    return dict(zip(map(bytes, pool.pool.strings), values.tolist(), strict=True))


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
    preference = by_string(pool, np.random.default_rng(1).pareto(1.5, 2 * POOL))
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
    losses = by_string(pool, np.random.default_rng(2).normal(size=2 * POOL))
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
    ],
)
def test_what_the_pool_cannot_give_is_refused(pool, arguments, message):
    with pytest.raises(ValueError, match=message):
        pool.draw(**arguments)


def test_repeats_are_kept_only_where_strings_need_not_be_unique():
    strings = [word for word in WORDS for _ in range(3)]
    source = PoolSource(pooled(Lines(text=strings), StringsConfig()))
    assert len(source.pool.strings) == len(WORDS)
    assert source.pool.config.total == 3 * len(WORDS)
    once = source.draw(8, seed=1)
    assert once.training.counted.all() and once.control.counted.all()
    often = source.draw(30, seed=1, unique=False)
    both = set(map(bytes, often.training.strings)) & set(map(bytes, often.control.strings))
    assert both
    for side in (often.training, often.control):
        counted = [bytes(x) not in both for x in side.strings]
        np.testing.assert_array_equal(side.counted, counted)


def test_the_score_sees_neither_training_strings_nor_controls(pool):
    source = PoolSource(pool.pool, StringsConfig(order=2))
    corpus = source.draw(200, seed=5)
    known = corpus.stand_in
    put_aside = set(map(bytes, known.reference))
    assert len(put_aside) == len(pool.pool.strings) // 2
    for side in (corpus.training, corpus.control):
        assert put_aside.isdisjoint(map(bytes, side.strings))
    again = source.draw(50, control_size=300, seed=5).stand_in
    np.testing.assert_array_equal(again.reference, known.reference)


def test_the_identity_is_that_of_the_strings_and_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("\n".join(WORDS))
    (tmp_path / "b.csv").write_text("n,word\n" + "".join(f"{i},{w}\n" for i, w in enumerate(WORDS)))
    (tmp_path / "c.txt").write_text("\n".join(WORDS[1:]))

    def hash_of(path: str, **strings: object) -> str:
        document = {
            "corpus": {"source": "strings", "path": path, "size": 8},
            "strings": strings,
            "network": {"width": 8},
            "training": {"steps": 64},
        }
        return TrialConfig.from_dict(ready(document)).hash

    own = hash_of("a.txt")
    assert hash_of("b.csv", column="word") == own
    assert hash_of("a.txt", length=4, tuple_size=2) == own
    others = {
        hash_of("c.txt"),
        hash_of("b.csv", column="word", typicality="n"),
        *(hash_of("a.txt", **change) for change in CHANGES),
    }
    assert len(others) == 2 + len(CHANGES)
    assert own not in others


CHANGES = ({"order": 2}, {"smoothing": 1.0}, {"reference": 0.4}, {"score": "positional"})


def test_a_pool_is_the_same_after_a_way_through_a_file(pool):
    kept = Pool.from_bytes(pool.pool.to_bytes(), pool.pool.sha256)
    assert kept.config == pool.pool.config
    np.testing.assert_array_equal(kept.strings, pool.pool.strings)
    with pytest.raises(DamagedPool, match="does not hold the strings of its name"):
        Pool.from_bytes(pool.pool.to_bytes(), "0" * 64)
    with pytest.raises(DamagedPool, match="cannot be read"):
        Pool.from_bytes(b"torn", pool.pool.sha256)


def test_rows_of_one_string_add_up_where_they_are_counted_and_average_where_they_are_scored(
    tmp_path,
):
    """A word in two rows is as frequent as both together; a score of it is no more for that."""
    file = tmp_path / "words.csv"
    file.write_text("word,n\nabcd,3\nbcda,2\nabcd,5\ncdab,1\ndabc,4\n")

    def of(**names: str | None):
        found = read(str(file), **{"column": "word", "typicality": None, "frequency": None} | names)
        made = pooled(found, StringsConfig(**names))
        return dict(zip(map(bytes, made.strings), made.typicality, strict=True))

    assert of(frequency="n")[bytes([0, 1, 2, 3])] == np.log(8)
    assert of(frequency="n")[bytes([1, 2, 3, 0])] == np.log(2)
    assert of(typicality="n")[bytes([0, 1, 2, 3])] == 4
    assert of(typicality="n")[bytes([1, 2, 3, 0])] == 2
