"""Strata: groups of training and control strings of equal typicality.

A stratum is the unit of every comparison between D and C. Its edges are found over D ∪ C, never
over D alone: then exchanging the two sides changes nothing, and a string of D is exchangeable with
the controls of its stratum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.corpus.twins import Corpus, Side

DECIMALS = 9
"""log p is rounded to 1e-9 nats, so that sums of equal terms in another order are equal."""

MIN_CONTROLS = 19
"""Controls a stratum needs for a conformal p-value of 1/(19 + 1) = 0.05."""

MAX_STRATA = 10
"""A stratum holds at least one in ten of all strings."""


@dataclass(frozen=True, kw_only=True)
class Strata:
    """Strata b = 0 … S-1, from the most to the least typical; one entry of each (S,) array.

    lower, upper       smallest and largest log p of its strings, nats
    num_training       n_Db, counted training strings (repeated ones each time)
    num_control        n_Cb
    mass_training      p(D_b), exact probability of its distinct training strings
    mass_control       p(C_b)
    mass_ratio         ρ_b = p(D_b)/p(C_b)
    z                  mean log p of its strings, centred and scaled to unit variance over strata
                       with weights n_Db/Σ n_Db; all 0 with a single stratum
    training_stratum   (N,) stratum of each training string, -1 for one that counts for neither
    control_stratum    (N_C,) likewise
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    num_training: NDArray[np.int64]
    num_control: NDArray[np.int64]
    mass_training: NDArray[np.float64]
    mass_control: NDArray[np.float64]
    mass_ratio: NDArray[np.float64]
    z: NDArray[np.float64]
    training_stratum: NDArray[np.int64]
    control_stratum: NDArray[np.int64]

    @classmethod
    def of(cls, corpus: Corpus) -> Strata:
        """Stratifies the counted strings of a corpus."""
        in_training = _rounded(corpus.training)
        in_control = _rounded(corpus.control)
        values = np.unique(np.concatenate([in_training, in_control]))[::-1]
        first = np.array(
            _first_values(_counts(in_training, values), _counts(in_control, values)), dtype=np.int64
        )
        last = np.append(first[1:], len(values)) - 1
        training_stratum = _stratum(corpus.training, values[first])
        control_stratum = _stratum(corpus.control, values[first])
        num = len(first)
        num_training = _total(training_stratum, corpus.training.counted, num).astype(np.int64)
        num_control = _total(control_stratum, corpus.control.counted, num).astype(np.int64)
        mass_training = _total(training_stratum, corpus.training.masses, num)
        mass_control = _total(control_stratum, corpus.control.masses, num)
        log_p = _total(training_stratum, corpus.training.log_p, num)
        log_p += _total(control_stratum, corpus.control.log_p, num)
        return cls(
            lower=values[last],
            upper=values[first],
            num_training=num_training,
            num_control=num_control,
            mass_training=mass_training,
            mass_control=mass_control,
            mass_ratio=_mass_ratio(corpus, training_stratum, control_stratum, num),
            z=_standardised(log_p / (num_training + num_control), num_training),
            training_stratum=training_stratum,
            control_stratum=control_stratum,
        )

    def __len__(self) -> int:
        return len(self.lower)


def _rounded(side: Side) -> NDArray[np.float64]:
    return side.log_p[side.counted].round(DECIMALS)


def _counts(log_p: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many strings have each of the values, which fall."""
    return np.bincount(np.searchsorted(-values, -log_p), minlength=len(values))


def _first_values(training: NDArray[np.int64], control: NDArray[np.int64]) -> list[int]:
    """Where each stratum starts, as an index of the values of log p, most typical first.

    A stratum closes at the first change of value at which it holds enough; what remains at the
    end joins the last one.
    """
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


def _stratum(side: Side, upper: NDArray[np.float64]) -> NDArray[np.int64]:
    """The last stratum whose upper edge is not below the string's log p."""
    stratum = np.searchsorted(-upper, -side.log_p.round(DECIMALS), side="right") - 1
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
    corpus: Corpus,
    training_stratum: NDArray[np.int64],
    control_stratum: NDArray[np.int64],
    num: int,
) -> NDArray[np.float64]:
    """ρ_b from logarithms: the masses themselves underflow in deep grammars, their ratio does not.

    Within a stratum probabilities are divided by the stratum's largest before they are added.
    """
    largest = np.full(num, -np.inf)
    sides = (corpus.training, training_stratum), (corpus.control, control_stratum)
    for side, stratum in sides:
        np.maximum.at(largest, stratum[side.distinct], side.log_p[side.distinct])
    scaled = [
        np.bincount(
            stratum[side.distinct],
            np.exp(side.log_p[side.distinct] - largest[stratum[side.distinct]]),
            num,
        )
        for side, stratum in sides
    ]
    return scaled[0] / scaled[1]


def _standardised(
    log_p: NDArray[np.float64], num_training: NDArray[np.int64]
) -> NDArray[np.float64]:
    weights = num_training / num_training.sum()
    centred = log_p - weights @ log_p
    if len(centred) == 1:
        return np.zeros(1)
    return centred / np.sqrt(weights @ centred**2)
