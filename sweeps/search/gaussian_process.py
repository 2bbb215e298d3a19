"""The Gaussian process behind a level set: the latent order parameter over axes and log step.

y(x, t) ~ GP over x, the axes with ranges 1, and t, log step from the asked one, with covariance

    b² + a²·Σ_i (x_i - 1/2)(x'_i - 1/2) + a²·t·t' + σ²·Matérn_3/2(|(x - x')/ℓ|, |t - t'|/ℓ_t)

a straight trend in the logarithms, as power laws are, and a departure from it of any shape, corners
included, so that curved, double and absent boundaries are no harder to say than straight ones. Its
mean is the level: what was never looked at stays undecided. Cells' means enter with their seeds'
errors: over the seeds' number, part of it shared by all steps of the cell (`seed_noise`).

**Why log step is an axis.** Every training says y at each of its measured steps. They tell the
process how long its scales are (one step would leave that to a handful of cells), average the
noise that steps do not share, and bound what an unfinished training will come to. They do not
move the surface at the last step otherwise: with all cells measured at the same steps and without
noise, a process whose covariance is a product over axes and steps is predicted from its own step
alone.

**Why scales are averaged.** A handful of cells leave them open, and one best value makes bands
too narrow. So (ℓ, ℓ_t, σ) are drawn from a prior, and every draw counts by its marginal
likelihood; mean and covariance are those of the mixture. scikit-learn's regressor does the linear
algebra.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import norm, qmc
from sklearn import config_context
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Kernel

from sweeps.search.seed_noise import Points, SeedNoise

Array = NDArray[Any]

DRAWS = 48
"""Of the scales, from a scrambled Halton sequence."""

COUNTED = 0.02
"""Draws of a smaller share of the best one's likelihood are left out."""

MOST = 8
"""Draws that are counted at most."""

LENGTH, LENGTH_SPREAD = 0.7, 0.7
"""Median of ℓ in axes' ranges (ℓ_t: twice that, in three octaves), and the spread of its log."""

HEIGHT, HEIGHT_SPREAD = 1.0, 0.5
"""Median of σ, and the spread of its log; y reaches from -3 to 3."""

TREND, OFFSET = 3.0, 1.0
"""a and b."""

NUGGET = 0.03**2
"""Variance that no cell's mean is better than."""

UNCHECKED = {"assume_finite": True, "skip_parameter_validation": True}
"""Checking what is handed over takes scikit-learn longer than its algebra on so few points."""


class TrainingKernel(Kernel):
    """The covariance above, and what steps of one cell share by its seeds.

    Rows are (x_1 … x_d, t, cell, variance): `cell` is -1 where the mean over infinitely many
    seeds is asked, and `variance` that of the cell's mean by the part its steps share. Where
    steps have different numbers of seeds, the fewer are among the more, and share the smaller
    variance.
    """

    def __init__(self, lengths: tuple[float, ...] = (1.0, 1.0), height: float = 1.0) -> None:
        self.lengths = lengths
        self.height = height

    def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Any:
        """Covariance of the rows of X with those of Y; nothing is fitted by gradients."""
        other = X if Y is None else Y
        places, others = X[:, :-2], other[:, :-2]
        lengths = np.array(self.lengths)
        far = np.sqrt(3) * cdist(places / lengths, others / lengths)
        smooth = self.height**2 * (1 + far) * np.exp(-far)
        trend = TREND**2 * (_centred(places) @ _centred(others).T) + OFFSET**2
        same = (X[:, -2][:, None] == other[:, -2][None]) & (X[:, -2] >= 0)[:, None]
        shared = np.where(same, np.minimum(X[:, -1][:, None], other[:, -1][None]), 0)
        covariance = smooth + trend + shared
        return (covariance, np.zeros((*covariance.shape, 0))) if eval_gradient else covariance

    def diag(self, X: Array) -> Array:  # type: ignore[override]
        """Variances of the rows of X."""
        trend = TREND**2 * (_centred(X[:, :-2]) ** 2).sum(1) + OFFSET**2
        return self.height**2 + trend + np.where(X[:, -2] >= 0, X[:, -1], 0)

    def is_stationary(self) -> bool:  # type: ignore[override]
        """No: it has a trend."""
        return False


def _centred(places: Array) -> Array:
    """Axes about their middle; log step stays as it is, 0 at the asked step."""
    centre = np.full(places.shape[1], 0.5)
    centre[-1] = 0.0
    return places - centre


@dataclass(frozen=True)
class Process:
    """A fitted process: a mixture over scales.

    Attributes:
        regressors: one for each counted draw of the scales.
        weights: (H,) their shares of the marginal likelihood.
    """

    regressors: tuple[GaussianProcessRegressor, ...]
    weights: Array

    @classmethod
    def fit(cls, points: Points, noise: SeedNoise, places: Array, seed: int) -> Process:
        """The process given cells' means.

        Args:
            points, noise: from `summarized`.
            places: (M, d) positions of all candidates, axes' ranges being 1.
            seed: of the draws of the scales.
        """
        own, rows = _rows(points, noise, places)
        fitted = []
        with config_context(**UNCHECKED):
            for lengths, height in _scales(places.shape[1] + 1, seed):
                kernel = TrainingKernel(lengths, height)
                regressor = GaussianProcessRegressor(kernel, alpha=own, optimizer=None)  # type: ignore[arg-type]
                fitted.append(regressor.fit(rows, points.mean) if len(rows) else regressor)
        evidence = np.array([getattr(f, "log_marginal_likelihood_value_", 0.0) for f in fitted])
        share = np.exp(evidence - evidence.max())
        best = np.argsort(-share, kind="stable")[:MOST]
        best = best[share[best] >= COUNTED]
        return cls(tuple(fitted[i] for i in best), share[best] / share[best].sum())

    def mean_and_deviation(self, places: Array) -> tuple[Array, Array]:
        """Posterior mean and standard deviation of y at (Q, d) places, at the asked step."""
        means, deviations = self._each(places, return_std=True)
        mean = self.weights @ means
        variance = self.weights @ (deviations**2 + (means - mean) ** 2)
        return mean, np.sqrt(variance)

    def covariance(self, places: Array) -> Array:
        """Posterior covariance (Q, Q) of y at (Q, d) places, at the asked step."""
        means, covariances = self._each(places, return_cov=True)
        away = means - self.weights @ means
        return np.tensordot(self.weights, covariances, 1) + (away * self.weights[:, None]).T @ away

    def _each(self, places: Array, **what: bool) -> tuple[Array, Array]:
        blank = np.zeros((len(places), 1))
        rows = np.hstack([places, blank, blank - 1, blank])
        with config_context(**UNCHECKED), warnings.catch_warnings():
            # A variance of -1e-16 is set to 0, and said.
            warnings.filterwarnings("ignore", "Predicted variances smaller than 0")
            each = [regressor.predict(rows, **what) for regressor in self.regressors]
        return np.array([mean for mean, _ in each]), np.array([spread for _, spread in each])


def _rows(points: Points, noise: SeedNoise, places: Array) -> tuple[Array, Array]:
    """Each point's own variance, and the kernel's rows."""
    at = places[points.cell]
    shared, own, _ = noise.at(at, points.mean)
    # One variance for a cell: that at its last step, which is what the surface is about.
    for cell in np.unique(points.cell):
        steps = np.flatnonzero(points.cell == cell)
        shared[steps] = shared[steps[np.argmax(points.offset[steps])]]
    rows = np.column_stack([at, points.offset, points.cell, shared / np.maximum(points.seeds, 1)])
    return own / np.maximum(points.seeds, 1) + NUGGET, rows


def _scales(axes: int, seed: int) -> list[tuple[tuple[float, ...], float]]:
    """Draws of the lengths of the axes, log step last, and of the height."""
    draws = norm.ppf(qmc.Halton(axes + 1, rng=np.random.default_rng(seed)).random(DRAWS))
    lengths = LENGTH * np.exp(LENGTH_SPREAD * draws[:, :axes])
    lengths[:, -1] *= 2
    heights = HEIGHT * np.exp(HEIGHT_SPREAD * draws[:, axes])
    return [(tuple(row), float(h)) for row, h in zip(lengths.tolist(), heights, strict=True)]
