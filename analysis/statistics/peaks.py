"""The height of a profile's peak where the place of the peak is not known beforehand.

The largest of several means lies above the rest by luck where nothing is there, so whoever picks it
and tests the same numbers finds peaks everywhere. Here every seed is read at the place that the
other seeds pick: such a height has the expectation that it should have where all places are alike.
The seeds' readings then hang together a little, which Student's t does not know of (in 10 seeds of
equal places it would find a difference in 17 of 100 sweeps). How much is worked out from the
profiles themselves: where all places are alike, turning the seeds' profiles together, a rotation of
the seeds, changes nothing of their law (Langsrud 2005), so the statistic of turned profiles has the
law of the statistic itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis.statistics.seeds import CONFIDENCE, Estimate

Array = NDArray[np.float64]

CLEARLY = 0.999
"""A place takes no part that is below the highest by a one-sided paired t of such confidence."""

ROTATIONS = 1000
"""By which the law of the statistic is told: its quantile is known to some 3 %."""


def highest(profiles: Array) -> int:
    """The place of the largest mean over seeds.

    Args:
        profiles: (S, P), one row per seed.
    """
    return int(profiles.mean(axis=0).argmax())


def peak(profiles: Array) -> Estimate:
    """The height at the highest place, with a 95 % interval over seeds.

    Student's t where one place is clearly the highest, wider where several may be. A single seed is
    read at its own highest place and has no interval.

    Args:
        profiles: (S, P) heights, one row per seed.
    """
    seeds = len(profiles)
    if seeds == 0:
        return Estimate(None, None, None, 0)
    if seeds == 1:
        return Estimate(float(profiles.max()), None, None, 1)
    profiles = profiles[:, _contenders(profiles)]
    mean, error = _mean_and_error(_read_by_others(profiles))
    half = _quantile(profiles) * float(error)
    return Estimate(float(mean), float(mean) - half, float(mean) + half, seeds)


def _contenders(profiles: Array) -> NDArray[np.bool_]:
    """(P,) the places that are not clearly below the highest."""
    below = profiles[:, [highest(profiles)]] - profiles
    mean, error = _mean_and_error(below.T)
    return mean <= special.stdtrit(len(profiles) - 1, CLEARLY) * error


def _read_by_others(profiles: Array) -> Array:
    """(…, S) heights of the seeds (…, S, P), each at the place where the others' sum is largest."""
    others = profiles.sum(axis=-2, keepdims=True) - profiles
    place = others.argmax(axis=-1)[..., None]
    return np.take_along_axis(profiles, place, axis=-1)[..., 0]


def _quantile(profiles: Array) -> float:
    """By how many errors of the mean the interval reaches to both sides."""
    seeds, places = profiles.shape
    student = float(special.stdtrit(seeds - 1, (1 + CONFIDENCE) / 2))
    if places == 1:
        return student
    mean, error = _mean_and_error(_read_by_others(_rotations(seeds) @ profiles))
    turned = np.abs(mean) / np.maximum(error, np.finfo(float).tiny)
    return max(student, float(np.quantile(turned, CONFIDENCE)))


def _mean_and_error(values: Array) -> tuple[Array, Array]:
    """Over the last axis, seeds."""
    return values.mean(axis=-1), values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])


@lru_cache(maxsize=64)
def _rotations(seeds: int) -> Array:
    """(B, S, S) orthogonal matrices, uniformly distributed, the same whenever it is asked."""
    drawn = np.random.default_rng(seeds).normal(size=(ROTATIONS, seeds, seeds))
    q, r = np.linalg.qr(drawn)
    return q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
