"""What a noise process is to everything else: the forward kernel, the loss and the way back.

Forward, each leaf on its own: q(x_t | x_{t-1}) keeps a leaf with probability α_t and else draws it
from a **stationary** distribution π, so that q(x_t | x_0) keeps it with probability
ᾱ_t = α_1 ⋯ α_t, and at t = T every leaf follows π ([D3PM], section 3 and appendix A.2). Which π it
is makes the process: uniform over the vocabulary, or all on one mask symbol.

Reverse: p_θ(x_{t-1} | x_t) ∝ q(x_t | x_{t-1}) Σ_{x_0} q(x_{t-1} | x_0) p̃(x_0 | x_t), per leaf.
At its optimum p̃ is the **cavity** marginal: the posterior of the leaf with the leaf's own evidence
taken out, p̃(x_0) ∝ p(x_0 | x_t) / q(x_t | x_0).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SYMBOLS = 1
"""The axis of the vocabulary wherever it matters for speed: the long axis of the strings comes
last, so that every operation runs along it."""

FLOOR = 1e-30
"""Below every probability that a float32 softmax tells from 0; keeps logarithms finite."""


class Denoiser(Protocol):
    """What predicts x_0: the network, the exact grammar, or empirical Bayes."""

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Predict the cavity marginal of every leaf.

        Args:
            x_t: (K, B, d) noisy tokens of K members, int64, below `Diffusion.num_inputs`.
            t: (K, B) diffusion steps, 1 … T, int64; or (1, 1), one for all strings.

        Returns:
            (K, B, d, v) logits of p̃(x_0 | x_t), normalised or not.
        """
        ...


@dataclass(frozen=True)
class Diffusion(ABC):
    """A noise process with its schedule.

    Attributes:
        vocab_size: v, symbols of the strings.
        alpha: (T + 1,) α_t, the probability of keeping a leaf in step t; α_0 = 1.
        alpha_bar: (T + 1,) ᾱ_t; ᾱ_0 = 1 exactly.
    """

    vocab_size: int
    alpha: Tensor
    alpha_bar: Tensor

    @classmethod
    def build(
        cls,
        num_timesteps: int,
        vocab_size: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """The process with the linear schedule of [Aparicio 2026], see `linear_schedule`."""
        alpha = cls._scheduled(linear_schedule(num_timesteps))
        alpha_bar = torch.cumprod(alpha, 0)
        return cls(vocab_size, alpha.to(device, dtype), alpha_bar.to(device, dtype))

    @classmethod
    def _scheduled(cls, alpha: Tensor) -> Tensor:
        """The α_t (T + 1,) of this process, from those of the schedule."""
        return alpha

    @property
    def num_timesteps(self) -> int:
        """T."""
        return len(self.alpha) - 1

    @property
    @abstractmethod
    def stationary(self) -> Tensor:
        """π, from which a leaf that noise hits is drawn: (num_inputs,) probabilities."""

    @property
    def num_inputs(self) -> int:
        """Symbols that a noisy leaf can be; those of the strings come first."""
        return len(self.stationary)

    @abstractmethod
    def pure_noise(self, uniform: Tensor) -> Tensor:
        """x_T drawn from π with one uniform number per leaf, (...) tokens from (...) numbers."""

    @abstractmethod
    def noised(self, x_0: Tensor, t: Tensor, uniform: Tensor) -> Tensor:
        """Draw x_t from q(x_t | x_0) with one uniform number per leaf, kept where u < ᾱ_t.

        Args:
            x_0: (..., d) tokens.
            t: (...) diffusion steps.
            uniform: (..., d) numbers in [0, 1), or what broadcasts to that.
        """

    def redrawn(self, t: Tensor, uniform: Tensor) -> Tensor:
        """Which leaves `noised` draws anew, (..., d), some of them perhaps as they were."""
        return uniform >= self.alpha_bar[t].unsqueeze(-1)

    @abstractmethod
    def likelihood(self, x_t: Tensor, t: Tensor) -> Tensor:
        """q(x_t | x_0 = a) for every symbol a: (..., d, v) from tokens (..., d) and steps (...).

        Positive everywhere, at least `FLOOR`: the posterior is p ∝ p̃·q(x_t | x_0) and the cavity
        marginal p̃ ∝ p / q(x_t | x_0) for every process.
        """

    def loss(self, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """KL( q(x_{t-1} | x_t, x_0) ‖ p_θ(x_{t-1} | x_t) ) per leaf, nats; [D3PM] eq. 1, L_{t-1}.

        At t = 1 this is -log p_θ(x_0 | x_1), since ᾱ_0 = 1.

        Args:
            logits: (K, B, d, v) of p̃.
            x_0, x_t: (K, B, d) tokens.
            t: (K, B) diffusion steps, 1 … T.

        Returns:
            (K, B, d), 0 or more up to rounding.
        """
        loss, _ = self.loss_and_gradient(logits, x_0, x_t, t)
        return loss

    @abstractmethod
    def loss_and_gradient(
        self, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loss (K, B, d) and its derivative in the logits (K, B, d, v); see `loss`."""

    @abstractmethod
    def reverse_weights(self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor) -> Tensor:
        """Unnormalised p_θ(x_to | x_t), (K, num_inputs, B, d), for a step `to` before t.

        Longer strides than t - 1 leave the leaves that change together unaware of one another:
        fewer steps are quicker and biased.
        """

    @abstractmethod
    def reverse_step(
        self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor, uniform: Tensor
    ) -> Tensor:
        """Draw x_to from p_θ(x_to | x_t) with one uniform number per leaf, small ones for a change.

        Args:
            logits: (K, B, d, v) of p̃.
            x_t: (K, B, d) tokens.
            t, to: (1, 1) diffusion steps, to < t.
            uniform: (K, B, d) in [0, 1).
        """

    @abstractmethod
    def most_change(self, t: Tensor, to: Tensor) -> Tensor:
        """The most probability with which a reverse step can change a leaf, whatever p̃ says."""

    def mean_change(self, t: Tensor, to: Tensor) -> Tensor:
        """How often `may_change` holds for a leaf on the way back, on average."""
        return self.most_change(t, to)

    def may_change(self, x_t: Tensor, uniform: Tensor, bound: float) -> Tensor:
        """Which leaves a reverse step may change, (K, B, d), given `most_change` as bound."""
        return uniform < bound

    @abstractmethod
    def shares_of_steps(self) -> NDArray[np.float64]:
        """Share of a likelihood's draws that falls on each step t = 1 … T, (T,): about as
        the step's loss differs between strings.
        """


def linear_schedule(num_timesteps: int) -> Tensor:
    """α_t = 1 - β_t, (T + 1,) float64, β_t = (0.001 + 0.099·t/T)·200/T, any T above 20.

    Of [Aparicio 2026].

    Raises:
        ValueError: when T is so small that β would reach 1.
    """
    if num_timesteps <= 20:
        raise ValueError(f"num_timesteps must be above 20, not {num_timesteps}: β would reach 1")
    t = torch.arange(num_timesteps + 1, dtype=torch.float64)
    beta = (0.001 + 0.099 * t / num_timesteps) * 200 / num_timesteps
    beta[0] = 0.0
    return 1 - beta
