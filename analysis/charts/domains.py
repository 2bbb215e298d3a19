"""Vertical domains that follow the picked cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

EMPTY = [-0.05, 1.0]
"""Of a cell of which nothing is known."""


def extent(means: pd.Series) -> list[float]:
    """From 0, or below, to the largest mean, with room around.

    It follows the means: with two seeds an interval may be so wide that nothing else would be
    seen. Bands that are wider than the room are cut off at the frame.
    """
    known = means.dropna()
    if not len(known):
        return EMPTY
    return _roomy(np.array([known.min()]), np.array([known.max()])).tolist()[0]


def extents(
    table: pd.DataFrame, least: tuple[float, float] | None = None
) -> dict[str, list[float]]:
    """Cell -> the `extent` of its `mean`; or `least`, widened as far as the means go."""
    ends = table[table["mean"].notna()].groupby("cell", sort=False)["mean"].agg(["min", "max"])
    low, high = ends["min"].to_numpy(), ends["max"].to_numpy()
    if least is None:
        found = _roomy(low, high).tolist()
    else:
        beyond = np.where(high > least[1], 1.05 * high, least[1])
        wide = np.minimum(low * 1.1, least[0]), beyond
        found = np.round(np.stack(wide, axis=1), 4).tolist()
    return dict(zip((str(cell) for cell in ends.index), found, strict=True))


def domain_signal(data: str, panel: str = "") -> str:
    """The name of the signal that holds a panel's domain."""
    return f"domain_{data}_{panel}".rstrip("_")


def _roomy(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n, 2) domains of n ranges."""
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    span = np.maximum(high - low, 1e-3)
    room = 0.35 * span
    ends = np.stack([low - np.minimum(room, -low) - 0.04 * span, high + room], axis=1)
    return np.vectorize(lambda x: float(f"{x:.4g}"), otypes=[float])(ends)
