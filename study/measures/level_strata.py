"""Strata by one level's part of the typicality: which level's rules make a string memorized.

log p(x) = -log n + Σ_l log p_l(x), and under the grammar the parts of different levels are
independent. Grouping strings by log p_l(x) instead of log p(x), and changing nothing else, gives
every level the slopes T_E and T_L of its own, with the same guarantees: exactly 0 in expectation
for the grammar, for mixtures that memorize all strings equally, and for strings exchangeable with
their controls.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from study.corpus import Side, Strata


def level_strata(training: Side, control: Side) -> list[Strata | None]:
    """Strata of log p_l for every level l = 0 … L-1; None where they have but one stratum.

    That is so at uniform levels, where no rule is more typical than another, and in corpora too
    small for two strata.
    """
    depth = training.log_p_by_level.shape[1]
    found = [_level(training, control, level) for level in range(depth)]
    return [strata if len(strata) > 1 else None for strata in found]


def _level(training: Side, control: Side, level: int) -> Strata:
    """The strata of a level, whose masses are added as logarithms.

    `Strata.of` adds the numbers, which can differ in the last bits, and published slopes rest on
    these.
    """
    strata = Strata.of(training.scores_of(level), control.scores_of(level))
    masses = [
        _log_masses(side, stratum, len(strata))
        for side, stratum in (
            (training, strata.training_stratum),
            (control, strata.control_stratum),
        )
    ]
    return replace(
        strata,
        mass_training=np.exp(masses[0]),
        mass_control=np.exp(masses[1]),
        mass_ratio=np.exp(masses[0] - masses[1]),
    )


def _log_masses(side: Side, stratum: NDArray[np.int64], num: int) -> NDArray[np.float64]:
    """ln Σ p(x) over the distinct strings of each stratum (S,); the masses may underflow."""
    log_p = [side.log_p[side.distinct & (stratum == b)] for b in range(num)]
    return np.array([np.logaddexp.reduce(part) for part in log_p])
