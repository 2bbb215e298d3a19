"""Vertical domains that follow the picked cell."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

EMPTY = [-0.05, 1.0]
"""Of a cell of which nothing is known."""


BANDS = 0.6
"""Of the range of means: so far beyond it the frame opens for the intervals."""

FLAT = 0.1
"""What is shown around a curve that is zero throughout."""

BANDS_FROM = 3
"""Seeds from which an interval is drawn: that of two is 13 times as wide as they lie apart."""


def with_bands(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with `lower` and `upper` only where a band is drawn: of one seed, or of several."""
    drawn = (table["seeds"] >= BANDS_FROM) | (table["seeds"] == 1)
    return table.assign(lower=table["lower"].where(drawn), upper=table["upper"].where(drawn))


def extent(table: pd.DataFrame) -> list[float]:
    """From 0, or below, to the largest mean, with room around for most of the intervals.

    With three seeds an interval may be so wide that nothing else would be seen; where one goes on
    beyond the frame, `analysis.charts.panels.banded` marks it.
    """
    known = with_bands(table[table["mean"].notna()])
    if not len(known):
        return EMPTY
    low, high = known["mean"].min(), known["mean"].max()
    ends = known["lower"].min(), known["upper"].max()
    return _roomy(*(np.array([x]) for x in (low, high, *ends))).tolist()[0]


def extents(
    table: pd.DataFrame, least: tuple[float, float] | None = None
) -> dict[str, list[float]]:
    """Cell -> the `extent` of its rows; or `least`, widened as far as the means go."""
    known = with_bands(table[table["mean"].notna()]).groupby("cell", sort=False)
    ends = known.agg(low=("mean", "min"), high=("mean", "max"))
    low, high = ends["low"].to_numpy(), ends["high"].to_numpy()
    if least is None:
        bands = known.agg(lower=("lower", "min"), upper=("upper", "max"))
        found = _roomy(low, high, bands["lower"].to_numpy(), bands["upper"].to_numpy()).tolist()
    else:
        beyond = np.where(high > least[1], 1.05 * high, least[1])
        wide = np.minimum(low * 1.1, least[0]), beyond
        found = np.round(np.stack(wide, axis=1), 4).tolist()
    return dict(zip((str(cell) for cell in ends.index), found, strict=True))


def domain_signal(data: str, panel: str = "") -> str:
    """The name of the signal that holds a panel's domain."""
    return re.sub(r"\W", "_", f"domain_{data}_{panel}".rstrip("_"))


def _roomy(low: np.ndarray, high: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """(n, 2) domains of n ranges of means, open for their intervals; those may be undefined."""
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    span = np.where(high > low, np.maximum(high - low, 1e-3), FLAT)
    least, most = (x.astype(float) for x in (lower, upper))
    down = np.clip(np.nan_to_num(low - least), 0.04 * span, BANDS * span)
    up = np.clip(np.nan_to_num(most - high), 0.12 * span, BANDS * span)
    ends = np.stack([low - down, high + up], axis=1)
    return np.vectorize(lambda x: float(f"{x:.4g}"), otypes=[float])(ends)
