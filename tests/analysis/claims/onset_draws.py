"""Verdicts and intervals of claims on onsets from the onsets drawn, without tables in between.

What a claim reads off the tables of one sweep, which trainings form its groups and where they stand
on its covariate, is the same for every sweep of a design; so thousands of sweeps take the fits
alone. `test_onset_draws.py` holds this to what the claims say of the same sweeps' tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.claims import rule_complexity
from analysis.claims.verdicts import Judgement, above_zero, all_of, below_zero, equal_to
from analysis.statistics.censored import Onsets, slope_over_seeds
from analysis.statistics.onset_slopes import Dependence
from analysis.statistics.onsets import GENERALIZATION, MEMORIZATION
from analysis.statistics.seeds import Estimate
from tests.analysis.claims.test_onset_claims import CASES

MEM, GEN, PARTIAL = range(3)
"""Onsets of a design, in its order."""


@dataclass(frozen=True)
class Part:
    """One slope of a claim: of which onset, over which other one, and what is claimed of it."""

    onset: int
    since: int | None
    judged: Callable[[Estimate], Judgement]


def _equals(value: float) -> Callable[[Estimate], Judgement]:
    return lambda estimate: equal_to(estimate, value)


PARTS: dict[str, Sequence[Part]] = {
    "C3": [Part(MEM, None, above_zero)],
    "C4": [Part(MEM, None, below_zero)],
    "C6": [Part(MEM, PARTIAL, below_zero)],
    "C7": [Part(MEM, None, _equals(1.0))],
    "C8": [Part(GEN, None, _equals(0.0))],
    "C9": [Part(MEM, None, below_zero)],
    "C9b": [Part(MEM, GEN, _equals(0.0))],
    "C17": [
        Part(MEM, None, _equals(0.0)),
        Part(MEM, GEN, above_zero),
        Part(MEM, GEN, below_zero),
    ],
}
"""Without C10, whose number is no slope."""


@dataclass(frozen=True)
class Lines:
    """The trainings of a slope: where they are among the onsets drawn, block and covariate."""

    rows: np.ndarray
    seed: np.ndarray
    block: np.ndarray
    x: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, seeds: int) -> Lines:
        frame = frame[frame["x"].notna() & frame["group"].notna()]
        places = frame["training"].str.split("-", expand=True).astype(int)
        return cls(
            rows=(places[0] * seeds + places[1]).to_numpy(),
            seed=frame["seed"].to_numpy(),
            block=frame.groupby(["group", "seed"]).ngroup().to_numpy(),
            x=frame["x"].to_numpy(dtype=float),
        )

    def estimate(self, low: np.ndarray, high: np.ndarray) -> Estimate:
        """The slope over seeds of onsets between bounds, what says nothing left out."""
        told = np.isfinite(low) | np.isfinite(high)
        known = (low == high) & told
        blocks = int(self.block.max()) + 1
        first, last = np.full(blocks, np.inf), np.full(blocks, -np.inf)
        np.minimum.at(first, self.block[told], self.x[told])
        np.maximum.at(last, self.block[told], self.x[told])
        good = (np.bincount(self.block[known], minlength=blocks) > 0) & (last > first)
        told &= good[self.block]
        block = np.unique(self.block[told], return_inverse=True)[1]
        data = Onsets(low[told], high[told], block, self.x[told, None])
        return slope_over_seeds(data, self.seed[told])


def found(id: str, slope: float, seeds: int, rng: np.random.Generator) -> list[Estimate]:
    """Every slope of a claim on one sweep of its design."""
    log_onsets, budget = CASES[id][1].drawn(slope, seeds, rng)
    flat = log_onsets.reshape(-1, 3)
    return [
        lines.estimate(*_bounds(flat[lines.rows], part, np.log(budget)))
        for part, lines in zip(PARTS[id], _lines(id, seeds), strict=True)
    ]


def judgement(id: str, estimates: Sequence[Estimate]) -> Judgement:
    """What they say of the claim."""
    parts = [part.judged(one) for part, one in zip(PARTS[id], estimates, strict=True)]
    return all_of(*parts) if len(parts) > 1 else parts[0]


def _bounds(drawn: np.ndarray, part: Part, end: float) -> tuple[np.ndarray, np.ndarray]:
    low, high = _known_until(drawn[:, part.onset], end)
    if part.since is None:
        return low, high
    before_low, before_high = _known_until(drawn[:, part.since], end)
    return low - before_high, high - before_low


def _known_until(log_onset: np.ndarray, end: float) -> tuple[np.ndarray, np.ndarray]:
    come = log_onset <= end
    return np.where(come, log_onset, end), np.where(come, log_onset, np.inf)


@lru_cache(maxsize=64)
def _lines(id: str, seeds: int) -> tuple[Lines, ...]:
    """By the claim's own words, from the tables of one sweep."""
    claim, design, slopes = CASES[id]
    tables = design.tables(slopes[0], seeds, np.random.default_rng(0))
    if id != "C17":
        return (Lines.of(claim.test(tables).slope.frame, seeds),)
    m, size = rule_complexity.SYNONYMS, rule_complexity.SIZE
    each = (
        Dependence(onset=MEMORIZATION, field=m),
        Dependence(onset=MEMORIZATION, since=GENERALIZATION, field=size),
        Dependence(onset=MEMORIZATION, since=GENERALIZATION, field=m),
    )
    return tuple(Lines.of(one.slope(tables).frame, seeds) for one in each)
