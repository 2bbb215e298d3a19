"""The whole way of a measurement, with exact denoisers in the network's place.

A perfect generalizer must show no memorization and a perfect memorizer nothing else, at the
protocol's own number of diffusion steps. A mistake in the reverse chain, in the cavity form of the
denoisers, in the parse or in any measure would show here.
"""

import numpy as np
import pytest
import torch

from rhm import Grammar, GrammarShape
from study.corpus import GrammarSource
from study.measures import Reference, measure_strings
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser
from study.processes.generation import generate
from study.processes.registry import PROCESSES

GENERATED = 3072


@pytest.fixture(scope="module")
def corpus():
    shape = GrammarShape(depth=3, vocab_size=6, num_synonyms=4)
    grammar = Grammar.random(shape, zipf={0: 1.0, 2: 1.0}, seed=5)
    return GrammarSource(grammar).draw(128, seed=5)


STEPS = {"uniform": 200, "absorbing": 1000}
"""Leaves that are unmasked in one step do not know of one another: more steps, less bias."""


@pytest.fixture(scope="module", params=PROCESSES)
def yardsticks(request, corpus):
    """Strings that each exact denoiser generates by as many reverse steps."""
    process, v = PROCESSES[request.param], corpus.grammar.shape.vocab_size
    diffusion = process.build(STEPS[request.param], v)
    denoisers = {
        "grammar": GrammarDenoiser(corpus.grammar, diffusion),
        "memorizer": EmpiricalBayesDenoiser(corpus.training.strings, diffusion),
    }
    torch.set_num_threads(1)
    leaves = corpus.grammar.shape.num_leaves
    return {
        name: generate(denoiser, diffusion, [0], count=GENERATED, leaves=leaves)[0]
        for name, denoiser in denoisers.items()
    }


@pytest.fixture(scope="module")
def reference(corpus):
    return Reference.build(corpus)


def measured(reference, strings):
    """The one row of the curves, and the levels."""
    tables = measure_strings(reference, strings)
    return {name: column[0] for name, column in tables["curves"].items()}, tables["levels"]


def defined_lambdas(levels):
    """(λ_l, its standard error) by level where λ_l is defined."""
    pairs = zip(levels["partial_memorization"], levels["partial_memorization_se"], strict=True)
    return {level: pair for level, pair in enumerate(pairs) if pair[0] is not None}


def test_exact_grammar_generates_strings_of_the_grammar_and_copies_at_chance(yardsticks, reference):
    curves, levels = measured(reference, yardsticks["grammar"])
    assert curves["root_validity"] > 0.98
    assert abs(curves["excess_copies"]) <= 3 * curves["excess_copies_se"]
    assert abs(curves["typicality_slope"]) <= 3 * curves["typicality_slope_se"]
    assert curves["relative_slope"] is None
    lambdas = defined_lambdas(levels)
    assert set(lambdas) == {0, 1}
    for value, error in lambdas.values():
        assert abs(value) <= 3 * error
    assert curves["novel_validity"] == pytest.approx(1, abs=0.05)


def test_empirical_bayes_copies_and_nothing_else(yardsticks, reference):
    curves, levels = measured(reference, yardsticks["memorizer"])
    assert curves["excess_copies"] > 0.98
    assert curves["control_copy_fraction"] < 0.01
    assert curves["novel_validity"] == pytest.approx(0, abs=0.02)
    assert abs(curves["typicality_slope"]) <= 3 * curves["typicality_slope_se"]
    assert levels["partial_memorization"][0] > 0.98
    value, error = defined_lambdas(levels)[1]
    assert abs(value - 1) <= 3 * error


def test_half_and_half_is_half_memorized(yardsticks, reference):
    half = GENERATED // 2
    mixture = np.concatenate([yardsticks["grammar"][:half], yardsticks["memorizer"][:half]])
    curves, levels = measured(reference, mixture)
    assert abs(curves["excess_copies"] - 0.5) <= 3 * curves["excess_copies_se"]
    assert abs(curves["typicality_slope"]) <= 3 * curves["typicality_slope_se"]
    for value, error in defined_lambdas(levels).values():
        assert abs(value - 0.5) <= 3 * error
