"""Exact denoisers: the yardsticks that a network is held against.

Both give D3PM its cavity marginals, as a trained network does: the grammar's are those of a
perfect generalizer, empirical Bayes' those of a perfect memorizer. Computed in float64.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rhm import Grammar
from study.processes.process import Diffusion

CELLS = 1 << 22
"""Entries of the (noisy string, training string) table held at once; bounds the memory."""


def posterior_of(cavity_logits: Tensor, evidence: Tensor) -> Tensor:
    """p(x_0 | x_t) ∝ p̃(x_0)·q(x_t | x_0) per leaf, from logits of p̃ and evidence (..., d, v)."""
    weights = torch.softmax(cavity_logits.double(), -1) * evidence
    return weights / weights.sum(-1, keepdim=True)


def cavity_of(posterior: Tensor, evidence: Tensor) -> Tensor:
    """p̃(x_0) ∝ p(x_0 | x_t) / q(x_t | x_0) per leaf, (..., d, v): the inverse of `posterior_of`."""
    weights = posterior / evidence
    return weights / weights.sum(-1, keepdim=True)


class GrammarDenoiser:
    """E[x_0 | x_t] under the grammar by belief propagation, in cavity form."""

    def __init__(self, grammar: Grammar, diffusion: Diffusion) -> None:
        self._grammar = grammar
        self._diffusion = diffusion

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Normalised log p̃, (K, B, d, v); see `study.processes.process.Denoiser`."""
        evidence = self._diffusion.likelihood(x_t, t).double()
        cavity = self._grammar.cavity(evidence.flatten(0, 1))
        return torch.as_tensor(cavity).log().view(evidence.shape).to(self._diffusion.alpha.dtype)

    def posterior(self, evidence: Tensor) -> Tensor:
        """p(x_0 | x_t) per leaf from the evidence q(x_t | x_0), both (B, d, v) float64."""
        return torch.as_tensor(self._grammar.posterior(evidence))


class EmpiricalBayesDenoiser:
    """E[x_0 | x_t] under the uniform distribution over a set of strings, in cavity form."""

    def __init__(self, strings: np.ndarray, diffusion: Diffusion) -> None:
        self._diffusion = diffusion
        tokens = torch.as_tensor(strings.astype(np.int64), device=diffusion.alpha.device)
        one_hot = torch.nn.functional.one_hot(tokens, diffusion.vocab_size)
        self._strings = one_hot.double().flatten(1)  # (N, d·v)

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Normalised log p̃, (K, B, d, v); see `study.processes.process.Denoiser`."""
        evidence = self._diffusion.likelihood(x_t, t).double()
        rows = evidence.flatten(0, 1)
        cavity = cavity_of(self.posterior(rows), rows)
        return cavity.log().view(evidence.shape).to(self._diffusion.alpha.dtype)

    def posterior(self, evidence: Tensor) -> Tensor:
        """p(x_0 | x_t) per leaf from the evidence q(x_t | x_0), both (B, d, v) float64."""
        size = max(1, CELLS // len(self._strings))
        return torch.cat([self._weighted(part) for part in evidence.split(size)])

    def _weighted(self, evidence: Tensor) -> Tensor:
        """The strings' one-hot leaves, weighted by Π_leaves q(x_t | x_0)."""
        log_weights = evidence.log().flatten(1) @ self._strings.T
        weights = torch.softmax(log_weights, dim=1)
        return (weights @ self._strings).view(evidence.shape)
