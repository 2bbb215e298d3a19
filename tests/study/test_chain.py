"""The law of the strings that an exact denoiser generates, by enumeration.

A reverse step redraws every leaf from its own marginal, apart from the others. What that loses is
of the order of the step, so the law is off by O(1/T): at T = 50 a common root rule is used
a few percent too seldom, at T = 200 a quarter of that. Overproduction is to be read against that.
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch

from rhm import Grammar, GrammarShape
from study.diffusion import Diffusion
from study.oracles import GrammarDenoiser
from study.sampling import spaced
from tests.study.calibration.samplers import fine

SHAPE = GrammarShape(depth=2, vocab_size=4, num_synonyms=3)
STRINGS = np.array(list(product(range(SHAPE.vocab_size), repeat=SHAPE.num_leaves)), dtype=np.uint8)


def generated_law(grammar: Grammar, diffusion: Diffusion, steps: int | None = None) -> np.ndarray:
    """Probability of every string after all reverse steps, from the uniform law of x_T."""
    denoiser, T = GrammarDenoiser(grammar, diffusion), diffusion.num_timesteps
    x = torch.as_tensor(STRINGS.astype(np.int64)).unsqueeze(0)
    law = np.full(len(STRINGS), 1 / len(STRINGS))
    times = torch.tensor(spaced(T, steps or T)).view(-1, 1, 1)
    for t, to in pairwise(times):
        weights = diffusion.reverse_weights(denoiser(x, t), x, t, to)[0].numpy()
        of_leaf = (weights / weights.sum(0)).transpose(2, 1, 0)  # (d, x_t, symbol)
        moved = of_leaf[0]
        for leaf in of_leaf[1:]:
            moved = (moved[:, :, None] * leaf[:, None, :]).reshape(len(STRINGS), -1)
        law = law @ moved
    return law


def errors(grammar: Grammar, diffusion: Diffusion, steps: int | None = None) -> tuple[float, float]:
    """Total variation from the grammar, and overproduction - 1 of the commonest root rule."""
    law = generated_law(grammar, diffusion, steps)
    assert law.sum() == pytest.approx(1)
    ranks = grammar.parse(STRINGS).ranks[0][:, 0]
    shares = np.bincount(ranks[ranks >= 0], law[ranks >= 0])
    common = shares[0] / shares.sum() / grammar.rule_probabilities[0][0] - 1
    return float(np.abs(law - np.exp(grammar.log_likelihood(STRINGS))).sum() / 2), float(common)


def own(num_timesteps: int) -> Diffusion:
    return Diffusion.build(num_timesteps, SHAPE.vocab_size, dtype=torch.float64)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_error_of_an_exact_denoiser_halves_as_its_steps_double(seed):
    grammar = Grammar.random(SHAPE, zipf={0: 1.0}, seed=seed)
    found = np.array([errors(grammar, own(T)) for T in (50, 100, 200)])
    assert found[0, 0] < 0.05
    assert (found[:, 1] < 0).all()  # common root rules come too seldom
    assert found[1:] / found[:-1] == pytest.approx(np.full((2, 2), 0.5), abs=0.08)


def test_strides_are_biased_as_fewer_steps_are():
    grammar = Grammar.random(SHAPE, zipf={0: 1.0}, seed=1)
    found = np.array([errors(grammar, own(200), steps) for steps in (50, 100, 200)])
    assert found[1:] / found[:-1] == pytest.approx(np.full((2, 2), 0.5), abs=0.08)


def test_the_schedule_of_the_calibration_is_off_by_half_as_much():
    grammar = Grammar.random(SHAPE, zipf={0: 1.0}, seed=1)
    finer = errors(grammar, fine(100, SHAPE.vocab_size, dtype=torch.float64))
    assert np.array(finer) / errors(grammar, own(100)) == pytest.approx(0.35, abs=0.15)
