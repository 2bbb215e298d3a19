"""Packs of trainings that tell most about a level set for the time that they take.

A further training at candidate c takes cov(x, c)² / (var(c) + noise(c)) off the variance at x. Its
worth is the sum of that over the candidates x, as a share of var(x), since a band must shrink by a
factor, and each counted by the density of y(x) at the level in units of its deviation (after the
targeted integrated error of Picheny et al., doi 10.1115/1.4001873), and fully only where its band
is wider than wanted. A pack costs what its members cost and, whatever it holds, its launches. It is
filled with what is worth most for its own cost, and of the packs so filled, one for each group of
trainings that can run in lockstep, the one is taken with the highest rate

    (worth of all members) / (launches + cost of all members).

A further member raises the rate as long as its own worth for its cost is above it. It is taken a
while longer, down to `WORTHWHILE` times the rate: what is not asked for now will have to be asked
for with launches of its own. Then the variances are lowered, and so on. Where launches cost much,
as with narrow networks, packs hold many seeds and sizes at once; where they cost little, few are
asked for before something is learned from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Array = NDArray[Any]

UNSETTLED, SETTLED = 1.0, 0.02
"""What a candidate counts whose band is too wide, and one whose band is not."""

WORTHWHILE = 0.5
"""Of a pack's worth for its cost, what a further member's must be; of 1, 0.7, 0.5, 0.3 and 0.15 it
took the least time on real trainings, with 0.3."""

GROUPS = 12
"""Groups of which a pack is filled, those that promise most."""


class Packing(NamedTuple):
    """What candidates cost together.

    Attributes:
        group: (M,) any label; trainings of candidates of one group can share a pack.
        launches: (M,) what a pack costs beside its members, in their unit; >= 0, equal in a group.
        most: (M,) members of a pack at most, >= 1, equal in a group.
    """

    group: Array
    launches: Array
    most: Array

    @classmethod
    def none(cls, count: int) -> Packing:
        """Trainings that gain nothing by company."""
        return cls(np.zeros(count, dtype=int), np.zeros(count), np.ones(count, dtype=int))

    def of(self, candidates: Array) -> Packing:
        """That of some candidates."""
        return Packing(*(column[candidates] for column in self))


class _Filled(NamedTuple):
    """A pack: its members in the order of their worth, and that for its cost."""

    members: list[int]
    rate: float


@dataclass(frozen=True)
class Chooser:
    """Chooses packs among candidates.

    Attributes:
        mean: (A,) posterior of y.
        noise: (A,) variance of one training's y about it.
        costs: (A,) of one member more.
        packing: of the candidates.
        open: (A,) deviations -> which candidates are worth a training.
    """

    mean: Array
    noise: Array
    costs: Array
    packing: Packing
    open: Callable[[Array], Array]

    def packs(self, covariance: Array, left: Array, n: int) -> list[list[int]]:
        """At most n packs, fewer where those should do; candidates stand as often as seeds.

        Args:
            covariance: (A, A) posterior of y.
            left: (A,) further trainings that each candidate may have.
            n: packs wanted, >= 0.
        """
        left, chosen = left.copy(), []
        for _ in range(n):
            filled = [self._filled(own, covariance, left) for own in self._groups(covariance, left)]
            best = max(filled, key=lambda each: each.rate, default=_Filled([], 0.0))
            if not best.members:
                break
            for member in best.members:
                left[member] -= 1
                covariance = after(covariance, member, self.noise[member])
            chosen.append(best.members)
        return chosen

    def _groups(self, covariance: Array, left: Array) -> list[Array]:
        """The candidates of each group that may have a training, those that promise most first."""
        weight = self._weight(np.diag(covariance))
        worth = np.where(left > 0, self._worth(weight, covariance, np.arange(len(left))), 0.0)
        most = np.minimum(self.packing.most, np.maximum(left.sum(), 1))
        promise = worth / (self.costs + self.packing.launches / most)
        groups = [np.flatnonzero(self.packing.group == g) for g in np.unique(self.packing.group)]
        groups = [own for own in groups if promise[own].max() > 0]
        groups.sort(key=lambda own: -promise[own].max())
        return groups[:GROUPS]

    def _filled(self, own: Array, covariance: Array, left: Array) -> _Filled:
        """The best pack of a group."""
        columns, variance, free = covariance[:, own], np.diag(covariance), left[own].copy()
        members: list[int] = []
        worth, cost, rate = 0.0, float(self.packing.launches[own[0]]), 0.0
        while len(members) < self.packing.most[own[0]]:
            weight = self._weight(variance)
            gains = np.where(free > 0, self._worth(weight, columns, own), 0.0)
            place = int(np.argmax(gains / self.costs[own]))
            gain, price = float(gains[place]), float(self.costs[own[place]])
            if not gain > 0 or gain / price < WORTHWHILE * rate:
                break
            worth, cost = worth + gain, cost + price
            rate = worth / cost
            members.append(int(own[place]))
            free[place] -= 1
            column = columns[:, place]
            scale = column[own[place]] + self.noise[own[place]]
            variance = variance - column**2 / scale
            columns = columns - np.outer(column, column[own]) / scale
        return _Filled(members, rate)

    def _weight(self, variance: Array) -> Array:
        """(A,) what a unit of variance less is worth; 0 where no candidate is open."""
        deviation = np.sqrt(np.maximum(variance, 1e-12))
        is_open = self.open(deviation)
        counts = np.where(is_open, UNSETTLED, SETTLED) * is_open.any()
        return counts * norm.pdf(self.mean / deviation) / deviation**2

    def _worth(self, weight: Array, columns: Array, own: Array) -> Array:
        """What one more training at each of some candidates takes off the weighted variance.

        Args:
            weight: (A,) of the candidates.
            columns: (A, O) covariance of all candidates with these.
            own: (O,) which they are.
        """
        variance = np.maximum(columns[own, np.arange(len(own))], 1e-12)
        return weight @ columns**2 / (variance + self.noise[own])


def after(covariance: Array, at: int, noise: float) -> Array:
    """Posterior covariance after one more training at a candidate."""
    column = covariance[:, at]
    return covariance - np.outer(column, column) / (column[at] + noise)
