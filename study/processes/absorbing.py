"""Masked diffusion: discrete diffusion with the absorbing kernel ([D3PM], appendix A.2.2).

A leaf that noise hits becomes the mask symbol v and stays it. A masked leaf says nothing of its
own, so its cavity marginal is its posterior, and a reverse step does one thing: it unmasks each
masked leaf with the schedule's probability, whatever the denoiser says, and never changes it again.
With x_0 = a masked at t, q(x_{t-1} = a | x_t, x_0) = (ᾱ_{t-1} - ᾱ_t)/(1 - ᾱ_t) =: w_t and it stays
masked else; the same with p̃(a) gives p_θ. So the loss is the weighted cross-entropy on masked
leaves, w_t·(-log p̃(x_0)) (MDLM, arXiv 2406.07524, eq. 8; MD4, arXiv 2406.04329).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.processes.process import FLOOR, SYMBOLS, Diffusion


@dataclass(frozen=True)
class Absorbing(Diffusion):
    """Diffusion whose stationary distribution is the mask symbol; see `Diffusion`."""

    @classmethod
    def _scheduled(cls, alpha: Tensor) -> Tensor:
        """Nothing is kept in the last step: were a leaf, generation could not start from masks."""
        return torch.cat([alpha[:-1], torch.zeros_like(alpha[-1:])])

    @property
    def mask(self) -> int:
        """The mask symbol, v."""
        return self.vocab_size

    @property
    def stationary(self) -> Tensor:
        """0 for each of v symbols and 1 for the mask."""
        return torch.nn.functional.pad(torch.ones_like(self.alpha[:1]), (self.vocab_size, 0))

    def pure_noise(self, uniform: Tensor) -> Tensor:
        """Masks."""
        return torch.full_like(uniform, self.mask, dtype=torch.long)

    def noised(self, x_0: Tensor, t: Tensor, uniform: Tensor) -> Tensor:
        """Draw x_t."""
        return torch.where(self.redrawn(t, uniform), self.mask, x_0)

    def likelihood(self, x_t: Tensor, t: Tensor) -> Tensor:
        """ᾱ_t [a = x_t] + (1 - ᾱ_t) [x_t = mask] for every symbol a, at least `FLOOR`.

        With the floor a leaf that is seen has a cavity marginal too, and strings that fit none of
        those that an exact denoiser knows are denoised as the nearest of them.
        """
        untouched = self.alpha_bar[t][..., None, None]
        x_t = x_t.unsqueeze(-1)
        symbols = torch.arange(self.vocab_size, device=x_t.device)
        return (untouched * (x_t == symbols) + (1 - untouched) * (x_t == self.mask)).clamp_min(
            FLOOR
        )

    def loss_and_gradient(
        self, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor]:
        """w_t·(-log p̃(x_0)) and w_t·(p̃ - [x_0]) on masked leaves, 0 on the others.

        The loss counts no probability as less than `FLOOR`, so that it stays finite.
        """
        log_guess = torch.log_softmax(logits.movedim(-1, SYMBOLS), SYMBOLS)
        x_0 = x_0.unsqueeze(SYMBOLS)
        weight = self._unmasking(t, t - 1).unsqueeze(-1) * (x_t == self.mask)
        weight = weight.unsqueeze(SYMBOLS)
        loss = -log_guess.gather(SYMBOLS, x_0).clamp_min(log(FLOOR)) * weight
        gradient = log_guess.exp_()
        gradient.scatter_add_(SYMBOLS, x_0, torch.full_like(loss, -1)).mul_(weight)
        return loss.squeeze(SYMBOLS), gradient.movedim(SYMBOLS, -1)

    def reverse_weights(self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor) -> Tensor:
        """p_θ(x_to | x_t), (K, v + 1, B, d), the mask last."""
        guess = torch.softmax(logits.movedim(-1, SYMBOLS), SYMBOLS)
        unmasking = self._unmasking(t, to).unsqueeze(-1).unsqueeze(SYMBOLS)
        stays = (1 - unmasking).expand(len(guess), 1, *guess.shape[2:])
        x_t = x_t.unsqueeze(SYMBOLS)
        symbols = torch.arange(self.num_inputs, device=x_t.device).view(1, -1, 1, 1)
        masked = torch.cat([guess.mul_(unmasking), stays], SYMBOLS)
        return torch.where(x_t == self.mask, masked, (x_t == symbols).to(guess.dtype))

    def reverse_step(
        self, logits: Tensor, x_t: Tensor, t: Tensor, to: Tensor, uniform: Tensor
    ) -> Tensor:
        """Draw x_to: masked leaves are unmasked where u < w, and u/w picks the symbol."""
        unmasking = self._unmasking(t, to).unsqueeze(-1)
        edges = torch.softmax(logits.movedim(-1, SYMBOLS), SYMBOLS).cumsum(SYMBOLS)
        whole = edges.narrow(SYMBOLS, self.vocab_size - 1, 1)
        below = edges <= (uniform / unmasking).unsqueeze(SYMBOLS) * whole
        # Rounding must not lead beyond the last symbol that can be.
        drawn = torch.minimum(below.sum(SYMBOLS), (edges < whole).sum(SYMBOLS))
        return torch.where((x_t == self.mask) & (uniform < unmasking), drawn, x_t)

    def most_change(self, t: Tensor, to: Tensor) -> Tensor:
        """The probability with which a masked leaf is unmasked."""
        return self._unmasking(t, to).double()

    def mean_change(self, t: Tensor, to: Tensor) -> Tensor:
        """ᾱ_to - ᾱ_t: a leaf is masked at t with probability 1 - ᾱ_t, whatever is generated.

        Over all strides this sums to 1 for each leaf, so a denoiser is asked about a string of d
        leaves at most d times.
        """
        return (self.alpha_bar[to] - self.alpha_bar[t]).double()

    def may_change(self, x_t: Tensor, uniform: Tensor, bound: float) -> Tensor:
        """Masked leaves alone."""
        return (uniform < bound) & (x_t == self.mask)

    def shares_of_steps(self) -> NDArray[np.float64]:
        """∝ ᾱ_{t-1} - ᾱ_t, the chance that a leaf is masked in step t.

        The mean loss of a step is that, times the cross-entropy of a masked leaf. 10 such draws
        tell empirical Bayes for a memorizer of 0.99 of 2,048 training strings, at T = 200 and at
        50; spread evenly over t, of 0.98 and 0.91.
        """
        alpha_bar = self.alpha_bar.double().cpu().numpy()
        masked = alpha_bar[:-1] - alpha_bar[1:]
        return masked / masked.sum()

    def _unmasking(self, t: Tensor, to: Tensor) -> Tensor:
        """w = (ᾱ_to - ᾱ_t)/(1 - ᾱ_t): a masked leaf was masked between `to` and t; 1 at to = 0."""
        return (self.alpha_bar[to] - self.alpha_bar[t]) / (1 - self.alpha_bar[t])
