"""Discrete diffusion with the uniform kernel ([D3PM], section 3 and appendix A.2.1).

A leaf that noise hits is redrawn uniformly from the vocabulary, so a reverse step may change any
leaf, at any step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.processes.process import FLOOR, SYMBOLS, Diffusion


@dataclass(frozen=True)
class Uniform(Diffusion):
    """Diffusion whose stationary distribution is uniform; see `Diffusion`."""

    _posterior_values: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_posterior_values", self._possible_posteriors())

    @property
    def stationary(self) -> Tensor:
        """1/v for each of v symbols."""
        return torch.full_like(self.alpha[:1], 1 / self.vocab_size).expand(self.vocab_size)

    def pure_noise(self, uniform: Tensor) -> Tensor:
        """Uniform symbols."""
        return (uniform * self.vocab_size).long().clamp_max(self.vocab_size - 1)

    def noised(self, x_0: Tensor, t: Tensor, uniform: Tensor) -> Tensor:
        """Draw x_t; what is left of u where the leaf is redrawn, (u - ᾱ_t)/(1 - ᾱ_t), is uniform
        again and picks the new symbol.
        """
        v = self.vocab_size
        untouched = self.alpha_bar[t].unsqueeze(-1).expand(*t.shape, x_0.shape[-1]).contiguous()
        redrawn = (uniform - untouched).mul_(v / (1 - untouched)).clamp_(0, v - 1)
        return torch.where(uniform < untouched, x_0, redrawn.long())

    def likelihood(self, x_t: Tensor, t: Tensor) -> Tensor:
        """ᾱ_t [a = x_t] + (1 - ᾱ_t)/v for every symbol a."""
        untouched = self.alpha_bar[t][..., None, None]
        return untouched * self._one_hot(x_t) + (1 - untouched) / self.vocab_size

    def loss_and_gradient(
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
        gradient = guess.mul_(d.sum(SYMBOLS, keepdim=True)).sub_(d)
        return loss.squeeze(SYMBOLS), gradient.movedim(SYMBOLS, -1)

    def reverse_weights(self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor) -> Tensor:
        """Unnormalised p_θ(x_to | x_t), (K, v, B, d); a leaf kept its symbol from `to` to t with
        probability ᾱ_t/ᾱ_to.
        """
        guess = torch.softmax(logits.movedim(-1, SYMBOLS), SYMBOLS)
        earlier = self.alpha_bar[to]
        untouched, earlier = (
            x.unsqueeze(-1).unsqueeze(SYMBOLS) for x in (self.alpha_bar[t] / earlier, earlier)
        )
        previous = guess.mul_(earlier).add_((1 - earlier) / self.vocab_size)
        here = x_t.unsqueeze(SYMBOLS)
        stayed = previous.gather(SYMBOLS, here).mul_(untouched)
        return previous.mul_((1 - untouched) / self.vocab_size).scatter_add_(SYMBOLS, here, stayed)

    def reverse_step(
        self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor, uniform: Tensor
    ) -> Tensor:
        """Draw x_to; see `transition`."""
        return transition(self.reverse_weights(logits, x_t, t, to), x_t, uniform)

    def most_change(self, t: Tensor, to: Tensor) -> Tensor:
        """The most probability with which a reverse step can change a leaf, whatever p̃ says.

        A leaf stays with a probability ∝ (k + (1-k)/v) r(x_t), k = ᾱ_t/ᾱ_to, and changes with one
        ∝ (1-k)/v (1 - r(x_t)); r = ᾱ_to p̃ + (1 - ᾱ_to)/v is least where p̃(x_t) = 0.
        """
        # Rounded as `reverse_weights` rounds it: what it leaves of 1 is small.
        earlier = self.alpha_bar[to]
        untouched, earlier = (self.alpha_bar[t] / earlier).double(), earlier.double()
        redrawn, least = (1 - untouched) / self.vocab_size, (1 - earlier) / self.vocab_size
        change, stay = redrawn * (1 - least), (untouched + redrawn) * least
        return change / (change + stay)

    def shares_of_steps(self) -> NDArray[np.float64]:
        """∝ (ᾱ_{t-1} - ᾱ_t)/(1 - ᾱ_t), the chance that a leaf redrawn by t was redrawn in step t.

        The loss goes with it: a reverse step changes a leaf at the rate (1 - α_t)/v times
        p_θ(y)/p_θ(x_t), a ratio in which p̃ matters by up to the order of ᾱ_{t-1}·v/(1 - ᾱ_t), and
        ᾱ_{t-1}(1 - α_t) = ᾱ_{t-1} - ᾱ_t. Draws spread evenly over t fall in half their number on
        x_t of which nothing is left: 10 of them tell empirical Bayes for a memorizer of 0.95 of
        2,048 training strings (0.93 at T = 50), and 10 of these of 0.99 (0.98).
        """
        alpha_bar = self.alpha_bar.double().cpu().numpy()
        redrawn = (alpha_bar[:-1] - alpha_bar[1:]) / (1 - alpha_bar[1:])
        return redrawn / redrawn.sum()

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


def transition(weights: Tensor, x: Tensor, uniform: Tensor) -> Tensor:
    """Draw from unnormalised weights, small numbers for a change: where u is large, x stays.

    Args:
        weights: (K, v, …).
        x: (K, …) symbols now.
        uniform: (K, …) in [0, 1).

    Returns:
        (K, …) symbols.
    """
    here = x.unsqueeze(SYMBOLS)
    total = weights.sum(SYMBOLS, keepdim=True).mul_(uniform.unsqueeze(SYMBOLS))
    changes = weights.scatter_(SYMBOLS, here, 0.0).cumsum(SYMBOLS)
    below = (changes <= total).to(weights.dtype).sum(SYMBOLS).long()  # truth values add up slowly
    return torch.where(below < weights.shape[SYMBOLS], below, x)
