"""Where a surface crosses its level on a line of candidates, with a band.

The band of coverage c around a crossing is the stretch on which the level lies within the
surface's own c interval: |m(s)| < q·σ(s), q the quantile of (1 + c)/2. It is the inverse
of a test: a true crossing lies on such a stretch with probability c, whatever the shape of the
line, since there y = 0. It asks no monotone line, and a line may have several stretches, or none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Stretch(NamedTuple):
    """A stretch of a line on which the side of the level is not decided.

    Attributes:
        lower, upper: its ends, in the line's own positions.
        open_below, open_above: it reaches the end of the line, so the crossing may lie beyond.
        crossings: where the mean crosses the level on it, rising positions; may be empty.
        rising: for each of them, whether the mean rises there.
    """

    lower: float
    upper: float
    open_below: bool
    open_above: bool
    crossings: tuple[float, ...]
    rising: tuple[bool, ...]


def stretches(position: Array, mean: Array, half: Array) -> list[Stretch]:
    """Undecided stretches of a line, in order.

    Args:
        position: (K,) rising, K >= 2; mean and half are joined straight in between.
        mean: (K,) posterior mean of y, 0 being the level.
        half: (K,) half the interval around it.
    """
    ends = [_zeros(position, y) for y in (mean, mean - half, mean + half)]
    knots = np.unique(np.concatenate([position, *ends]))
    middle = (knots[1:] + knots[:-1]) / 2
    y, h = np.interp(middle, position, mean), np.interp(middle, position, half)
    undecided = np.concatenate([[False], np.abs(y) < h, [False]]).astype(int)
    starts, stops = (
        np.flatnonzero(np.diff(undecided) == 1),
        np.flatnonzero(np.diff(undecided) == -1),
    )
    zeros = ends[0]
    slope = np.interp(zeros + 1e-9, position, mean) - np.interp(zeros - 1e-9, position, mean)
    found = []
    for start, stop in zip(starts, stops, strict=True):
        low, high = float(knots[start]), float(knots[stop])
        inside = (zeros >= low) & (zeros <= high)
        crossings = tuple(float(z) for z in zeros[inside])
        rising = tuple(bool(s > 0) for s in slope[inside])
        found.append(Stretch(low, high, start == 0, stop == len(knots) - 1, crossings, rising))
    return found


def _zeros(position: Array, y: Array) -> Array:
    """Where a line joined straight crosses 0."""
    before = np.flatnonzero((y[:-1] >= 0) != (y[1:] >= 0))
    share = y[before] / (y[before] - y[before + 1])
    return position[before] + share * (position[before + 1] - position[before])
