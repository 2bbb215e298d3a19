"""Strings of unknown law: what is null, what stays exact, and that chance reads as chance.

The 200 repetitions are the long suite's, `tests/study/test_calibration_of_strings.py`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from study.config import StringsConfig
from study.corpus import Corpus, Pool, PoolSource
from study.measures import Reference, StringLosses, measure_losses, measure_strings
from study.measures.copying import Copies
from study.measures.gram_ranks import GROUPS
from study.store.records import SCHEMAS
from tests.study.calibration import without_a_law
from tests.study.calibration.repetitions import summarised

NEEDS_A_LAW = {
    "curves": ("mass_training", "mass_control", "root_validity", "novel_validity"),
    "levels": (
        "validity",
        "conditional_validity",
        "chance_validity",
        "rule_kl",
        "typicality_shift",
    ),
    "typicality": ("mass_training", "mass_control"),
    "samples": ("parse", "valid"),
}


@pytest.fixture(scope="module")
def world() -> tuple[Corpus, Reference]:
    return without_a_law.world(3)


def test_what_needs_a_law_is_null_and_the_rest_is_not(world):
    corpus, reference = world
    tables = measure_strings(reference, without_a_law.fresh(3))
    for table, columns in NEEDS_A_LAW.items():
        for name in columns:
            assert set(map(type, tables[table][name])) == {type(None)}, name
    curves = tables["curves"]
    for name in ("copy_fraction", "excess_copies_se", "excess_fit", "typicality_slope"):
        assert curves[name][0] is not None, name
    assert curves["ratio_copies"] == [None]
    assert tables["levels"]["typicality_slope"] == [None] * 4
    assert tables["levels"]["partial_memorization_fit"] == [None] * 4
    assert tables["levels"]["partial_memorization"][1] is not None
    for table, columns in tables.items():
        odd = set(columns) - set(SCHEMAS[table].names)
        assert not odd, (table, odd)
    assert corpus.law is None


def test_a_memorizer_reads_one_and_no_slope(world):
    corpus, reference = world
    curves = measure_strings(reference, corpus.training.strings)["curves"]
    assert curves["excess_copies"][0] == pytest.approx(1)
    assert curves["typicality_slope"][0] == pytest.approx(0, abs=1e-12)
    levels = measure_strings(reference, corpus.training.strings)["levels"]
    assert levels["partial_memorization"][0] == pytest.approx(1)
    assert levels["partial_memorization"][1] == pytest.approx(1)


def test_with_the_sides_exchanged_every_reading_changes_sign_or_side(world):
    corpus, reference = world
    exchanged = Reference.build(replace(corpus, training=corpus.control, control=corpus.training))
    copies = np.repeat(corpus.training.strings[:100], 8, axis=0)
    sample = np.concatenate([copies, without_a_law.fresh(3), without_a_law.fresh(4)])
    one, other = (measure_strings(each, sample) for each in (reference, exchanged))
    assert one["curves"]["copy_fraction"] == other["curves"]["control_copy_fraction"]
    assert other["curves"]["copy_fraction"] == one["curves"]["control_copy_fraction"]
    for level in range(2):
        mine, theirs = (
            tables["levels"]["partial_memorization"][level]
            * share.substrings[level].exclusive_share
            for tables, share in ((one, reference), (other, exchanged))
        )
        assert mine == pytest.approx(-theirs)
    same = reference.strata.lower.tolist() == exchanged.strata.lower.tolist()
    if same:
        ratio = reference.strata.mass_ratio
        mine, theirs = (
            np.subtract(t["typicality"]["copies_training"], r * t["typicality"]["copies_control"])
            for t, r in ((one, ratio), (other, 1 / ratio))
        )
        np.testing.assert_allclose(mine, -ratio * theirs)
    assert one["curves"]["excess_copies"][0] > 0.3
    assert other["curves"]["excess_copies"][0] < -0.3


@pytest.mark.parametrize("preference", [np.inf, 1.0, 0.3])
def test_the_stated_error_is_the_spread_over_deals_and_samples(world, preference):
    """Of models that know neither side, whether they like all strings alike or some better."""
    _, reference = world
    rng = np.random.default_rng(5)
    places = [np.flatnonzero(reference.stratum == b) for b in np.unique(reference.stratum)]
    count = len(reference.stratum)
    liked = np.ones(count) if preference == np.inf else rng.gamma(preference, size=count)
    excess, stated = [], []
    for _ in range(2000):
        dealt = liked.copy()
        for own in places:
            dealt[own] = liked[rng.permutation(own)]
        emitted = rng.multinomial(count, dealt / dealt.sum())
        copies = Copies(reference, count, emitted)
        excess.append(copies.excess_copies)
        stated.append(copies.excess_copies_se**2)
    assert np.mean(excess) == pytest.approx(0, abs=4 * np.std(excess) / 2000**0.5)
    assert np.mean(stated) == pytest.approx(np.var(excess), rel=0.12)


def test_losses_with_the_sides_exchanged_betray_nobody(world):
    """Training strings have the smaller losses: all are flagged; exchanged, none is."""
    corpus, reference = world
    exchanged = Reference.build(replace(corpus, training=corpus.control, control=corpus.training))
    rows = np.arange(len(corpus.training))
    low, high = rows * 1.0, 1000.0 + rows
    for own, training, control, share in (
        (reference, low, high, 1.0),
        (exchanged, high, low, 0.0),
    ):
        losses = StringLosses(
            reference=own,
            training=rows,
            control=rows,
            training_loss=training,
            control_loss=control,
            level_strata=[None] * 3,
        )
        tables = measure_losses(losses)
        assert set(tables["typicality"]["memorized_share"]) == {share}


def test_excess_fit_is_that_of_the_n_gram_refitted_to_the_training_strings(world):
    corpus, reference = world
    model = corpus.stand_in.model.refitted(corpus.training.strings)
    strata, expected = reference.strata, 0.0
    for b in range(len(strata)):
        q = [
            np.exp(model.log_likelihood(side.strings[stratum == b])).sum()
            for side, stratum in (
                (corpus.training, strata.training_stratum),
                (corpus.control, strata.control_stratum),
            )
        ]
        expected += q[0] - strata.num_training[b] / strata.num_control[b] * q[1]
    assert reference.excess_fit == pytest.approx(expected)
    drawn = model.sample(20_000, 8, np.random.default_rng(1))
    curves = measure_strings(reference, drawn)["curves"]
    error = curves["excess_copies_se"][0]
    assert abs(curves["excess_copies"][0] - reference.excess_fit) < 4 * error


def test_pairs_by_rank_are_tenths_of_the_strings_put_aside(world):
    corpus, reference = world
    ranks = reference.gram_ranks
    assert ranks.expected.sum() == pytest.approx(1)
    shares, _ = ranks.shares(corpus.stand_in.reference)
    np.testing.assert_allclose(shares, ranks.expected)
    rules = measure_strings(reference, corpus.training.strings)["rules"]
    assert rules["rank"] == list(range(1, GROUPS + 1))
    np.testing.assert_allclose(rules["generated"], rules["training_frequency"])
    assert sum(rules["count"]) == 7 * len(corpus.training)


def test_lambda_needs_as_many_controls_as_training_strings():
    corpus = PoolSource(without_a_law.pool(), StringsConfig()).draw(128, control_size=300, seed=1)
    tables = measure_strings(Reference.build(corpus), without_a_law.fresh(1))
    assert tables["levels"]["partial_memorization"] == [None] * 4
    assert tables["curves"]["excess_copies"][0] is not None


def test_near_copies_of_images_are_told_by_the_ratio_rule():
    rng = np.random.default_rng(0)
    images = np.unique(rng.integers(2, size=(400, 64)).astype(np.uint8), axis=0)
    pool = Pool(
        strings=images,
        counts=np.ones(len(images), dtype=np.int64),
        typicality=None,
        alphabet=("0", "1"),
        image=True,
        tuple_size=4,
    )
    corpus = PoolSource(pool).draw(80, control_size=100, seed=1)
    reference = Reference.build(corpus)
    near = corpus.training.strings[:50].copy()
    near[:, :3] ^= 1  # 3 pixels off, others some 32
    curves = measure_strings(reference, near)["curves"]
    assert (curves["ratio_copies"], curves["ratio_copies_control"]) == ([1.0], [0.0])
    assert curves["excess_copies"] == [0.0]
    other = measure_strings(reference, corpus.stand_in.reference)["curves"]
    assert (other["ratio_copies"], other["ratio_copies_control"]) == ([0.0], [0.0])


@pytest.mark.parametrize(
    "of", [without_a_law.of_fresh, without_a_law.of_another_model, without_a_law.of_losses]
)
def test_samplers_that_never_saw_the_corpus_are_at_chance(of):
    for summary in summarised([of(seed) for seed in range(16)]):
        assert abs(summary.deviations) < 4, summary
        assert 0.5 < summary.ratio < 2, summary


def test_a_mixture_reads_its_weight():
    for summary in summarised([without_a_law.of_mixture(seed, 0.4) for seed in range(12)]):
        assert abs(summary.deviations) < 4, summary
        assert 0.5 < summary.ratio < 2, summary


def test_a_grammar_with_its_law_hidden_reads_as_with_the_law_known():
    for seed in range(6):
        for name, (difference, error) in without_a_law.with_and_without_the_law(seed).items():
            assert abs(difference) < 2.5 * error, (seed, name)
