import numpy as np
import pytest

from rhm import Grammar, GrammarShape, refit, refit_rule_probabilities
from study.corpus import GrammarSource


def excess_fit(v: int, m: int, depth: int, size: int, seed: int) -> float:
    """Σ_b (q(D_b) - ρ_b q(C_b)) with the masses q of the refitted grammar."""
    shape = GrammarShape(depth=depth, vocab_size=v, num_synonyms=m)
    grammar = Grammar.random(shape, {depth - 1: 1.0}, seed)
    corpus = GrammarSource(grammar).draw(size, seed=seed)
    strata = corpus.strata
    learned = refit(grammar, corpus.training.strings)
    excess = 0.0
    for side, stratum, factor in (
        (corpus.training, strata.training_stratum, np.ones(len(strata))),
        (corpus.control, strata.control_stratum, -strata.mass_ratio),
    ):
        excess += (np.exp(learned.log_likelihood(side.strings)) * factor[stratum]).sum()
    return excess


@pytest.mark.parametrize(
    ("depth", "size", "expected", "tolerance"),
    [(2, 16, 0.28, 0.03), (2, 48, 0.17, 0.02), (3, 128, 0.005, 0.005)],
)
def test_a_perfect_rule_learner_is_not_at_zero_on_small_grammars(depth, size, expected, tolerance):
    excess = np.mean([excess_fit(8, 4, depth, size, seed) for seed in range(60)])
    assert abs(excess - expected) <= tolerance


def test_refit_maximises_the_likelihood(small):
    strings = small.sample(60, np.random.default_rng(0))
    learned = refit(small, strings)
    best = learned.log_likelihood(strings).sum()
    assert best >= small.log_likelihood(strings).sum()
    rng = np.random.default_rng(1)
    for _ in range(20):
        nearby = learned.with_rule_probabilities(
            [
                0.9 * p + 0.1 * rng.dirichlet(np.ones(p.shape[1]), len(p))
                for p in learned.rule_matrices
            ],
            0.9 * learned.class_probabilities
            + 0.1 * rng.dirichlet(np.ones(small.shape.num_classes)),
        )
        assert nearby.log_likelihood(strings).sum() <= best + 1e-9


def test_refit_on_many_strings_recovers_the_grammar(small):
    strings = small.sample(40_000, np.random.default_rng(2))
    probabilities, roots = refit_rule_probabilities(small, strings)
    np.testing.assert_allclose(roots, small.class_probabilities, atol=0.02)
    marginals = small.node_marginals()
    for level, fitted in enumerate(probabilities):
        seen = marginals[level].max(axis=0) > 0.02
        np.testing.assert_allclose(fitted[seen], small.rule_matrices[level][seen], atol=0.05)


def test_symbols_that_do_not_occur_keep_their_probabilities():
    grammar = Grammar.random(GrammarShape(depth=2, vocab_size=6, num_synonyms=4), {1: 1.0})
    string = grammar.sample(1, np.random.default_rng(0))
    probabilities, roots = refit_rule_probabilities(grammar, string)
    assert sorted(roots) == [0, 0, 0, 0, 0, 1]
    absent = np.setdiff1d(np.arange(6), grammar.parse(string).symbols[1])
    np.testing.assert_array_equal(probabilities[1][absent], grammar.rule_matrices[1][absent])


def test_ungrammatical_strings_are_refused():
    grammar = Grammar.from_rules([[[[0, 0]], [[1, 1]]]])
    with pytest.raises(ValueError, match="string 1 is ungrammatical"):
        refit(grammar, np.array([[0, 0], [0, 1]]))
