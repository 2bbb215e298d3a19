import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from rhm import Grammar, GrammarShape
from study.corpus import Corpus, GrammarSource, Scores, Strata


@st.composite
def corpora(draw) -> Corpus:
    shape = GrammarShape(depth=3, vocab_size=4, num_synonyms=draw(st.integers(2, 4)))
    exponents = draw(st.lists(st.sampled_from([0.0, 0.7, 1.5, 3.0]), min_size=3, max_size=3))
    grammar = Grammar.random(shape, dict(enumerate(exponents)), draw(st.integers(0, 9)))
    unique = draw(st.booleans())
    size, control_size = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    seed = draw(st.integers(0, 99))
    try:
        return GrammarSource(grammar).draw(
            size, control_size=control_size, unique=unique, seed=seed
        )
    except ValueError:
        assert not unique  # refused: a side without a string of its own
        reject()


def for_any_corpus(test):
    return settings(max_examples=60, deadline=None)(given(corpora())(test))


def strata_by_walking(corpus: Corpus) -> list[set[float]]:
    """The values of log p in each stratum, one value after the other as the definition says."""
    training = corpus.training.log_p[corpus.training.counted].round(9).tolist()
    control = corpus.control.log_p[corpus.control.counted].round(9).tolist()
    total = len(training) + len(control)
    closed, current, num_training, num_control = [], set(), 0, 0
    for value in sorted(set(training + control), reverse=True):
        current.add(value)
        num_training += training.count(value)
        num_control += control.count(value)
        if num_control >= 19 and num_training >= 1 and 10 * (num_training + num_control) >= total:
            closed.append(current)
            current, num_training, num_control = set(), 0, 0
    if current and closed:
        closed[-1] |= current
    return closed or [current]


@for_any_corpus
def test_strata_are_those_of_the_definition(corpus):
    strata = corpus.strata
    expected = strata_by_walking(corpus)
    assert len(strata) == len(expected)
    np.testing.assert_array_equal(strata.upper, [max(values) for values in expected])
    np.testing.assert_array_equal(strata.lower, [min(values) for values in expected])
    for side, found in (
        (corpus.training, strata.training_stratum),
        (corpus.control, strata.control_stratum),
    ):
        for log_p, counted, b in zip(side.log_p, side.counted, found, strict=True):
            assert (round(log_p, 9) in expected[b]) if counted else b == -1


@for_any_corpus
def test_strata_divide_the_counted_strings(corpus):
    strata = corpus.strata
    assert strata.num_training.sum() == corpus.training.counted.sum()
    assert strata.num_control.sum() == corpus.control.counted.sum()
    np.testing.assert_allclose(strata.mass_training.sum(), corpus.training.mass, rtol=1e-12)
    np.testing.assert_allclose(strata.mass_control.sum(), corpus.control.mass, rtol=1e-12)
    expected = strata.mass_training / strata.mass_control
    np.testing.assert_allclose(strata.mass_ratio, expected, rtol=1e-12)
    for b in range(len(strata)):
        inside = strata.training_stratum == b
        assert inside.sum() == strata.num_training[b]
        np.testing.assert_allclose(
            corpus.training.masses[inside].sum(), strata.mass_training[b], rtol=1e-12
        )


@for_any_corpus
def test_strata_are_ordered_and_large_enough(corpus):
    strata = corpus.strata
    assert 1 <= len(strata) <= 10
    assert (strata.lower <= strata.upper).all()
    assert (strata.upper[1:] < strata.lower[:-1]).all()
    if len(strata) > 1:
        assert (strata.num_control >= 19).all()
        assert (strata.num_training >= 1).all()
        sizes = strata.num_training + strata.num_control
        assert (10 * sizes >= sizes.sum()).all()


@for_any_corpus
def test_z_is_standardised_over_training_strings(corpus):
    strata = corpus.strata
    weights = strata.num_training / strata.num_training.sum()
    assert abs(weights @ strata.z) < 1e-9
    if len(strata) == 1:
        np.testing.assert_array_equal(strata.z, [0.0])
    else:
        assert abs(weights @ strata.z**2 - 1) < 1e-9
        assert (np.diff(strata.z) < 0).all()


@pytest.mark.parametrize("unique", [True, False])
def test_equal_strings_have_equal_strata_whatever_the_order_of_their_terms(unique):
    """Sums of the same log-probabilities in another order differ in the last bits only."""
    shape = GrammarShape(depth=4, vocab_size=6, num_synonyms=4)
    grammar = Grammar.random(shape, {0: 1.0}, seed=1)
    strata = GrammarSource(grammar).draw(2000, unique=unique).strata
    assert len(strata) == 4
    np.testing.assert_allclose(strata.lower, strata.upper, rtol=0, atol=0)


def test_a_uniform_grammar_has_one_stratum():
    grammar = Grammar.random(GrammarShape(depth=3, vocab_size=6, num_synonyms=4))
    strata = GrammarSource(grammar).draw(500).strata
    assert len(strata) == 1
    np.testing.assert_allclose(strata.mass_ratio, [1.0])


def test_mean_excess_of_the_grammar_itself_is_zero():
    """E = Σ_b (p(D_b) - ρ_b p(C_b)) of the true masses vanishes identically."""
    grammar = Grammar.random(GrammarShape(depth=3, vocab_size=6, num_synonyms=4), {2: 1.0})
    strata = GrammarSource(grammar).draw(300).strata
    excess = strata.mass_training - strata.mass_ratio * strata.mass_control
    np.testing.assert_allclose(excess, 0, atol=1e-15)


def test_the_ratio_of_masses_survives_where_the_masses_underflow():
    """Strings of 1024 leaves have probabilities below the smallest float64."""
    shape = GrammarShape(depth=10, vocab_size=8, num_synonyms=4)
    corpus = GrammarSource(Grammar.random(shape, {0: 1.0, 9: 0.5}, 1)).draw(60, seed=2)
    assert corpus.training.mass == 0
    strata = corpus.strata
    assert len(strata) > 1
    assert np.isfinite(strata.mass_ratio).all()
    for b, ratio in enumerate(strata.mass_ratio):
        logs = [
            np.logaddexp.reduce(side.log_p[stratum == b])
            for side, stratum in (
                (corpus.training, strata.training_stratum),
                (corpus.control, strata.control_stratum),
            )
        ]
        assert np.log(ratio) == pytest.approx(logs[0] - logs[1])


def scores(values: np.ndarray, log_mass: np.ndarray | None = None) -> Scores:
    every = np.ones(len(values), dtype=bool)
    return Scores(score=values, counted=every, distinct=every, log_mass=log_mass)


def test_strata_close_at_changes_of_value_and_the_rest_joins_the_last():
    part = np.repeat([-1.0, -2.0, -3.0, -4.0], [40, 30, 50, 10])
    training, control = part[::2], part[1::2]
    found = Strata.of(scores(training), scores(control))
    assert (found.num_training + found.num_control).tolist() == [40, 90]  # 15 controls at -2: few
    assert found.upper.tolist() == [-1, -2]
    assert found.lower.tolist() == [-1, -4]
    assert len(Strata.of(scores(np.zeros(65)), scores(np.zeros(65)))) == 1


def test_strata_need_no_law_and_weigh_by_numbers_without_one():
    part = np.repeat([-1.0, -2.0], [90, 60])
    training, control = part[::3], np.delete(part, np.s_[::3])
    unknown = Strata.of(scores(training), scores(control))
    assert unknown.mass_training is None
    assert unknown.mass_control is None
    assert unknown.mass_ratio.tolist() == [0.5, 0.5]
    known = Strata.of(scores(training, training - 3), scores(control, control - 3))
    assert known.mass_training == pytest.approx(np.exp([-4, -5]) * [30, 20])
    assert known.mass_ratio == pytest.approx([0.5, 0.5])
    for name in ("lower", "upper", "z", "training_stratum", "control_stratum"):
        np.testing.assert_array_equal(getattr(known, name), getattr(unknown, name))
