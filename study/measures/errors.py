"""Estimates over generated strings, and their standard errors.

The string is the cluster: nodes of one string are dependent, strings are independent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_and_error(values: NDArray[Any]) -> tuple[float, float]:
    """Mean of one value per string (G,) and its standard error sd/√G."""
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def ratio_and_error(
    parts: NDArray[Any], wholes: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Σ_i a_i / Σ_i n_i over strings i, and its standard error √(Σ_i (a_i - r·n_i)²) / Σ_i n_i.

    parts a (G, k), wholes n (G,) with a positive sum -> two arrays (k,).
    """
    total = wholes.sum()
    ratio = parts.sum(axis=0) / total
    deviations = parts - ratio * wholes[:, None]
    return ratio, np.sqrt((deviations**2).sum(axis=0)) / total
