"""What a model is told of the noise: numbers, and what they make of a noisy leaf.

Every kernel keeps a leaf with probability ᾱ_t and else draws it from π, which gives each symbol of
the strings the same share: 1/v of all (uniform), or nothing (absorbing: all is on a mask).
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Noise(Protocol):
    """The numbers of a noise process; every `study.processes.process.Diffusion` has them."""

    @property
    def alpha_bar(self) -> Tensor:
        """(T + 1,) ᾱ_t, the probability that a leaf is untouched until step t."""
        ...

    @property
    def stationary(self) -> Tensor:
        """π (n,): the probability of each of n symbols that a noisy leaf can be, where it was
        hit; the v symbols of the strings come first."""
        ...


def trust(noise: Noise, v: int) -> Tensor:
    """η_t (T + 1,) float64: what a leaf seen as one of v symbols says of x_0 by itself.

    The evidence q(x_t | x_0 = a) = ᾱ_t [a = x_t] + (1-ᾱ_t) π(x_t), normalised over the symbols a,
    is η_t [a = x_t] + (1-η_t)/v with η_t = ᾱ_t/(ᾱ_t + (1-ᾱ_t)·Π), Π = Σ_{a<v} π(a). So η_t = ᾱ_t
    where noise is uniform, Π = 1, and 1 where it masks, Π = 0: a leaf that is seen is as it was.
    """
    alpha_bar, pi = noise.alpha_bar.double(), noise.stationary.double()
    share = pi[:v].sum() / pi.sum()
    seen = alpha_bar.clamp_min(torch.finfo(torch.float32).tiny)  # nothing is seen where ᾱ_t = 0
    return seen / seen.lerp(torch.ones_like(seen), share)


def evidence_of_certainty(noise: Noise, v: int, columns: int) -> Tensor:
    """(n, columns): normalised evidence of each noisy symbol were it not drawn from π.

    [a = x_t] for a symbol of the strings; 1/v for a mask, which fits all alike; 0 beyond v.
    """
    found = noise.alpha_bar.new_zeros(len(noise.stationary), columns)
    found[:v, :v].fill_diagonal_(1)
    found[v:, :v] = 1 / v
    return found
