"""Alias tables: one uniform number and two look-ups draw from any finite distribution.

Walker's method (1977): K cells of equal width, each split at one edge between its own outcome and
one other, its alias. The tables follow from two running sums instead of a loop over outcomes
(Hübschle-Schneider and Sanders, Parallel Weighted Random Sampling, arXiv 1903.00227).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AliasTables:
    """One table for each row of a matrix of probabilities (rows, K), all of them flattened.

    edges     (rows·K,) where a cell, which begins at its number k in its row, passes to its alias
    outcomes  (rows·K·2,) r·K + k for row r and outcome k: of each cell the own one, then the alias
    """

    size: int
    edges: NDArray[np.float64]
    outcomes: NDArray[np.int64]

    @classmethod
    def of(cls, probabilities: NDArray[np.float64]) -> AliasTables:
        """Outcomes of probability 0 are never drawn. Rows are taken relative to their sums."""
        rows, size = probabilities.shape
        raw = [row.tobytes() for row in probabilities]  # symbols often share their probabilities
        built = {each: _alias(np.frombuffer(each)) for each in dict.fromkeys(raw)}
        share, alias = (
            np.stack(column) for column in zip(*(built[each] for each in raw), strict=True)
        )
        own = np.arange(rows * size).reshape(rows, size)
        given = own[:, :1] + alias
        edges = np.arange(size) + share
        return cls(size, edges.ravel(), np.stack([own, given], axis=-1).ravel())

    def draw(self, rows: NDArray[Any], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """r·K + k with k of the law of each given row r; uniforms in [0, 1), shapes equal."""
        place = uniforms * self.size
        cell = place.astype(np.int64)
        cell += rows * np.int64(self.size)
        return self.outcomes.take(2 * cell + (place >= self.edges.take(cell)))


def _alias(probabilities: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The share (K,) that each cell keeps of itself, and the outcome (K,) that gets the rest.

    Cells that lack (weight below 1) are filled in turn by the first heavy outcome that has excess
    left; a heavy one that has given too much is filled up by the next.
    """
    size = len(probabilities)
    weights = probabilities * (size / probabilities.sum())
    heavy = weights >= 1
    heavy[weights.argmax()] = True
    light = np.flatnonzero(~heavy)
    heavy = np.flatnonzero(heavy)
    lack = np.concatenate([[0.0], np.cumsum(1 - weights[light])])
    excess = np.cumsum(weights[heavy] - 1)
    share, alias = np.minimum(weights, 1), np.arange(size)
    giver = np.searchsorted(excess, lack[:-1], side="right")
    alias[light] = heavy[np.minimum(giver, len(heavy) - 1)]
    overdrawn = np.searchsorted(lack, excess[:-1])
    closed = overdrawn < len(lack)
    share[heavy] = 1
    share[heavy[:-1][closed]] = 1 + excess[:-1][closed] - lack[overdrawn[closed]]
    alias[heavy[:-1]] = heavy[1:]
    return share, alias
