"""How fat the tails of a grammar's law are, and at which level: exponents, entropy, spread."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.frames.tables import columns_of
from analysis.frames.wording import number

EQUAL_ENTROPY = 0.02
"""Nats by which string entropies may differ and still count as equal."""

PREFIX = "grammar.zipf."

STEEPEST = 64.0
"""A Zipf exponent at which the second rule is as good as never taken."""


def exponents(trainings: pd.DataFrame) -> list[str]:
    """The columns of the Zipf exponents, root first."""
    names = [name for name in trainings.columns if name.startswith(PREFIX)]
    return sorted(names, key=lambda name: int(name.removeprefix(PREFIX)))


def string_entropy(trainings: pd.DataFrame) -> pd.Series:
    """Entropy of a string in nats, one per training.

    log n + Σ_l s^l·H(p_l): level l has s^l nodes, whose rules are drawn independently from p_l.
    """
    total = trainings["grammar.num_classes"].astype(float).map(np.log)
    synonyms, tuple_size = trainings["grammar.num_synonyms"], trainings["grammar.tuple_size"]
    for level, name in enumerate(exponents(trainings)):
        there = trainings[name].notna()  # missing where there is no grammar so deep
        pairs = zip(synonyms.where(there, 1), trainings[name].fillna(0.0), strict=True)
        entropy = pd.Series([_zipf_entropy(int(m), float(a)) for m, a in pairs], trainings.index)
        total = total + (tuple_size.astype(float) ** level * entropy).where(there, 0.0)
    return total


def equal_entropy(
    num_synonyms: int, exponent: float, *, at: int, level: int, tuple_size: int = 2
) -> float:
    """The Zipf exponent at one level that leaves strings the entropy of another at another level.

    Level l has s^l nodes, so tails at levels l and l' are equally wide where
    s^l·(ln m - H(p_l)) = s^l'·(ln m - H(p_l')).

    Args:
        num_synonyms: m, 2 or more.
        exponent: the given one, above 0.
        at: its level.
        level: the level of the other.
        tuple_size: s.

    Raises:
        ValueError: when no exponent at that level takes so much from the entropy.
    """
    from scipy.optimize import brentq  # takes 24 MB, and no report needs it

    most = math.log(num_synonyms)
    nodes = float(tuple_size) ** (at - level)
    wanted = most - nodes * (most - _zipf_entropy(num_synonyms, exponent))
    if not 0 < wanted < most:
        raise ValueError(
            f"no exponent at level {level} takes as much from the entropy of a string as "
            f"{exponent:g} at level {at}"
        )
    return float(brentq(lambda a: _zipf_entropy(num_synonyms, a) - wanted, 0.0, STEEPEST))


def entropy_label(trainings: pd.DataFrame) -> pd.Series:
    """A name for the string entropy of each training, one for all that count as equal."""
    entropy = string_entropy(trainings).sort_values()
    first = entropy.diff().gt(EQUAL_ENTROPY)
    least = entropy.groupby(first.cumsum()).transform("min")
    return least.map(lambda value: f"H={number(value, 2)} nats").reindex(trainings.index)


def tail_level(trainings: pd.DataFrame) -> pd.Series:
    """The level with unequal rules, one per training; missing unless there is exactly one."""
    unequal = trainings[exponents(trainings)].fillna(0.0).astype(float).gt(0)
    if unequal.shape[1] == 0:
        return pd.Series(np.nan, trainings.index)
    level = pd.Series(np.argmax(unequal.to_numpy(), axis=1), trainings.index, dtype=float)
    return level.where(unequal.sum(axis=1) == 1)


def tail_exponent(trainings: pd.DataFrame) -> pd.Series:
    """The exponent at that level, missing as it is."""
    total = trainings[exponents(trainings)].fillna(0.0).astype(float).sum(axis=1)
    return total.where(tail_level(trainings).notna())


def log_p_spread(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """sd(log p) over the training strings, in nats, by training."""
    strings = columns_of(tables, "strings", ["side", "log_p"])
    own = strings[strings["side"] == "training"]
    return own.groupby("training")["log_p"].std(ddof=0)


@lru_cache(maxsize=1024)  # of a sweep, many trainings have the same few exponents
def _zipf_entropy(synonyms: int, exponent: float) -> float:
    """H of p(k) ∝ k^-a over k = 1 … m, in nats."""
    weights = np.arange(1, synonyms + 1) ** -exponent
    p = weights / weights.sum()
    return float(-(p * np.log(p)).sum())
