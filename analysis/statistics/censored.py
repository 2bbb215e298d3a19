"""Onsets of which some lie beyond what was measured, fitted by maximum likelihood.

The normal accelerated-failure-time model: log τ of observation i in block k is
y_i = a_k + x_i·b + σ·ε_i, ε_i standard normal. An onset that is known counts with its density, one
that is censored with the probability of the side, or the interval, in which it lies: dropping the
censored ones would bias b towards zero.

Own Newton steps and no package for survival: there is one intercept for every block, thousands in a
large sweep, and their part of the Hessian is diagonal, which a general fit cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis.statistics.seeds import Estimate, mean_over_seeds

Array = NDArray[Any]

STEPS = 100
"""Of Newton's method, which needs about ten: the likelihood is concave."""

CONVERGED = 1e-10
"""Gain of log-likelihood below which a step is the last."""

SMALLEST = 1e-6
"""σ in nats at which onsets lie on the line exactly; the likelihood then has no maximum."""


class Fit(NamedTuple):
    """A fitted model.

    Attributes:
        intercepts: (K,) a of every block.
        slopes: (P,) b.
        sigma: σ, in nats, by maximum likelihood.
        covariance: (P + 1, P + 1) of the slopes and log σ, from the observed information.
    """

    intercepts: Array
    slopes: Array
    sigma: float
    covariance: Array


@dataclass(frozen=True)
class Onsets:
    """Logarithms of onsets, between bounds, and what they may depend on.

    Attributes:
        low, high: (n,) bounds of log τ in nats: equal where it is known, -∞ or +∞ where it is
            censored on the left or the right, else the ends of an interval.
        block: (n,) numbers 0 … K-1 of the observations that share an intercept.
        covariates: (n, P).

    Raises:
        ValueError: when the shapes differ, or a lower bound lies above the upper one.
    """

    low: Array
    high: Array
    block: Array
    covariates: Array

    def __post_init__(self) -> None:
        n = len(self.low)
        if self.covariates.ndim != 2 or {
            len(self.high),
            len(self.block),
            *self.covariates.shape[:1],
        } != {n}:
            raise ValueError("bounds, blocks and covariates have one row per onset")
        if (self.low > self.high).any():
            raise ValueError("an onset lies between its bounds, the lower one first")

    @property
    def known(self) -> Array:
        """(n,) which onsets are known, not censored."""
        return self.low == self.high

    def where(self, chosen: Array) -> Onsets:
        """Some of the onsets, their blocks numbered anew."""
        block = np.unique(self.block[chosen], return_inverse=True)[1]
        return Onsets(self.low[chosen], self.high[chosen], block, self.covariates[chosen])


def identified(onsets: Onsets) -> bool:
    """Whether the likelihood has a maximum, known onsets alone giving every slope and σ.

    Every block must hold a known onset, the covariates must be of full rank within blocks, and at
    least one known onset must be left over for σ.
    """
    known = onsets.known
    blocks = int(onsets.block.max(initial=-1)) + 1
    counts = np.bincount(onsets.block[known], minlength=blocks)
    if not blocks or not counts.all():
        return False
    within = _centred(onsets.covariates[known], onsets.block[known], counts)
    slopes = within.shape[1]
    return known.sum() > blocks + slopes and np.linalg.matrix_rank(within) == slopes


def fit(onsets: Onsets) -> Fit:
    """The model's maximum-likelihood fit.

    In a_k/σ, b/σ and 1/σ the log-likelihood is concave (Olsen 1978, for one-sided censoring;
    Burridge 1981 for intervals), so that Newton's method with halved steps finds its only maximum.

    Raises:
        ValueError: when the onsets do not determine it, see `identified`.
    """
    if not identified(onsets):
        raise ValueError("too few known onsets to fit every slope")
    known = onsets.known
    counts = np.bincount(onsets.block[known])
    middle = np.where(known, onsets.low, 0.0)
    y, x = middle[known], onsets.covariates[known]
    within = _centred(np.column_stack([x, y]), onsets.block[known], counts)
    slopes = np.linalg.lstsq(within[:, :-1], within[:, -1], rcond=None)[0]
    residual = within[:, -1] - within[:, :-1] @ slopes
    sigma = max(float(np.sqrt(np.mean(residual**2))), SMALLEST)
    intercepts = np.bincount(onsets.block[known], y - x @ slopes) / counts
    place = _Place(intercepts / sigma, slopes / sigma, 1 / sigma)
    value = _value(onsets, place)
    for _ in range(STEPS):
        step, _ = _newton(onsets, place)
        share, tried = 1.0, place.moved(step, 1.0)
        while not (reached := _value(onsets, tried)) >= value and share > CONVERGED:
            share /= 2
            tried = place.moved(step, share)
        gain, place, value = reached - value, tried, reached
        if gain < CONVERGED or place.scale > 1 / SMALLEST:
            break
    _, covariance = _newton(onsets, place)
    return place.fit(covariance)


def slopes_of_seeds(onsets: Onsets, seed: Array) -> Array:
    """One slope per seed, so that Student's t over them is an interval.

    Where every onset is known, each seed's own least squares. Where some are censored, seeds are
    jackknifed: J times the slope of all J seeds, less J-1 times that without the seed. (Slopes
    fitted seed by seed then lie 1 to 4 % too far from zero at three to five cells a seed, since the
    fit of a few censored onsets is skewed; those of the jackknife lie within 1 %.)

    Args:
        onsets: with one covariate; no block spans two seeds.
        seed: (n,) of every onset.

    Returns:
        (J,) slopes, empty where the onsets determine none.
    """
    if onsets.known.all():
        return _least_squares(onsets, seed)
    rests = [onsets.where(seed != left_out) for left_out in np.unique(seed)]
    if len(rests) < 2 or not all(map(identified, [onsets, *rests])):
        return np.empty(0)
    whole = fit(onsets).slopes[0]
    parts = np.array([fit(rest).slopes[0] for rest in rests])
    return len(rests) * whole - (len(rests) - 1) * parts


def slope_over_seeds(onsets: Onsets, seed: Array) -> Estimate:
    """The mean of `slopes_of_seeds` with Student's t interval over seeds."""
    return mean_over_seeds(slopes_of_seeds(onsets, seed).tolist())


def _least_squares(onsets: Onsets, seed: Array) -> Array:
    """Slopes of known onsets, whatever σ; of the seeds whose blocks have several covariates."""
    values = np.column_stack([onsets.covariates, onsets.low])
    x, y = _centred(values, onsets.block, np.bincount(onsets.block)).T
    seeds = np.unique(seed, return_inverse=True)[1]
    spread, together = np.bincount(seeds, x**2), np.bincount(seeds, x * y)
    told = spread > np.finfo(float).eps * (1 + np.max(x**2, initial=0.0))
    return together[told] / spread[told]


@dataclass(frozen=True)
class _Place:
    """Where the search stands: a/σ, b/σ and 1/σ."""

    intercepts: Array
    slopes: Array
    scale: float

    def moved(self, step: tuple[Array, Array], share: float) -> _Place:
        intercepts, rest = step
        return _Place(
            self.intercepts + share * intercepts,
            self.slopes + share * rest[:-1],
            self.scale + share * float(rest[-1]),
        )

    def fit(self, covariance: Array) -> Fit:
        """In the model's own terms, the covariance by the delta method."""
        sigma = 1 / self.scale
        slopes = self.slopes * sigma
        size = len(slopes)
        jacobian = np.zeros((size + 1, size + 1))
        jacobian[:size, :size] = sigma * np.eye(size)
        jacobian[:size, size] = -slopes * sigma
        jacobian[size, size] = -sigma
        return Fit(self.intercepts * sigma, slopes, sigma, jacobian @ covariance @ jacobian.T)


def _ends(onsets: Onsets, place: _Place) -> tuple[Array, Array]:
    """Both bounds in standard deviations from the line."""
    line = place.intercepts[onsets.block] + onsets.covariates @ place.slopes
    return place.scale * onsets.low - line, place.scale * onsets.high - line


def _log_mass(low: Array, high: Array) -> Array:
    """log(Φ(high) - Φ(low)), from the tail in which it does not cancel."""
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    upper, lower = special.log_ndtr(high), special.log_ndtr(low)
    return upper + np.log1p(-np.exp(lower - upper))


def _value(onsets: Onsets, place: _Place) -> float:
    """The log-likelihood, up to a constant; -∞ where 1/σ is not positive."""
    if place.scale <= 0:
        return -np.inf
    known = onsets.known
    low, high = _ends(onsets, place)
    density = known.sum() * np.log(place.scale) - 0.5 * np.sum(low[known] ** 2)
    return float(density + _log_mass(low[~known], high[~known]).sum())


def _newton(onsets: Onsets, place: _Place) -> tuple[tuple[Array, Array], Array]:
    """Newton's step in (a/σ; b/σ, 1/σ), and the inverse information of the latter two.

    The intercepts are eliminated block by block (Schur complement).
    """
    line, scale, line_line, line_scale, scale_scale = _derivatives(onsets, place)
    x, block = onsets.covariates, onsets.block
    blocks, size = len(place.intercepts), x.shape[1]
    rest = np.append(x.T @ line, scale.sum())
    information = np.empty((size + 1, size + 1))
    information[:size, :size] = (x * line_line[:, None]).T @ x
    information[:size, size] = information[size, :size] = x.T @ line_scale
    information[size, size] = scale_scale.sum()
    diagonal = np.bincount(block, line_line, minlength=blocks)
    columns = [*(x * line_line[:, None]).T, line_scale]
    cross = np.stack([np.bincount(block, c, minlength=blocks) for c in columns], axis=1)
    first = np.bincount(block, line, minlength=blocks)
    covariance = np.linalg.inv(information - cross.T @ (cross / diagonal[:, None]))
    moved = covariance @ (rest - cross.T @ (first / diagonal))
    return ((first - cross @ moved) / diagonal, moved), covariance


def _derivatives(onsets: Onsets, place: _Place) -> tuple[Array, ...]:
    """Per onset: gradient in the line and in 1/σ, and minus the second derivatives.

    With r the bounds in standard deviations and A, B the densities there over the mass between,
    d/dline = B - A and d/dscale = y_high·A - y_low·B; a bound at infinity has no density.
    """
    known = onsets.known
    low, high = _ends(onsets, place)
    y_low, y_high = (np.where(np.isfinite(y), y, 0.0) for y in (onsets.low, onsets.high))
    mass = np.where(known, 0.0, _log_mass(np.where(known, -1.0, low), np.where(known, 1.0, high)))
    a, b = (np.exp(-0.5 * r**2 - mass) / np.sqrt(2 * np.pi) for r in (high, low))
    r_high, r_low = (np.where(np.isfinite(r), r, 0.0) for r in (high, low))
    line, scale = b - a, y_high * a - y_low * b
    line_line = r_high * a - r_low * b + line**2
    line_scale = -(r_high * y_high * a - r_low * y_low * b) + line * scale
    scale_scale = r_high * y_high**2 * a - r_low * y_low**2 * b + scale**2
    return (
        np.where(known, r_low, line),
        np.where(known, 1 / place.scale - r_low * y_low, scale),
        np.where(known, 1.0, line_line),
        np.where(known, -y_low, line_scale),
        np.where(known, 1 / place.scale**2 + y_low**2, scale_scale),
    )


def _centred(values: Array, block: Array, counts: Array) -> Array:
    """(n, P) columns less their means over the rows of each block."""
    means = np.stack([np.bincount(block, column) / counts for column in values.T], axis=1)
    return values - means[block]
