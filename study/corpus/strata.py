"""Strata: groups of training and control strings of equal typicality.

A stratum is the unit of every comparison between D and C. Its edges are found over D ∪ C, never
over D alone: then exchanging the two sides changes nothing, and a string of D is exchangeable with
the controls of its stratum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DECIMALS = 9
"""Scores are rounded to 1e-9 nats, so that sums of equal terms in another order are equal."""

MIN_CONTROLS = 19
"""Controls a stratum needs for a conformal p-value of 1/(19 + 1) = 0.05."""

MAX_STRATA = 10
"""A stratum holds at least one in ten of all strings."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What strata are made of: how typical each string of one side is, wherever strings come from.

    score     (N,) typicality by which strings are grouped, nats
    counted   (N,) whether the string is on this side only; the others count for neither
    distinct  (N,) counted, and the first of its copies on this side
    log_mass  (N,) ln p(x) under the law of the strings; None where it is unknown
    """

    score: NDArray[np.float64]
    counted: NDArray[np.bool_]
    distinct: NDArray[np.bool_]
    log_mass: NDArray[np.float64] | None

    def masses(self, stratum: NDArray[np.int64], num: int) -> NDArray[np.float64] | None:
        """Probability (S,) of the distinct strings of each stratum; None where unknown."""
        if self.log_mass is None:
            return None
        return _total(stratum, np.where(self.distinct, np.exp(self.log_mass), 0.0), num)


@dataclass(frozen=True, kw_only=True)
class Strata:
    """Strata b = 0 … S-1, from the most to the least typical; one entry of each (S,) array.

    lower, upper       smallest and largest score of its strings, nats
    num_training       n_Db, counted training strings (repeated ones each time)
    num_control        n_Cb
    mass_training      p(D_b), exact probability of its distinct training strings; None where the
                       law of the strings is unknown
    mass_control       p(C_b), likewise
    mass_ratio         ρ_b = p(D_b)/p(C_b); n_Db/n_Cb where the law is unknown
    z                  mean score, centred and scaled to unit variance over strata with weights
                       n_Db/Σ n_Db; all 0 with a single stratum
    training_stratum   (N,) stratum of each training string, -1 for one that counts for neither
    control_stratum    (N_C,) likewise
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    num_training: NDArray[np.int64]
    num_control: NDArray[np.int64]
    mass_training: NDArray[np.float64] | None
    mass_control: NDArray[np.float64] | None
    mass_ratio: NDArray[np.float64]
    z: NDArray[np.float64]
    training_stratum: NDArray[np.int64]
    control_stratum: NDArray[np.int64]

    @classmethod
    def of(cls, training: Scores, control: Scores) -> Strata:
        """Stratifies the counted strings of both sides.

        From the most typical score on, a stratum closes at a change of score once it holds a
        training string, 19 controls and a tenth of all strings; what remains joins the last one.
        """
        in_training, in_control = _rounded(training), _rounded(control)
        values = np.unique(np.concatenate([in_training, in_control]))[::-1]
        first = np.array(
            _first_values(_counts(in_training, values), _counts(in_control, values)), dtype=np.int64
        )
        last = np.append(first[1:], len(values)) - 1
        of_training = _stratum(training, values[first])
        of_control = _stratum(control, values[first])
        num = len(first)
        num_training = _total(of_training, training.counted, num).astype(np.int64)
        num_control = _total(of_control, control.counted, num).astype(np.int64)
        score = _total(of_training, training.score, num)
        score += _total(of_control, control.score, num)
        ratio = _mass_ratio((training, of_training), (control, of_control), num)
        return cls(
            lower=values[last],
            upper=values[first],
            num_training=num_training,
            num_control=num_control,
            mass_training=training.masses(of_training, num),
            mass_control=control.masses(of_control, num),
            mass_ratio=num_training / num_control if ratio is None else ratio,
            z=_standardised(score / (num_training + num_control), num_training),
            training_stratum=of_training,
            control_stratum=of_control,
        )

    def __len__(self) -> int:
        return len(self.lower)


def _rounded(side: Scores) -> NDArray[np.float64]:
    return side.score[side.counted].round(DECIMALS)


def _counts(score: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many strings have each of the values, which fall."""
    return np.bincount(np.searchsorted(-values, -score), minlength=len(values))


def _first_values(training: NDArray[np.int64], control: NDArray[np.int64]) -> list[int]:
    """Where each stratum starts, as an index of the scores, most typical first."""
    training, control = training.cumsum(), control.cumsum()
    both = training + control
    smallest = both[-1] / MAX_STRATA
    starts, before = [0], np.zeros(3)
    while True:
        needed = before + np.array([1, MIN_CONTROLS, smallest])
        closing = max(
            np.searchsorted(held, enough)
            for held, enough in zip((training, control, both), needed, strict=True)
        )
        if closing >= len(both):
            return starts[:-1] or [0]
        starts.append(int(closing) + 1)
        before = np.array([training[closing], control[closing], both[closing]])


def _stratum(side: Scores, upper: NDArray[np.float64]) -> NDArray[np.int64]:
    """The last stratum whose upper edge is not below the string's score."""
    stratum = np.searchsorted(-upper, -side.score.round(DECIMALS), side="right") - 1
    return np.where(side.counted, stratum, -1)


def _total(
    stratum: NDArray[np.int64], weights: NDArray[np.float64] | NDArray[np.bool_], num: int
) -> NDArray[np.float64]:
    """Sums of weights over the strings of each stratum."""
    inside = stratum >= 0
    totals = np.zeros(num)
    np.add.at(totals, stratum[inside], weights[inside])
    return totals


def _mass_ratio(
    training: tuple[Scores, NDArray[np.int64]], control: tuple[Scores, NDArray[np.int64]], num: int
) -> NDArray[np.float64] | None:
    """ρ_b from logarithms: the masses themselves underflow in deep grammars, their ratio does not.

    Within a stratum probabilities are divided by the stratum's largest before they are added. None
    where the law is unknown.
    """
    largest, known = np.full(num, -np.inf), []
    for side, stratum in (training, control):
        if side.log_mass is None:
            return None
        known.append((stratum[side.distinct], side.log_mass[side.distinct]))
    for stratum, log_mass in known:
        np.maximum.at(largest, stratum, log_mass)
    scaled = [
        np.bincount(stratum, np.exp(log_mass - largest[stratum]), num)
        for stratum, log_mass in known
    ]
    return scaled[0] / scaled[1]


def _standardised(
    score: NDArray[np.float64], num_training: NDArray[np.int64]
) -> NDArray[np.float64]:
    weights = num_training / num_training.sum()
    centred = score - weights @ score
    if len(centred) == 1:
        return np.zeros(1)
    return centred / np.sqrt(weights @ centred**2)
