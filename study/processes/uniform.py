"""Discrete diffusion with the uniform kernel ([D3PM], section 3 and appendix A.2.1).

Forward, each leaf on its own: q(x_t | x_{t-1}) keeps a leaf with probability α_t and else redraws
it uniformly, so that q(x_t | x_0) keeps it with probability ᾱ_t = α_1 ⋯ α_t.

Reverse: p_θ(x_{t-1} | x_t) ∝ q(x_t | x_{t-1}) Σ_{x_0} q(x_{t-1} | x_0) p̃(x_0 | x_t), per leaf.
At its optimum p̃ is the **cavity** marginal: the posterior of the leaf with the leaf's own evidence
taken out, p̃(x_0) ∝ p(x_0 | x_t) / q(x_t | x_0).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import torch
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
            x_t: (K, B, d) noisy tokens of K members, int64.
            t: (K, B) diffusion steps, 1 … T, int64; or (1, 1), one for all strings.

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
    _posterior_values: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_posterior_values", self._possible_posteriors())

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
            uniform: (..., d) numbers in [0, 1), or what broadcasts to that.
        """
        v = self.vocab_size
        keep = self.alpha_bar[t].unsqueeze(-1).expand(*t.shape, x_0.shape[-1]).contiguous()
        redrawn = (uniform - keep).mul_(v / (1 - keep)).clamp_(0, v - 1)
        return torch.where(uniform < keep, x_0, redrawn.long())

    def likelihood(self, x_t: Tensor, t: Tensor) -> Tensor:
        """q(x_t | x_0 = a) for every symbol a: (..., d, v) from tokens (..., d) and steps (...)."""
        keep = self.alpha_bar[t][..., None, None]
        return keep * self._one_hot(x_t) + (1 - keep) / self.vocab_size

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
        loss, _ = self.loss_and_slope(logits, x_0, x_t, t)
        return loss

    def loss_and_slope(
        self, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loss (K, B, d) and its derivative in the logits (K, B, d, v); see `loss`.

        With q(y) = q(x_{t-1} = y | x_t, x_0), r(y) = ᾱ_{t-1} p̃(y) + (1 - ᾱ_{t-1})/v, the same r⁰
        for the true x_0, Z = Σ_y q(x_t | y) r(y) = α_t r(x_t) + (1 - α_t)/v and Z⁰ likewise:

            KL = Σ_y q(y) [log r⁰(y) - log r(y)] + log Z - log Z⁰
            D(y) = ᾱ_{t-1} p̃(y) [q(y)/r(y) - α_t [y = x_t]/Z]
            ∂KL/∂logit(y) = p̃(y) Σ_z D(z) - D(y)
        """
        guess = torch.softmax(logits.movedim(-1, SYMBOLS), SYMBOLS)
        x_0, x_t, t = (x.unsqueeze(SYMBOLS) for x in (x_0, x_t, t.unsqueeze(-1).expand_as(x_t)))
        q, constant = self._posterior(x_0, x_t, t)
        alpha, earlier = self.alpha[t], self.alpha_bar[t - 1]
        rest = (1 - earlier).div_(self.vocab_size).clamp_min_(FLOOR)
        r = torch.addcmul(rest, guess, earlier)
        z = (1 - alpha).div_(self.vocab_size).addcmul_(alpha, r.gather(SYMBOLS, x_t))
        loss = constant + z.log() - (q * r.log()).sum(SYMBOLS, keepdim=True)
        d = q.div_(r).scatter_add_(SYMBOLS, x_t, -alpha / z).mul_(guess).mul_(earlier)
        slope = guess.mul_(d.sum(SYMBOLS, keepdim=True)).sub_(d)
        return loss.squeeze(SYMBOLS), slope.movedim(SYMBOLS, -1)

    def reverse_weights(self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor) -> Tensor:
        """Unnormalised p_θ(x_to | x_t), (K, v, B, d), for a step `to` before t, such as t - 1.

        A leaf keeps its symbol from `to` to t with probability ᾱ_t/ᾱ_to. Longer strides leave the
        leaves that change together unaware of one another: fewer steps are quicker and biased.
        """
        guess = torch.softmax(logits.movedim(-1, SYMBOLS), SYMBOLS)
        earlier = self.alpha_bar[to]
        kept, earlier = (
            x.unsqueeze(-1).unsqueeze(SYMBOLS) for x in (self.alpha_bar[t] / earlier, earlier)
        )
        previous = guess.mul_(earlier).add_((1 - earlier) / self.vocab_size)
        here = x_t.unsqueeze(SYMBOLS)
        stayed = previous.gather(SYMBOLS, here).mul_(kept)
        return previous.mul_((1 - kept) / self.vocab_size).scatter_add_(SYMBOLS, here, stayed)

    def most_change(self, t: Tensor, to: Tensor) -> Tensor:
        """The most probability with which a reverse step can change a leaf, whatever p̃ says.

        A leaf stays with a probability ∝ (k + (1-k)/v) r(x_t), k = ᾱ_t/ᾱ_to, and changes with one
        ∝ (1-k)/v (1 - r(x_t)); r = ᾱ_to p̃ + (1 - ᾱ_to)/v is least where p̃(x_t) = 0.
        """
        # Rounded as `reverse_weights` rounds it: what it leaves of 1 is small.
        earlier = self.alpha_bar[to]
        kept, earlier = (self.alpha_bar[t] / earlier).double(), earlier.double()
        redrawn, least = (1 - kept) / self.vocab_size, (1 - earlier) / self.vocab_size
        change, stay = redrawn * (1 - least), (kept + redrawn) * least
        return change / (change + stay)

    def _posterior(self, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """q(x_{t-1} | x_t, x_0), (K, v, B, d), and log r⁰ - log Z⁰ under it, from (K, 1, B, d)."""
        elsewhere, at_x_0, at_x_t, constant = self._posterior_values[:, 2 * t + (x_0 == x_t)]
        q = elsewhere.repeat_interleave(self.vocab_size, SYMBOLS)
        q.scatter_(SYMBOLS, x_0, at_x_0).scatter_(SYMBOLS, x_t, at_x_t)
        return q, constant

    def _possible_posteriors(self) -> Tensor:
        """What `_posterior` can be, (4, 2(T + 1)), at 2t + [x_0 = x_t]; t = 0 has no meaning."""
        alpha, earlier = (x.double().unsqueeze(1) for x in (self.alpha, self.alpha_bar.roll(1)))
        same = torch.tensor([0.0, 1.0], dtype=torch.float64, device=alpha.device)
        redrawn, rest = (1 - alpha) / self.vocab_size, (1 - earlier) / self.vocab_size
        z = redrawn + alpha * (rest + earlier * same)
        elsewhere = redrawn * rest / z
        at_x_0 = (redrawn + alpha * same) * (rest + earlier) / z
        at_x_t = (redrawn + alpha) * (rest + earlier * same) / z
        constant = torch.xlogy(1 - at_x_0, rest) + at_x_0 * (rest + earlier).log() - z.log()
        values = torch.stack([elsewhere, at_x_0, at_x_t, constant]).flatten(1)
        return values.to(self.alpha.dtype)

    def _one_hot(self, tokens: Tensor) -> Tensor:
        symbols = torch.arange(self.vocab_size, device=tokens.device)
        return (tokens.unsqueeze(-1) == symbols).to(self.alpha.dtype)
