"""Likelihood: the ELBO loss of single strings, and which training strings it betrays as memorized.

The noise is one set of (t, uniform numbers), stratified over t and shared by all strings and steps:
common random numbers, so that two strings' losses differ by the strings, not by luck. Most draws
fall where the loss tells strings apart, at little noise; see
`Diffusion.shares_of_steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.config import TrialConfig
from study.corpus import Strata
from study.measures.level_strata import level_strata
from study.measures.memorized import (
    LARGEST_P,
    ONE_IN,
    excess_p_value,
    excess_share,
    null_error,
    null_rate,
    p_values,
)
from study.measures.passes import in_full_passes
from study.measures.reference import Reference
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
        return level_strata(
            corpus.training.chosen(self.training), corpus.control.chosen(self.control)
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


@dataclass(frozen=True)
class Memorized:
    """Memorized strings by stratum: training strings against the controls of their stratum.

    p_values    (n,) conformal p-values
    share       (S,) share s_b with p <= 0.05
    null_rate   (S,) the share a_b among strings that are not memorized; None with < 19 controls
    excess      (S,) (s_b - a_b)/(1 - a_b); None likewise
    null_error  (S,) standard deviation of the excess over strings that are not memorized
    counts      (S,) training strings and controls
    """

    p_values: NDArray[np.float64]
    share: list[float]
    null_rate: list[float | None]
    excess: list[float | None]
    null_error: list[float | None]
    counts: list[tuple[int, int]]

    @classmethod
    def of(
        cls,
        training: NDArray[np.float64],
        control: NDArray[np.float64],
        training_stratum: NDArray[np.int64],
        control_stratum: NDArray[np.int64],
    ) -> Memorized:
        """From losses (n,), (n_C,) and the stratum of each; every stratum has training strings."""
        p = np.ones(len(training))
        share, rates, excess, errors, counts = [], [], [], [], []
        for b in range(training_stratum.max() + 1):
            own, others = training_stratum == b, control[control_stratum == b]
            N, n = int(own.sum()), len(others)
            p[own] = p_values(training[own], others)
            flagged = float((p[own] <= LARGEST_P).mean())
            rate, error = null_rate(n), null_error(N, n)
            share.append(flagged)
            rates.append(rate)
            excess.append(None if rate is None else excess_share(flagged, rate))
            errors.append(None if rate is None or error is None else error / (1 - rate))
            counts.append((N, n))
        return cls(p, share, rates, excess, errors, counts)

    def weighted_excess(self, weights: NDArray[np.float64]) -> tuple[float | None, float | None]:
        """Σ_b w_b·excess_b and its standard deviation over unmemorized strings.

        None where a stratum is undefined.
        """
        total = variance = 0.0
        for w, excess, error in zip(weights.tolist(), self.excess, self.null_error, strict=True):
            if excess is None or error is None:
                return None, None
            total += w * excess
            variance += (w * error) ** 2
        return total, float(np.sqrt(variance))

    def p_value(self, weights: NDArray[np.float64]) -> float | None:
        """Chance that unmemorized strings show the weighted excess or more; None likewise."""
        total, _ = self.weighted_excess(weights)
        return None if total is None else excess_p_value(total, weights, self.counts)


def likelihood_columns(probes: Probes, losses: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """Losses (n + n_C,) as columns of `curves`, `levels`, `typicality` and `likelihood`."""
    strata = probes.reference.strata
    training, control = np.split(losses, [len(probes.training)])
    of_training = strata.training_stratum[probes.training]
    of_control = strata.control_stratum[probes.control]
    memorized = Memorized.of(training, control, of_training, of_control)
    weights = strata.num_training / strata.num_training.sum()
    excess, excess_error = memorized.weighted_excess(weights)
    slope, slope_error = _slope(memorized, strata)
    by_level = [_level_slope(s, training, control) for s in probes.level_strata]
    offset = len(probes.reference.corpus.training)
    return {
        "curves": {
            "memorized_excess": [excess],
            "memorized_excess_null_se": [excess_error],
            "memorized_excess_p_value": [memorized.p_value(weights)],
            "likelihood_slope": [slope],
            "likelihood_slope_null_se": [slope_error],
        },
        "levels": {
            "likelihood_slope": [*(slope for slope, _ in by_level), None],
            "likelihood_slope_null_se": [*(error for _, error in by_level), None],
        },
        "typicality": {
            "memorized_share": [
                None if rate is None else share
                for share, rate in zip(memorized.share, memorized.null_rate, strict=True)
            ],
            "memorized_null_rate": memorized.null_rate,
            "memorized_excess": memorized.excess,
        },
        "likelihood": {
            "string": [*probes.training.tolist(), *(probes.control + offset).tolist()],
            "loss": losses.astype(np.float32).tolist(),
            "p_value": [*memorized.p_values.tolist(), *[None] * len(control)],
        },
    }


def _slope(memorized: Memorized, strata: Strata) -> tuple[float | None, float | None]:
    """T_L = Σ_b (n_Db/N)·z_b·(s_b - a_b)/(1 - a_b); None where all strings lie in one stratum."""
    if len(strata) == 1:
        return None, None
    weights = strata.num_training / strata.num_training.sum()
    return memorized.weighted_excess(weights * strata.z)


def _level_slope(
    strata: Strata | None, training: NDArray[np.float64], control: NDArray[np.float64]
) -> tuple[float | None, float | None]:
    """T_L over strata of one level's part of log p, conformal within these."""
    if strata is None:
        return None, None
    found = Memorized.of(training, control, strata.training_stratum, strata.control_stratum)
    return _slope(found, strata)
