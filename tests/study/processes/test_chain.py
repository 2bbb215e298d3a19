"""The law of the strings that an exact denoiser generates, by enumeration.

A reverse step redraws every leaf from its own marginal, apart from the others. What that loses is
of the order of the step, so the law is off by O(1/T): at T = 50 a common root rule is used
a few percent too seldom, at T = 200 a quarter of that. Overproduction is to be read against that.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from rhm import Grammar, GrammarShape
from study.processes.exact_denoisers import GrammarDenoiser
from study.processes.generation import generate
from study.processes.uniform import Uniform
from tests.study.calibration.samplers import fine
from tests.study.reverse_steps import exact, generated_law

SHAPE = GrammarShape(depth=2, vocab_size=4, num_synonyms=3)


def errors(grammar: Grammar, diffusion: Uniform, steps: int | None = None) -> tuple[float, float]:
    """Total variation from the grammar, and overproduction - 1 of the commonest root rule."""
    bias = exact(grammar, diffusion, steps)
    return bias.last, bias.common


def own(num_timesteps: int) -> Uniform:
    return Uniform.build(num_timesteps, SHAPE.vocab_size, dtype=torch.float64)


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


@pytest.mark.parametrize("steps", [6, 24])
def test_generated_strings_follow_the_law(steps):
    grammar, diffusion = Grammar.random(SHAPE, zipf={0: 1.0}, seed=1), own(24)
    law = generated_law(GrammarDenoiser(grammar, diffusion), diffusion, SHAPE.num_leaves, steps)
    (strings,) = generate(
        GrammarDenoiser(grammar, diffusion),
        diffusion,
        [0],
        count=1 << 14,
        leaves=SHAPE.num_leaves,
        reverse_steps=steps,
    )
    place = SHAPE.vocab_size ** np.arange(SHAPE.num_leaves)[::-1]
    counts = np.bincount(strings.astype(int) @ place, minlength=len(law))
    rare = len(strings) * law < 5
    found, expected = (np.append(x[~rare], x[rare].sum()) for x in (counts, len(strings) * law))
    assert chisquare(found, expected).pvalue > 0.01
