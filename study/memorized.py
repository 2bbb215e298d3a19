"""Memorized strings: training strings that the model finds likelier than their controls.

A conformal test: under a model that treats a training string like the controls of its stratum of
equal typicality, the string's rank among them is uniform, whatever the law of the losses. (A 5 %
quantile of the controls' losses is not exact: it flags 14 % with 8 controls, 7 % with 50.)
"""

from __future__ import annotations

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


def memorized_since(
    steps: NDArray[np.integer], p_of_step: NDArray[np.floating]
) -> NDArray[np.float64]:
    """τ_mem(x) (N,): the first measured step from which p <= 0.05 at every later one.

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
