"""Exact denoisers against Bayes' rule over all strings, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rhm import Grammar, GrammarShape
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser
from study.processes.uniform import Uniform

SHAPES = [
    GrammarShape(depth=2, vocab_size=4, num_synonyms=2),
    GrammarShape(depth=1, vocab_size=3, num_synonyms=4, tuple_size=3, num_classes=2),
]


def cavity_by_enumeration(strings, prior, evidence) -> np.ndarray:
    """p(x_0 leaf = a | every other leaf's evidence), (B, d, v)."""
    batch, leaves, v = evidence.shape
    out = np.zeros(evidence.shape)
    for b in range(batch):
        for leaf in range(leaves):
            others = [j for j in range(leaves) if j != leaf]
            weight = prior * np.prod([evidence[b, j, strings[:, j]] for j in others], axis=0)
            out[b, leaf] = np.bincount(strings[:, leaf], weights=weight, minlength=v)
    return out / out.sum(-1, keepdims=True)


def noisy(diffusion: Uniform, leaves: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    x_t = torch.randint(diffusion.vocab_size, (1, 12, leaves), generator=g)
    return x_t, torch.randint(1, 31, (1, 12), generator=g)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("which", ["grammar", "empirical"])
def test_exact_denoisers_give_cavity_marginals(shape, which):
    zipf = dict.fromkeys(range(shape.depth), 1.3)
    grammar = Grammar.random(shape, zipf=zipf, seed=2)
    diffusion = Uniform.build(30, shape.vocab_size, dtype=torch.float64)
    x_t, t = noisy(diffusion, shape.num_leaves)
    evidence = diffusion.likelihood(x_t, t)[0].numpy()
    if which == "grammar":
        strings, log_p = grammar.enumerate()
        prior, denoiser = np.exp(log_p), GrammarDenoiser(grammar, diffusion)
    else:
        strings = grammar.sample(9, np.random.default_rng(1))
        prior, denoiser = np.ones(9), EmpiricalBayesDenoiser(strings, diffusion)
    expected = cavity_by_enumeration(strings.astype(int), prior, evidence)
    guess = torch.softmax(denoiser(x_t, t), -1)[0].numpy()
    assert np.abs(guess - expected).max() < 1e-6


def test_members_of_a_pack_are_denoised_alike():
    grammar = Grammar.random(SHAPES[0], seed=2)
    diffusion = Uniform.build(30, 4)
    x_t, t = noisy(diffusion, 4)
    for denoiser in (
        GrammarDenoiser(grammar, diffusion),
        EmpiricalBayesDenoiser(grammar.sample(9, np.random.default_rng(1)), diffusion),
    ):
        packed = denoiser(x_t.view(3, 4, 4), t.view(3, 4))
        assert torch.allclose(packed.view(1, 12, 4, 4), denoiser(x_t, t))
