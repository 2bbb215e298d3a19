"""Likelihood: the ELBO loss of single strings.

The noise is one set of (t, uniform numbers), stratified over t and shared by all strings and steps:
common random numbers, so that two strings' losses differ by the strings, not by luck. Most draws
fall where the loss tells strings apart, at little noise; see
`Diffusion.shares_of_steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.config import TrialConfig
from study.corpus import Strata
from study.measures.level_strata import level_strata
from study.measures.memorized import ONE_IN
from study.measures.passes import in_full_passes
from study.measures.reference import Reference
from study.measures.string_losses import StringLosses
from study.processes.process import Denoiser, Diffusion
from study.randomness import generator


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The strings of one corpus whose loss is followed, and their noisings.

    reference      the corpus
    training       (n,) which of its training strings
    control        (n_C,) which of its control strings
    x_0            (n + n_C, d) uint8 tokens
    x_t            (n + n_C, M, d) uint8 tokens
    t              (M,) diffusion steps
    weights        (M,) 1/share of each of these steps: how many steps a draw stands for
    """

    reference: Reference
    training: NDArray[np.int64]
    control: NDArray[np.int64]
    x_0: Tensor
    x_t: Tensor
    t: Tensor
    weights: NDArray[np.float64]

    @classmethod
    def draw(cls, config: TrialConfig, reference: Reference, diffusion: Diffusion) -> Probes:
        """Equally many strings of every stratum, about `loss_strings` of each side.

        A stratum gives its first ones, 19 of each side at least, chosen alike from both.
        """
        strata, corpus = reference.strata, reference.corpus
        each = max(ONE_IN - 1, config.measurement.loss_strings // len(strata))
        training = _first_of_each(strata.training_stratum, each)
        control = _first_of_each(strata.control_stratum, each)
        tokens = np.concatenate(
            [corpus.training.strings[training], corpus.control.strings[control]]
        )
        device, draws = diffusion.alpha.device, config.measurement.loss_draws
        stream = generator(device, config.seed, "likelihood")
        shares = diffusion.shares_of_steps()
        t = steps_by_share(torch.rand(draws, generator=stream, device=device), shares)
        uniform = torch.rand(draws, tokens.shape[1], generator=stream, device=device)
        x_0 = torch.as_tensor(tokens.astype(np.uint8), device=device)
        shared = t.expand(len(x_0), -1), uniform.expand(len(x_0), -1, -1)
        x_t = diffusion.noised(x_0.long().unsqueeze(1), *shared)
        return cls(
            reference=reference,
            training=training,
            control=control,
            x_0=x_0,
            x_t=x_t.to(torch.uint8),
            t=t,
            weights=1 / shares[t.cpu().numpy() - 1],
        )

    def __len__(self) -> int:
        """Noisy strings."""
        return len(self.x_0) * len(self.t)

    def rows(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x_0, x_t (B, d) and t (B,) of some noisy strings; row r is draw r mod M of string r/M."""
        rows = rows % len(self)
        string, draw = rows // len(self.t), rows % len(self.t)
        return self.x_0[string].long(), self.x_t[string, draw].long(), self.t[draw]

    @cached_property
    def level_strata(self) -> list[Strata | None]:
        """Strata of the probes by each level's part of log p; None at a level of one value."""
        corpus = self.reference.corpus
        sides = corpus.training.chosen(self.training), corpus.control.chosen(self.control)
        return level_strata(*sides) or [None] * corpus.shape.depth

    def with_losses(self, losses: NDArray[np.float64]) -> StringLosses:
        """The strings with their losses (n + n_C,), from `elbo_losses`."""
        training, control = np.split(losses, [len(self.training)])
        return StringLosses(
            reference=self.reference,
            training=self.training,
            control=self.control,
            training_loss=training,
            control_loss=control,
            level_strata=self.level_strata,
        )


def steps_by_share(uniform: Tensor, shares: NDArray[np.float64]) -> Tensor:
    """Diffusion steps from uniform numbers (M,): the j-th in the j-th of M parts of 1 … T.

    Every part holds a share 1/M of the draws; step t has shares[t - 1] of them on average.
    """
    draws = len(uniform)
    part = (np.arange(draws) + uniform.double().cpu().numpy()) / draws
    step = np.searchsorted(shares.cumsum(), part, side="right") + 1
    return torch.as_tensor(step.clip(max=len(shares)), device=uniform.device)


def _first_of_each(stratum: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The first `count` members of each stratum, in rising order; -1 belongs to none."""
    chosen = [np.flatnonzero(stratum == b)[:count] for b in range(stratum.max() + 1)]
    return np.sort(np.concatenate(chosen))


def elbo_losses(
    denoiser: Denoiser, diffusion: Diffusion, probes: Sequence[Probes]
) -> list[NDArray[np.float64]]:
    """ELBO loss of every probe in nats, K arrays (n + n_C,): Σ_t E[Σ_leaves KL(q ‖ p_θ)].

    With the KL between q(x_{t-1} | x_t, x_0) and p_θ(x_{t-1} | x_t), this is the part of the
    variational bound that depends on the network ([D3PM] eq. 1). Its sum over t is estimated
    without bias by the mean over draws of KL/share(t).
    """

    def losses(rows: Tensor) -> Tensor:
        x_0, x_t, t = (
            torch.stack(part) for part in zip(*(p.rows(rows) for p in probes), strict=True)
        )
        return diffusion.loss(denoiser(x_t, t), x_0, x_t, t).double().sum(-1).unsqueeze(0)

    found = in_full_passes(losses, [len(p) for p in probes], diffusion.alpha.device)
    return [
        (rows[0].reshape(-1, len(p.t)) * p.weights).mean(1)
        for p, rows in zip(probes, found, strict=True)
    ]
