"""Which training strings their losses betray as memorized, by stratum and in all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.corpus import Strata
from study.measures.declared import NO_LAW, Column, Curve, Tables
from study.measures.memorized import (
    LARGEST_P,
    excess_p_value,
    excess_share,
    null_error,
    null_rate,
    p_values,
)
from study.measures.reference import Reference


@dataclass(frozen=True, kw_only=True)
class StringLosses:
    """ELBO losses of single strings at one measured step, in nats.

    reference      the corpus
    training       (n,) which of its training strings
    control        (n_C,) which of its control strings
    training_loss  (n,) their losses
    control_loss   (n_C,)
    level_strata   strata of these strings by each level's part of log p; None at a level of one
                   value
    """

    reference: Reference
    training: NDArray[np.int64]
    control: NDArray[np.int64]
    training_loss: NDArray[np.float64]
    control_loss: NDArray[np.float64]
    level_strata: list[Strata | None]


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


def loss_columns(losses: StringLosses) -> Tables:
    """Columns of `curves`, `levels`, `typicality` and `likelihood` at one measured step."""
    reference, strata = losses.reference, losses.reference.strata
    memorized = Memorized.of(
        losses.training_loss,
        losses.control_loss,
        strata.training_stratum[losses.training],
        strata.control_stratum[losses.control],
    )
    weights = strata.num_training / strata.num_training.sum()
    excess, excess_error = memorized.weighted_excess(weights)
    slope, slope_error = _slope(memorized, strata)
    by_level = [_level_slope(own, losses) for own in losses.level_strata]
    controls = losses.control + len(reference.corpus.training)
    of_all = np.concatenate([losses.training_loss, losses.control_loss])
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
            "string": [*losses.training.tolist(), *controls.tolist()],
            "loss": of_all.astype(np.float32).tolist(),
            "p_value": [*memorized.p_values.tolist(), *[None] * len(controls)],
        },
    }


def _slope(memorized: Memorized, strata: Strata) -> tuple[float | None, float | None]:
    """T_L = Σ_b (n_Db/N)·z_b·(s_b - a_b)/(1 - a_b); None where all strings lie in one stratum."""
    if len(strata) == 1:
        return None, None
    weights = strata.num_training / strata.num_training.sum()
    return memorized.weighted_excess(weights * strata.z)


def _level_slope(strata: Strata | None, losses: StringLosses) -> tuple[float | None, float | None]:
    """T_L over strata of one level's part of log p, conformal within these."""
    if strata is None:
        return None, None
    of_strata = strata.training_stratum, strata.control_stratum
    found = Memorized.of(losses.training_loss, losses.control_loss, *of_strata)
    return _slope(found, strata)


_EXCESS = "(s_b - a_b)/(1 - a_b)"
_TAIL = "; its law has a long right tail"
_FEWEST = "with fewer than 19 controls in a stratum"
_ONE = "where all strings lie in one stratum"

COLUMNS = (
    Column(
        name="memorized_excess",
        table="curves",
        meaning="share of training strings with a loss below nearly all controls of their "
        "stratum, beyond chance",
        formula=f"Σ_b (n_Db/N)·{_EXCESS}",
        unit="share",
        range="≤ 1",
        grammar="0",
        memorizer="1",
        null=_FEWEST,
        error="memorized_excess_null_se",
        curve=Curve(panel="knowledge", name="strings memorized", first=True),
    ),
    Column(
        name="memorized_excess_null_se",
        table="curves",
        meaning="standard deviation of `memorized_excess` over strings that are not memorized"
        f"{_TAIL}",
        unit="share",
        range="> 0",
        null=_FEWEST,
    ),
    Column(
        name="memorized_excess_p_value",
        table="curves",
        meaning="chance that strings which are not memorized show as large an excess: the "
        "beta-binomial laws of the strata, convolved",
        unit="probability",
        range="[0, 1]",
        grammar="uniform",
        memorizer="0",
        null=_FEWEST,
    ),
    Column(
        name="likelihood_slope",
        table="curves",
        symbol="T_L",
        meaning="typicality slope by likelihood, below 0 where atypical strings are betrayed first",
        formula=f"Σ_b (n_Db/N)·z_b·{_EXCESS}",
        range="any",
        grammar="0",
        memorizer="0",
        null=f"{_FEWEST}, and {_ONE}",
        error="likelihood_slope_null_se",
        curve=Curve(panel="slope", name="T_L, by likelihood"),
    ),
    Column(
        name="likelihood_slope_null_se",
        table="curves",
        meaning=f"standard deviation of T_L over strings that are not memorized{_TAIL}",
        range="> 0",
        null=f"{_FEWEST}, and {_ONE}",
    ),
    Column(
        name="likelihood_slope",
        table="levels",
        symbol="T_{L,l}",
        meaning="T_L over strata of level l’s part of log p in place of log p",
        range="any",
        grammar="0",
        memorizer="0",
        null=f"{_FEWEST}, where the level’s rules are equally typical, at the leaves, and {NO_LAW}",
        error="likelihood_slope_null_se",
        curve=Curve(panel="level-likelihood"),
    ),
    Column(
        name="likelihood_slope_null_se",
        table="levels",
        meaning=f"standard deviation of T_{{L,l}} over strings that are not memorized{_TAIL}",
        range="> 0",
        null=f"{_FEWEST}, where the level’s rules are equally typical, at the leaves, and {NO_LAW}",
    ),
    Column(
        name="memorized_share",
        table="typicality",
        symbol="s_b",
        meaning="share of the stratum’s followed training strings with a p-value of at most 0.05",
        unit="share",
        range="[0, 1]",
        grammar="a_b",
        memorizer="1",
        null=_FEWEST,
    ),
    Column(
        name="memorized_null_rate",
        table="typicality",
        symbol="a_b",
        meaning="what s_b is on average if no string is memorized",
        formula="⌊0.05·(n + 1)⌋/(n + 1) with n followed controls",
        unit="share",
        range="(0, 0.05]",
        null=_FEWEST,
    ),
    Column(
        name="memorized_excess",
        table="typicality",
        meaning="share of the stratum’s training strings memorized beyond chance",
        formula=_EXCESS,
        unit="share",
        range="≤ 1",
        grammar="0",
        memorizer="1",
        null=_FEWEST,
    ),
    Column(
        name="p_value",
        table="likelihood",
        symbol="r(x)",
        meaning="conformal p-value of a training string among the followed controls of its "
        "stratum, exact whatever the law of the losses",
        formula="(1 + #{controls with loss ≤ ℓ(x)})/(n + 1)",
        unit="probability",
        range="(0, 1]",
        grammar="uniform",
        memorizer="≤ 0.05",
        null="of controls",
    ),
    Column(
        name="loss",
        table="likelihood",
        symbol="ℓ(x)",
        meaning="ELBO loss of a string: the part of the variational bound that depends on the "
        "network; most draws of t fall where it tells strings apart, each weighted by 1/share",
        formula="Σ_t Σ_leaves KL(q(x_{t-1} | x_t, x_0) ‖ p_θ)",
        unit="nats",
        range="≥ 0",
        source="[D3PM] eq. 1",
        kind="short",
    ),
)
