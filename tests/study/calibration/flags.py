"""Flags of training strings under denoisers that know nothing of D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import betabinom

from rhm import Grammar
from study.measures.likelihood import Probes, elbo_losses
from study.measures.memorized import memorized_since
from study.measures.string_losses import Memorized, loss_columns
from study.processes.exact_denoisers import GrammarDenoiser
from study.processes.uniform import Uniform
from tests.study.calibration.repetitions import Pair
from tests.study.calibration.worlds import SHAPE, ZIPF, config, world

DRIFTS = (0.4, 0.7, 1.0, 1.3, 1.6)
"""Zipf exponents of the denoisers that stand in for the steps of a training."""

EXACT = (ZIPF[0],)
"""Of the exact denoiser alone."""


@dataclass(frozen=True)
class Flags:
    """What is read off denoisers that know nothing of D, in one repetition.

    readings  of the exact one: statistics that are 0 in expectation, with their stated error
    p_value   of its memorized excess
    ever      share of strings with a τ(x) over all denoisers, as if they were steps
    """

    readings: dict[str, Pair]
    p_value: float
    ever: float


def of_likelihood(seed: int, exponents: tuple[float, ...] = DRIFTS) -> Flags:
    """A training that learns the grammar better and better, but no string."""
    _, reference = world(seed)
    diffusion = Uniform.build(50, SHAPE.vocab_size)
    probes = Probes.draw(config(seed, timesteps=50), reference, diffusion)
    strata, p = reference.strata, []
    readings: dict[str, Pair] = {}
    p_value = np.nan
    for exponent in exponents:
        drifting = Grammar.random(SHAPE, zipf={0: exponent, 2: exponent}, seed=seed)
        (losses,) = elbo_losses(GrammarDenoiser(drifting, diffusion), diffusion, [probes])
        training, control = np.split(losses, [len(probes.training)])
        found = Memorized.of(
            training,
            control,
            strata.training_stratum[probes.training],
            strata.control_stratum[probes.control],
        )
        p.append(found.p_values)
        if exponent == ZIPF[0]:
            curves = loss_columns(probes.with_losses(losses))["curves"]
            readings = {
                "memorized excess": pair(curves, "memorized_excess"),
                "T_L": pair(curves, "likelihood_slope"),
                "strata in the beta-binomial interval": covered(found),
            }
            p_value = curves["memorized_excess_p_value"][0]
    since = memorized_since(np.arange(len(exponents)), np.array(p))
    return Flags(readings, p_value, float(np.isfinite(since).mean()))


def pair(curves: dict[str, list[float]], name: str) -> Pair:
    return curves[name][0], curves[f"{name}_null_se"][0]


def covered(found: Memorized) -> Pair:
    """Share of strata whose number flagged lies in the central 95 %, less what that holds."""
    differences, variance = [], 0.0
    for share, (N, n) in zip(found.share, found.counts, strict=True):
        k = (n + 1) // 20
        law = betabinom(N, k, n + 1 - k)
        low, high = law.interval(0.95)
        mass = float(law.cdf(high) - law.cdf(low - 1))
        differences.append(float(low <= round(share * N) <= high) - mass)
        variance += mass * (1 - mass)
    return float(np.mean(differences)), float(np.sqrt(variance)) / len(differences)
