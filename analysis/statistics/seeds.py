"""Statistics over seeds. The seed is the unit of replication, never the string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A mean over seeds with its interval; null where it is undefined."""

    mean: float | None
    lower: float | None
    upper: float | None
    seeds: int


class MedianRange(NamedTuple):
    """A median over seeds, an interval between two of them, and how often such intervals cover."""

    median: float
    lower: float
    upper: float
    coverage: float
    seeds: int


def t_half_width(spread: pd.Series, seeds: pd.Series, confidence: float = CONFIDENCE) -> pd.Series:
    """Half the width of Student's t interval, t_{n-1}·s/√n; missing for a single seed.

    Args:
        spread: standard deviations over seeds (with n-1).
        seeds: n.
        confidence: of the two-sided interval.
    """
    freedom = (seeds - 1).where(seeds > 1).astype(float)
    quantile = pd.Series(special.stdtrit(freedom, (1 + confidence) / 2), index=seeds.index)
    return quantile * spread / np.sqrt(seeds.astype(float))


def over_seeds(frame: pd.DataFrame, *, by: Sequence[str], value: str = "value") -> pd.DataFrame:
    """Mean and Student t interval of a column over the rows (one per seed) of each group.

    Missing values take no part: `seeds` counts the defined ones, and a group without any has a
    missing mean. One seed has no interval; equal values have one of width zero.

    Returns:
        The group columns with `mean`, `lower`, `upper` and `seeds`.
    """
    groups = frame.groupby(list(by), sort=False, observed=True)[value]
    summary = groups.agg(mean="mean", spread="std", seeds="count").reset_index()
    half = t_half_width(summary["spread"], summary["seeds"])
    summary["lower"] = summary["mean"] - half
    summary["upper"] = summary["mean"] + half
    return summary[[*by, "mean", "lower", "upper", "seeds"]]


def columns_over_seeds(
    frame: pd.DataFrame, *, by: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """`over_seeds` of several columns at once, below one another.

    Returns:
        The group columns with `column`, `mean`, `lower`, `upper` and `seeds`.
    """
    groups = frame.groupby(list(by), sort=False, observed=True)[list(columns)]
    long = groups.mean().reset_index().melt(list(by), var_name="column", value_name="mean")
    spread = groups.std().melt(value_name="spread")["spread"]
    long["seeds"] = groups.count().melt(value_name="seeds")["seeds"]
    half = t_half_width(spread, long["seeds"])
    long["lower"], long["upper"] = long["mean"] - half, long["mean"] + half
    return long[[*by, "column", "mean", "lower", "upper", "seeds"]]


def runs(table: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Curves without their undefined points, and `run`, which counts the stretches between them.

    Args:
        table: curves with their `mean`, one below the other, each in order.
        by: columns that tell curves apart.
    """
    gap = table["mean"].isna()
    run = gap.groupby([table[name] for name in by], sort=False).cumsum()
    return table.assign(run=run)[~gap].reset_index(drop=True)


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """The mean of one value per seed and its Student t interval; missing values take no part."""
    frame = pd.DataFrame({"all": 0, "value": np.asarray(values, dtype=float)})
    if frame["value"].notna().sum() == 0:
        return Estimate(None, None, None, 0)
    row = over_seeds(frame, by=["all"]).iloc[0]
    lower, upper = (
        None if np.isnan(row[name]) else float(row[name]) for name in ("lower", "upper")
    )
    return Estimate(float(row["mean"]), lower, upper, int(row["seeds"]))


def median_over_seeds(values: Sequence[float], confidence: float = CONFIDENCE) -> MedianRange:
    """The median of one value per seed and the narrowest pair of order statistics around it.

    For n values in order, [x_(k), x_(n+1-k)] covers the median with probability
    1 - 2·P(Binomial(n, 1/2) < k) whatever their law, so it stays honest where a few seeds say
    nothing about normality and where some are only known to lie beyond an end (±∞). The largest k
    that reaches the confidence is taken; fewer than 6 seeds never reach 0.95, then it is the whole
    range with its smaller coverage. Between a value below and one above everything that was
    measured the median is NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n == 0:
        raise ValueError("the median of no seeds is undefined")
    k = 1
    while k + 1 <= (n + 1) // 2 and _coverage(n, k + 1) >= confidence:
        k += 1
    low, high = ordered[(n - 1) // 2], ordered[n // 2]
    unknown = np.isinf(low) and np.isinf(high)  # on different sides: it may lie anywhere
    middle = low if low == high else np.nan if unknown else (low + high) / 2
    return MedianRange(
        float(middle), float(ordered[k - 1]), float(ordered[n - k]), _coverage(n, k), n
    )


def _coverage(n: int, k: int) -> float:
    return max(0.0, float(1 - 2 * special.bdtr(k - 1, n, 0.5)))
