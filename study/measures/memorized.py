"""Memorized strings: training strings that the model finds likelier than their controls.

A conformal test: under a model that treats a training string like the controls of its stratum of
equal typicality, the string's rank among them is uniform, whatever the law of the losses. (A 5 %
quantile of the controls' losses is not exact: it flags 14 % with 8 controls, 7 % with 50.)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

ONE_IN = 20
"""A string is memorized at p <= 1/20 = 0.05."""

LARGEST_P = 1 / ONE_IN


def p_values(training: NDArray[np.floating], control: NDArray[np.floating]) -> NDArray[np.float64]:
    """(1 + #{controls with loss <= loss(x)}) / (n + 1) of training strings (N,), n controls."""
    no_larger = np.searchsorted(np.sort(control), training, side="right")
    return (1 + no_larger) / (len(control) + 1)


def null_rate(num_controls: int) -> float | None:
    """The level attained, ⌊0.05(n + 1)⌋/(n + 1): the share of unmemorized strings flagged.

    None with fewer than 19 controls, where nothing can be flagged.
    """
    if num_controls < ONE_IN - 1:
        return None
    return (num_controls + 1) // ONE_IN / (num_controls + 1)


def excess_share(share: float, rate: float) -> float:
    """(s - a)/(1 - a), the share memorized beyond the null rate a: 0 at chance, 1 at most."""
    return (share - rate) / (1 - rate)


def null_error(num_training: int, num_controls: int) -> float | None:
    """Standard deviation of the share flagged of N unmemorized strings that share n controls.

    The number flagged is beta-binomial with α = k, β = n + 1 - k, k = ⌊0.05(n + 1)⌋, so the share
    has variance a(1 - a)(N + n + 1)/(N(n + 2)).
    """
    rate = null_rate(num_controls)
    if rate is None:
        return None
    n, N = num_controls, num_training
    return sqrt(rate * (1 - rate) * (N + n + 1) / (N * (n + 2)))


def flagged_law(num_training: int, num_controls: int) -> NDArray[np.float64]:
    """Probability (N + 1,) of each number flagged of N unmemorized strings with n >= 19 controls.

    Beta-binomial with k = ⌊0.05(n + 1)⌋ and β = n + 1 - k, from the ratios of neighbours
    P(x + 1)/P(x) = (N - x)(x + k) / ((x + 1)(N - x - 1 + β)).
    """
    n, N, x = num_controls, num_training, np.arange(num_training)
    k = (n + 1) // ONE_IN
    log_p = np.append(0.0, np.log((N - x) * (x + k) / ((x + 1) * (N - x + n - k))).cumsum())
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


CELLS = 1 << 12
"""Of the range of a weighted excess, when its law is worked out."""


def excess_p_value(
    excess: float, weights: NDArray[np.float64], counts: Sequence[tuple[int, int]]
) -> float:
    """P(Σ_b w_b·(X_b/N_b - a_b)/(1 - a_b) >= excess) over strings that are not memorized.

    The X_b flagged of stratum b follow `flagged_law`, apart from one another, as no two strata
    share a string. Their sum is skewed to the right (ten strata of 19 strings and 19 controls are
    three standard deviations up in 0.7 % of all cases, not 0.13 %), so that its standard deviation
    is no quantile; here its law is convolved over the strata, on a grid of 4,096 cells to which
    every value is rounded up, so that the result is exact but for less than a cell per stratum, and
    never too small.

    Args:
        excess: as observed.
        weights: (S,) positive.
        counts: N_b and n_b >= 19 of every stratum.
    """
    values = []
    for w, (N, n) in zip(weights.tolist(), counts, strict=True):
        rate = null_rate(n)
        if rate is None:
            raise ValueError(f"{n} controls flag nothing: a stratum needs {ONE_IN - 1}")
        values.append(w * (np.arange(N + 1) / N - rate) / (1 - rate))
    cell = sum(v[-1] - v[0] for v in values) / CELLS
    law = np.ones(1)
    for value, (N, n) in zip(values, counts, strict=True):
        at = np.ceil((value - value[0]) / cell - ROUNDING).astype(np.int64)
        law = np.convolve(law, np.bincount(at, flagged_law(N, n)))
    least = (excess - sum(v[0] for v in values)) / cell - ROUNDING
    return min(float(law[max(int(np.ceil(least)), 0) :].sum()), 1.0)


ROUNDING = 1e-6
"""Of a cell; sums of equal terms in another order are equal."""


def memorized_since(
    steps: NDArray[np.integer], p_of_step: NDArray[np.floating]
) -> NDArray[np.float64]:
    """τ(x) (N,): the first measured step from which p <= 0.05 at every later one.

    The last step is included, so a string that is not flagged there has none, which is NaN; all are
    provisional until the training ends. At most 5 % of unmemorized strings have one, however often
    is measured; first crossings would give 14 %.

    Args:
        steps: (S,) measured steps, rising.
        p_of_step: (S, N) p-values at these steps.
    """
    flagged = p_of_step <= LARGEST_P
    stays = np.logical_and.accumulate(flagged[::-1], axis=0)[::-1]
    first = stays.argmax(axis=0)
    return np.where(stays[-1], np.asarray(steps, dtype=np.float64)[first], np.nan)
