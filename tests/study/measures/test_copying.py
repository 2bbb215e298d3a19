"""Copies: what is counted, and E for samplers of known answer."""

from collections import Counter
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhm import Grammar, GrammarShape
from study.corpus import GrammarSource
from study.measures import Reference
from study.measures.copying import Copies
from study.measures.reference import stratum_excess


def sample(world, rng, size=600):
    parts = (world.from_mixture, world.from_noise, world.from_training)
    return np.concatenate([draw(size // 3, rng) for draw in parts])


def naive_shares(world, strings):
    """c_Db and c_Cb by comparing every string with every string."""
    corpus, strata = world.corpus, world.reference.strata
    shares = np.zeros((2, len(strata)))
    training = {bytes(x) for x in corpus.training.strings}
    control = {bytes(x) for x in corpus.control.strings}
    stratum_of = {}
    for side, strata_of in (
        (corpus.training, strata.training_stratum),
        (corpus.control, strata.control_stratum),
    ):
        stratum_of |= {bytes(x): b for x, b in zip(side.strings, strata_of, strict=True)}
    for x in map(bytes, strings):
        if (x in training) != (x in control):
            shares[int(x in control), stratum_of[x]] += 1 / len(strings)
    return shares


def test_shares_and_excess_equal_naive_loops(world, rng):
    strings = sample(world, rng)
    copies, strata = world.measured(strings).copies, world.reference.strata
    c_D, c_C = naive_shares(world, strings)
    assert copies.training == pytest.approx(c_D)
    assert copies.control == pytest.approx(c_C)
    assert copies.copy_fraction == pytest.approx(c_D.sum())
    assert copies.control_copy_fraction == pytest.approx(c_C.sum())
    counted = world.corpus.training.counted.mean()
    rho = strata.mass_training / strata.mass_control
    E = sum(c_D[b] - rho[b] * c_C[b] for b in range(len(strata)))
    G = len(strings)
    p_C = strata.mass_control
    moment = sum(c_D[b] + rho[b] ** 2 * (c_C[b] + p_C[b] / G) for b in range(len(strata)))
    assert copies.excess_copies == pytest.approx(E / counted)
    assert copies.excess_copies_se == pytest.approx(sqrt((moment - E**2) / G) / counted)


def test_exact_grammar_has_no_excess_at_all(world):
    strata = world.reference.strata
    excess = stratum_excess(strata, strata.mass_training, strata.mass_control)
    assert excess == pytest.approx(np.zeros(len(strata)), abs=1e-12)


def test_excess_fit_equals_enumeration(world):
    p = {bytes(x): q for x, q in zip(world.strings, world.fit_p, strict=True)}
    strata, corpus = world.reference.strata, world.corpus
    masses = np.zeros((2, len(strata)))
    for row, (side, strata_of) in enumerate(
        (
            (corpus.training, strata.training_stratum),
            (corpus.control, strata.control_stratum),
        )
    ):
        distinct = {bytes(x): b for x, b in zip(side.strings, strata_of, strict=True) if b >= 0}
        for x, b in distinct.items():
            masses[row, b] += p[x]
    rho = strata.mass_training / strata.mass_control
    expected = (masses[0] - rho * masses[1]).sum() / corpus.training.counted.mean()
    assert world.reference.excess_fit == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", ["zipf", "repeats"])
def test_excess_copies_are_the_weight_of_a_mixture(request, name, rng, spread, weight):
    world = request.getfixturevalue(name)
    results = [world.measured(world.from_mixture(1000, rng, weight)).copies for _ in range(200)]
    mean, error, true_spread = spread([(x.excess_copies, x.excess_copies_se) for x in results])
    assert mean == pytest.approx(weight, abs=3.5 * true_spread / sqrt(200) + 1e-9)
    # At weight 1 of unique strings every sample is all copies: only the added string is left.
    assert error >= 0.8 * true_spread
    if weight < 1:
        assert error <= 1.2 * true_spread


def test_noise_has_no_excess(zipf, rng):
    copies = zipf.measured(zipf.from_noise(5000, rng)).copies
    assert abs(copies.excess_copies) <= 3 * copies.excess_copies_se


def test_error_is_not_zero_where_nothing_is_copied(zipf):
    nothing = Copies.of(zipf.reference, np.full(50, -1))
    assert nothing.excess_copies == 0
    strata = zipf.reference.strata
    added = (strata.mass_ratio**2 * strata.mass_control).sum()
    assert nothing.excess_copies_se == pytest.approx(sqrt(added) / 50)
    assert nothing.excess_copies_se > 0
    assert nothing.slope_over(strata)[1] > 0


@pytest.mark.parametrize("generated", [8, 30, 200])
@pytest.mark.parametrize("exponents", [{}, {0: 1.0, 2: 1.0}, {0: 2.0, 2: 2.0}])
def test_the_error_is_the_spread_however_few_the_copies(rng, generated, exponents):
    """For the grammar, whose Var E is exact, at 0.03 to 40 controls met."""
    grammar = Grammar.random(
        GrammarShape(depth=3, vocab_size=6, num_synonyms=4), zipf=exponents, seed=1
    )
    reference = Reference.build(GrammarSource(grammar).draw(400, seed=1))
    strata = reference.strata
    shares = np.concatenate([strata.mass_training, strata.mass_control])
    counts = rng.multinomial(generated, [*shares, 1 - shares.sum()], size=1000)
    errors = [Copies.of(reference, places(reference, row)).excess_copies_se for row in counts]
    ratio = strata.mass_ratio
    exact = sqrt((ratio * (1 + ratio) @ strata.mass_control) / generated)
    assert sqrt(np.mean(np.square(errors))) == pytest.approx(exact, rel=0.12)


def places(reference, counts):
    """A sample with so many strings of every stratum of D, then of C, and so many of neither."""
    sides, strata = reference.strings.sides, range(len(reference.strata))
    members = [
        np.flatnonzero((sides == side) & (reference.stratum == b))[0]
        for side in (1, 2)
        for b in strata
    ]
    return np.repeat([*members, -1], counts)


def test_strings_on_both_sides_count_for_neither():
    grammar = Grammar.random(GrammarShape(depth=2, vocab_size=4, num_synonyms=3), seed=1)
    strings, _ = grammar.enumerate()
    corpus = GrammarSource(grammar).of(strings[:40], strings[30:80])
    reference = Reference.build(corpus)
    copies = Copies.of(reference, reference.strings.places(strings[30:40])[:, 0])
    assert (copies.copy_fraction, copies.control_copy_fraction) == (0, 0)
    assert copies.excess_copies == 0
    assert copies.emitted.sum() == 10
    own = Copies.of(reference, reference.strings.places(strings[:30])[:, 0])
    assert own.copy_fraction == 1
    assert own.emitted_training == pytest.approx(np.ones(len(reference.strata)))


def test_emissions_count_every_string(world, rng):
    strings = sample(world, rng)
    emitted = world.measured(strings).copies.emitted
    corpus = np.concatenate([world.corpus.training.strings, world.corpus.control.strings])
    counts = Counter(map(bytes, strings))
    for count, row in zip(emitted, world.reference.strings.first, strict=True):
        assert count == counts[bytes(corpus[row])]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 60), depth=st.integers(1, 3))
def test_shares_are_shares_for_any_corpus(seed, size, depth):
    rng = np.random.default_rng(seed)
    grammar = Grammar.random(
        GrammarShape(depth=depth, vocab_size=6, num_synonyms=4), zipf={0: 1.3}, seed=seed
    )
    corpus = GrammarSource(grammar).draw(int(rng.integers(1, 12)), seed=seed)
    reference = Reference.build(corpus)
    strings = np.concatenate([corpus.training.strings, corpus.control.strings])
    strings = np.concatenate([strings, grammar.sample(20, rng)])
    strings = strings[rng.integers(len(strings), size=size)]
    copies = Copies.of(reference, reference.strings.places(strings)[:, 0])
    assert 0 <= copies.copy_fraction <= 1
    assert 0 <= copies.copy_fraction + copies.control_copy_fraction <= 1
    assert copies.excess_copies <= 1
    assert copies.excess_copies_se >= 0
    assert copies.emitted.sum() <= size
    for share in (copies.emitted_training, copies.emitted_control):
        assert ((share >= 0) & (share <= 1)).all()
