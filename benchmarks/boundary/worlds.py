"""Synthetic order parameters with a known boundary, as trainings would measure them.

A seed's curve over log step t is E = logistic(r·(f(x) + t - T + u + e)) + sampling error, with f
the lead of the median seed at the last step T in nats of steps (the boundary is f = 0), u the
seed's own lead and e what it does at single steps. Noise is heteroscedastic: u spreads the more the
larger N is. Axes are log2 N = 5 … 10 and log2 W = 3 … 6 in half steps; a training has W² operations
and takes as long as `cost` counts, launches apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.boundary.lattice import Array, Lattice, lattice
from sweeps.space import cost

STEPS = np.log([512.0, 724, 1024, 1448, 2048, 2896, 4096])
GENERATED = 256

RAMP = 2.0
"""r: logit E of the demo's trainings rises by about this per nat of steps."""

SIZES, WIDTHS = np.arange(5, 10.01, 0.5), np.arange(3, 6.01, 0.5)


@dataclass(frozen=True)
class World:
    """Synthetic trainings about a known lead.

    Attributes:
        name: of the shape.
        lead: f over (log2 N, log2 W), in octaves.
        repetition: of the noise.
    """

    name: str
    lead: Callable[[Array, Array], Array]
    repetition: int = 0

    @property
    def lattice(self) -> Lattice:
        """Its candidates."""
        return self._lattice

    @cached_property
    def _lattice(self) -> Lattice:
        cells = np.array([(n, w) for n in SIZES for w in WIDTHS])
        return lattice(cells, np.array([w**2 * cost.elementwise(w) for w in 2 ** cells[:, 1]]))

    @property
    def log_steps(self) -> Array:
        """(S,) of the measured steps."""
        return STEPS

    @property
    def seeds(self) -> int:
        """Seeds per cell that a grid has."""
        return 4

    def crossings(self) -> dict[float, list[float]]:
        """True crossings by log2 W, in log2 N."""
        fine = np.linspace(SIZES[0], SIZES[-1], 4001)
        found = {}
        for width in WIDTHS:
            above = self.lead(fine, np.full(len(fine), width)) > 0
            at = np.flatnonzero(above[:-1] != above[1:])
            found[float(width)] = ((fine[at] + fine[at + 1]) / 2).tolist()
        return found

    @property
    def flop(self) -> Array:
        """(M,) operations of one training, in any unit."""
        return 4.0 ** self.lattice.cells[:, 1]

    def price(self, cells: Sequence[int]) -> float:
        """What trainings take, as the search thinks."""
        return self.lattice.price(cells)

    def train(self, cell: int, seed: int) -> Sequence[float]:
        """E of one training at every step; the same whenever it is asked."""
        rng = np.random.default_rng([self.repetition, cell, seed])
        size, width = self.lattice.cells[cell]
        lead = math.log(2) * float(self.lead(np.array([size]), np.array([width]))[0])
        spread = 0.08 + 0.12 * (size - SIZES[0]) / np.ptp(SIZES)
        own = spread * rng.standard_normal() + 0.04 * rng.standard_normal(len(STEPS))
        share = 1 / (1 + np.exp(-RAMP * (lead + STEPS - STEPS[-1] + own)))
        error = np.sqrt(share * (1 - share) / GENERATED + 1e-4)
        return (share + error * rng.standard_normal(len(STEPS))).tolist()


SHAPES: dict[str, Callable[[Array, Array], Array]] = {
    "straight": lambda n, w: 1.1 * (w - 3) + 5.3 - n,
    "curved": lambda n, w: 9.2 - 0.45 * (6 - w) ** 2 - n,
    "two branches": lambda n, w: 0.75 * (w - 3.7) - np.abs(n - 7.4 - 0.2 * (w - 4.5)),
    "none": lambda n, w: -1.4 + 0.5 * (w - 6) - 0.4 * (n - 5),
}
"""Two branches: above the level between two lines that meet in a corner at small W."""
