"""Discrete diffusion with the uniform kernel ([D3PM], section 3 and appendix A.2.1).

Forward, each leaf on its own: q(x_t | x_{t-1}) keeps a leaf with probability α_t and else redraws
it uniformly, so that q(x_t | x_0) keeps it with probability ᾱ_t = α_1 ⋯ α_t.

Reverse: p_θ(x_{t-1} | x_t) ∝ q(x_t | x_{t-1}) Σ_{x_0} q(x_{t-1} | x_0) p̃(x_0 | x_t), per leaf.
At its optimum p̃ is the **cavity** marginal: the posterior of the leaf with the leaf's own evidence
taken out, p̃(x_0) ∝ p(x_0 | x_t) / q(x_t | x_0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

FLOOR = 1e-30
"""Below every probability that a float32 softmax tells from 0; keeps logarithms finite."""


class Denoiser(Protocol):
    """What predicts x_0: the network, the exact grammar, or empirical Bayes."""

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Predict the cavity marginal of every leaf.

        Args:
            x_t: (K, B, d) noisy tokens of K members, int64.
            t: (K, B) diffusion steps, 1 … T, int64.

        Returns:
            (K, B, d, v) logits of p̃(x_0 | x_t), normalised or not.
        """
        ...


@dataclass(frozen=True)
class Diffusion:
    """The noise schedule and the kernels that follow from it.

    Attributes:
        vocab_size: v.
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
    ) -> Diffusion:
        """The linear schedule β_t = (0.001 + 0.099·t/T)·200/T of [S], for any T above 20.

        Raises:
            ValueError: when T is so small that β would reach 1.
        """
        if num_timesteps <= 20:
            raise ValueError(
                f"num_timesteps must be above 20, not {num_timesteps}: β would reach 1"
            )
        t = torch.arange(num_timesteps + 1, dtype=torch.float64)
        beta = (0.001 + 0.099 * t / num_timesteps) * 200 / num_timesteps
        beta[0] = 0.0
        alpha = 1 - beta
        alpha_bar = torch.cumprod(alpha, 0)
        return cls(vocab_size, alpha.to(device, dtype), alpha_bar.to(device, dtype))

    @property
    def num_timesteps(self) -> int:
        """T."""
        return len(self.alpha) - 1

    def noised(self, x_0: Tensor, t: Tensor, uniform: Tensor) -> Tensor:
        """Draw x_t from q(x_t | x_0) with one uniform number per leaf.

        A leaf is kept where u < ᾱ_t; what is left of u, (u - ᾱ_t)/(1 - ᾱ_t), is uniform again and
        picks the redrawn symbol.

        Args:
            x_0: (..., d) tokens.
            t: (...) diffusion steps.
            uniform: (..., d) numbers in [0, 1).
        """
        keep = self.alpha_bar[t].unsqueeze(-1)
        rest = (uniform - keep) / (1 - keep)
        redrawn = (rest * self.vocab_size).long().clamp(0, self.vocab_size - 1)
        return torch.where(uniform < keep, x_0, redrawn)

    def likelihood(self, x_t: Tensor, t: Tensor) -> Tensor:
        """q(x_t | x_0 = a) for every symbol a: (..., d, v) from tokens (..., d) and steps (...)."""
        keep = self.alpha_bar[t][..., None, None]
        return keep * self._one_hot(x_t) + (1 - keep) / self.vocab_size

    def loss(self, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """KL( q(x_{t-1} | x_t, x_0) ‖ p_θ(x_{t-1} | x_t) ) per leaf, nats; [D3PM] eq. 1, L_{t-1}.

        At t = 1 this is -log p_θ(x_0 | x_1), since ᾱ_0 = 1.

        Args:
            logits: (..., d, v) of p̃.
            x_0, x_t: (..., d) tokens.
            t: (...) diffusion steps, 1 … T.

        Returns:
            (..., d), 0 or more.
        """
        loss, _ = self.loss_and_slope(logits, x_0, x_t, t)
        return loss

    def loss_and_slope(
        self, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loss (..., d) and its derivative in the logits (..., d, v); see `loss`.

        With f(y) = q(x_t | y), r(y) = ᾱ_{t-1} p̃(y) + (1 - ᾱ_{t-1})/v, r⁰ the same for the true
        x_0, Z = Σ f r and q(y) = f(y) r⁰(y) / Z⁰:

            KL = Σ_y q(y) [log r⁰(y) - log r(y)] + log Z - log Z⁰
            ∂KL/∂r(y) = f(y)/Z - q(y)/r(y)
            ∂KL/∂logit(y) = ᾱ_{t-1} p̃(y) [∂KL/∂r(y) - Σ_z p̃(z) ∂KL/∂r(z)]
        """
        guess = torch.softmax(logits, -1)
        f = self._transition(x_t, t)
        r = self._previous(guess, t).clamp_min(FLOOR)
        r_true = self._previous(self._one_hot(x_0), t).clamp_min(FLOOR)
        z = (f * r).sum(-1, keepdim=True)
        z_true = (f * r_true).sum(-1, keepdim=True)
        q = f * r_true / z_true
        loss = (q * torch.log(r_true / r)).sum(-1) + torch.log(z / z_true).squeeze(-1)
        slope = f / z - q / r
        slope = guess * (slope - (guess * slope).sum(-1, keepdim=True))
        return loss, slope * self.alpha_bar[t - 1][..., None, None]

    def reverse_weights(self, logits: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """Unnormalised p_θ(x_{t-1} | x_t), (..., d, v); see `loss` for the shapes."""
        previous = self._previous(torch.softmax(logits, -1), t)
        return self._transition(x_t, t) * previous

    def _transition(self, x_t: Tensor, t: Tensor) -> Tensor:
        """q(x_t | x_{t-1} = y) for every y: (..., d, v)."""
        keep = self.alpha[t][..., None, None]
        return keep * self._one_hot(x_t) + (1 - keep) / self.vocab_size

    def _previous(self, x_0: Tensor, t: Tensor) -> Tensor:
        """Σ_{x_0} q(x_{t-1} = y | x_0) p(x_0) for every y, from the distribution of x_0."""
        keep = self.alpha_bar[t - 1][..., None, None]
        return keep * x_0 + (1 - keep) / self.vocab_size

    def _one_hot(self, tokens: Tensor) -> Tensor:
        symbols = torch.arange(self.vocab_size, device=tokens.device)
        return (tokens.unsqueeze(-1) == symbols).to(self.alpha.dtype)
