"""What measured curves say of a cell: the mean over its seeds on a latent scale, and its error.

An order parameter such as E saturates at its bounds, so its seeds scatter on the ramp and agree
on both plateaus, and no process with one length scale fits ramp and plateaus alike. On the latent
scale

    y = logit(c + (1 - 2c)·v) - logit(c + (1 - 2c)·level),  v between its bounds 0 and 1, c = 0.05,

a ramp over log step is nearly straight, seeds scatter by about as much along it, and 0 is the
level. The scale is monotone: the median seed crosses the level where it crosses 0. Values beyond
the bounds (E is an estimate and may be negative) are taken at the bound. Without bounds
y = 3·tanh((v - level)/(3s)), s the median distance of the values from the level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[Any]

SHRINK = 0.05
"""c: half a unit of y is what E = 0 differs from E = 0.03, the noise of a few hundred strings."""

OCTAVES = 3.0
"""How much of the training axis before the asked step is read, in doublings of the step."""

LARGEST = 400
"""Points that a fit takes; beyond it every cell gives fewer steps."""

PRIOR_DEGREES = 3.0
"""Degrees of freedom that the noise of all cells is worth in a cell that has two seeds or more."""

SHARED_PRIOR, OWN_PRIOR, ASSUMED_DEGREES = 0.3**2, 0.15**2, 4.0
"""Variances of y before any cell has two seeds, and the degrees of freedom they count for."""

NEAR_LATENT, NEAR_AXES = 1.0, 0.3
"""Cells lend each other their seeds' variance within so much of y and of the axes' ranges."""


@dataclass(frozen=True)
class Latent:
    """The latent scale of an order parameter.

    Attributes:
        level: the value that maps to 0.
        bounds: where the order parameter saturates, or None where it does not.
        spread: s, for an order parameter without bounds.
    """

    level: float
    bounds: tuple[float, float] | None
    spread: float = 1.0

    @classmethod
    def of(cls, level: float, bounds: tuple[float, float] | None, values: Array) -> Latent:
        """The scale for these values, any shape; missing ones are NaN."""
        known = np.abs(values[np.isfinite(values)] - level)
        spread = float(np.median(known)) if len(known) else 1.0
        return cls(level, bounds, spread or 1.0)

    def __call__(self, values: Array) -> Array:
        """Values on the latent scale, the same shape; NaN stays NaN."""
        if self.bounds is None:
            return 3 * np.tanh((np.asarray(values) - self.level) / (3 * self.spread))
        return self._logit(np.asarray(values)) - self._logit(np.asarray(self.level))

    def _logit(self, values: Array) -> Array:
        low, high = self.bounds or (0.0, 1.0)
        share = np.clip((values - low) / (high - low), 0, 1)
        return special.logit(SHRINK + (1 - 2 * SHRINK) * share)


class Points(NamedTuple):
    """What a surface is fitted to: cells' means at some of their steps.

    Attributes:
        cell: (P,) index of the candidate.
        offset: (P,) log step minus the asked one, in units of `OCTAVES` doublings.
        mean: (P,) mean y over the seeds measured at this step.
        seeds: (P,) of them.
    """

    cell: Array
    offset: Array
    mean: Array
    seeds: Array


@dataclass(frozen=True)
class SeedNoise:
    """Variance of one seed's y about its cell's mean, anywhere.

    A seed that is early at one step is early at the next, so its deviation has a part that all
    steps share and a part of each step's own (measurement included): mean squares of a two-way
    layout of seeds and steps in every cell with at least two seeds. Two to four seeds say little
    about a variance, so a place takes the mean over cells weighted by degrees of freedom and by
    nearness, in the axes and in y (seeds agree on the plateaus), and the mean of all cells as a
    prior.

    Attributes:
        places: (C, d) positions of cells with two seeds or more, axes' ranges being 1.
        latent: (C,) their mean y at the last step.
        degrees: (C,) seeds - 1.
        shared, own: (C,) the two variances.
    """

    places: Array
    latent: Array
    degrees: Array
    shared: Array
    own: Array

    def at(self, places: Array, latent: Array) -> tuple[Array, Array, Array]:
        """The two variances and their degrees of freedom at (Q, d) places with (Q,) mean y."""
        far = ((places[:, None, :] - self.places[None]) ** 2).sum(2) / NEAR_AXES**2
        far = far + (latent[:, None] - self.latent[None]) ** 2 / NEAR_LATENT**2
        weight = np.exp(-far / 2) * self.degrees
        total = weight.sum(1) + PRIOR_DEGREES
        shared, own = (
            (weight @ known + PRIOR_DEGREES * self._pooled(known, prior)) / total
            for known, prior in ((self.shared, SHARED_PRIOR), (self.own, OWN_PRIOR))
        )
        return shared, own, total

    @property
    def total_degrees(self) -> float:
        """Degrees of freedom of all cells together, with those of what was assumed before."""
        return float(self.degrees.sum()) + ASSUMED_DEGREES

    def _pooled(self, known: Array, prior: float) -> float:
        return float((self.degrees @ known + ASSUMED_DEGREES * prior) / self.total_degrees)


def summarized(
    cells: Array, log_steps: Array, latent: Array, seeds: Array, places: Array, at: float
) -> tuple[Points, SeedNoise]:
    """Cells' means and the noise of their seeds.

    Args:
        cells, log_steps, latent, seeds: (n,) one entry per measured, defined value y.
        places: (M, d) positions of all candidates, axes' ranges being 1.
        at: the log step that is asked; what was measured later takes no part.
    """
    seen = log_steps <= at + 1e-9
    cells, log_steps, latent, seeds = (x[seen] for x in (cells, log_steps, latent, seeds))
    per_cell = max(2, min(4, LARGEST // max(1, len(np.unique(cells)))))
    rows: list[tuple[int, float, float, int]] = []
    noise: list[tuple[int, float, int, float, float]] = []
    for cell in np.unique(cells):
        own = cells == cell
        steps, table = _table(log_steps[own], latent[own], seeds[own])
        kept = _spread_out(steps, at, per_cell)
        steps, table = steps[kept], table[:, kept]
        counts, means = np.isfinite(table).sum(0), np.nanmean(table, axis=0)
        offsets = (steps - at) / (OCTAVES * math.log(2))
        rows += [(int(cell), *row) for row in zip(offsets, means, counts, strict=True)]
        if (complete := np.isfinite(table).all(1)).sum() > 1:
            parts = _two_way(table[complete])
            noise.append((int(cell), float(means[-1]), int(complete.sum()) - 1, *parts))
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 4
    points = Points(columns[0].astype(int), columns[1], columns[2], columns[3].astype(int))
    known = np.array(noise, dtype=float).reshape(-1, 5)
    at_places = places[known[:, 0].astype(int)]
    return points, SeedNoise(at_places, known[:, 1], known[:, 2], known[:, 3], known[:, 4])


def _table(log_steps: Array, latent: Array, seeds: Array) -> tuple[Array, Array]:
    """Steps in order and (seeds, steps) of y, NaN where a seed was not measured."""
    steps, at_step = np.unique(log_steps, return_inverse=True)
    names, at_seed = np.unique(seeds, return_inverse=True)
    sums, counts = np.zeros((len(names), len(steps))), np.zeros((len(names), len(steps)))
    np.add.at(sums, (at_seed, at_step), latent)
    np.add.at(counts, (at_seed, at_step), 1)
    return steps, np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _spread_out(steps: Array, at: float, most: int) -> Array:
    """Indices of at most so many steps, evenly over the octaves that are read, with the last."""
    recent = np.flatnonzero(steps >= at - OCTAVES * math.log(2) - 1e-9)
    if len(recent) == 0:  # trained for too short a time to say much, but all that is known
        recent = np.array([len(steps) - 1])
    return np.unique(recent[np.linspace(0, len(recent) - 1, most).round().astype(int)])


def _two_way(table: Array) -> tuple[float, float]:
    """Variances of what seeds share over steps and of the rest, from (seeds, steps) of y."""
    n, k = table.shape
    deviation = table - table.mean(0)
    of_seed = deviation.mean(1, keepdims=True)
    between = k * float((of_seed**2).sum()) / (n - 1)
    if k == 1:
        return between, 0.0
    rest = float(((deviation - of_seed) ** 2).sum()) / ((n - 1) * (k - 1))
    return max(0.0, (between - rest) / k), rest
