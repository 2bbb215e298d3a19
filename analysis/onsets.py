"""Onsets: the step at which something first happens in a training, and what is known if it did not.

An onset is censored when it lies beyond what was measured: `right` when it had not come by the last
measured step, `left` when it had already come by the first. A censored onset is never a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.regimes import THRESHOLDS, Thresholds

Censoring = Literal["none", "left", "right", "undefined"]

MEMORIZATION, PARTIAL, GENERALIZATION = "memorization", "partial memorization", "generalization"
VALIDITY = "validity"


class Crossing(NamedTuple):
    """Where a curve first reaches a threshold.

    Attributes:
        censoring: `none` if it crosses between two measured steps, `left` if its first value is
            already there, `right` if no value is, `undefined` if there is no value at all.
        step: interpolated linearly in log step; None unless `censoring` is `none`.
        after, by: the onset lies in (after, by]; None where that side is open.
    """

    censoring: Censoring
    step: float | None
    after: float | None
    by: float | None


def first_crossing(
    steps: Sequence[float], values: Sequence[float | None], threshold: float
) -> Crossing:
    """The first step at which a curve, joined straight over log step, reaches a threshold.

    Undefined values are passed over: they widen the bracket and never count as zero.

    Args:
        steps: rising, above 0.
        values: one per step; None or NaN where undefined.
        threshold: reached from below.
    """
    defined = [(t, y) for t, y in zip(steps, values, strict=True) if y is not None and y == y]
    if not defined:
        return Crossing("undefined", None, None, None)
    before: tuple[float, float] | None = None
    for t, y in defined:
        if y < threshold:
            before = (t, y)
            continue
        if before is None:
            return Crossing("left", None, None, t)
        share = (threshold - before[1]) / (y - before[1])
        log_step = (1 - share) * math.log(before[0]) + share * math.log(t)
        return Crossing("none", math.exp(log_step), before[0], t)
    return Crossing("right", None, defined[-1][0], None)


def onsets(tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS) -> pd.DataFrame:
    """Every onset of every training with a measurement.

    τ_mem: E = 0.5. τ_partial: λ at the smallest defined level l >= 1 crosses 0.5. τ_gen: V = 0.5.
    Validity onset of level l < L: conditional validity at (1 + chance)/2.

    Returns:
        One row per (training, onset, level): `training`, `cell`, `seed`, `onset`, `level` (missing
        for onsets of the whole string), `censoring`, `step`, `after`, `by` as in `Crossing`.
    """
    names = ["training", "cell", "seed", "onset", "level", *Crossing._fields]
    trainings = tables["trainings"]
    cells = {row.training: (row.cell, row.seed) for row in trainings.itertuples()}
    levels = dict(list(tables["levels"].groupby("training", sort=False)))
    rows = []
    for training, curve in tables["curves"].groupby("training", sort=False):
        cell, seed = cells[training]
        own = levels.get(training, tables["levels"].iloc[:0])
        for onset, level, crossing in _of_training(curve.sort_values("step"), own, at):
            rows.append((training, cell, seed, onset, level, *crossing))
    frame = pd.DataFrame(rows, columns=names)
    numbers = {name: "float64" for name in ("step", "after", "by")}
    return frame.astype({"level": "Int64", **numbers})


def _of_training(
    curve: pd.DataFrame, levels: pd.DataFrame, at: Thresholds
) -> Iterator[tuple[str, int | None, Crossing]]:
    steps = curve["step"].tolist()
    copies = first_crossing(steps, curve["excess_copies"].tolist(), at.memorizing)
    yield MEMORIZATION, None, copies
    validity = first_crossing(steps, curve["novel_validity"].tolist(), at.generalizing)
    yield GENERALIZATION, None, validity
    yield _partial(levels, at)
    inner = levels[levels["chance_validity"].notna() & (levels["chance_validity"] < 1)]
    for level, own in inner.groupby("level"):
        own = own.sort_values("step")
        # The threshold is the same at every step; measuring each curve as the share of the way from
        # chance to 1 keeps it so even if a later version of the records lets chance vary.
        chance = own["chance_validity"]
        share = (own["conditional_validity"] - chance) / (1 - chance)
        crossing = first_crossing(own["step"].tolist(), share.tolist(), 0.5)
        yield VALIDITY, int(level), crossing  # type: ignore[call-overload]


def _partial(levels: pd.DataFrame, at: Thresholds) -> tuple[str, int | None, Crossing]:
    defined = levels[(levels["level"] >= 1) & levels["partial_memorization"].notna()]
    if defined.empty:
        return PARTIAL, None, Crossing("undefined", None, None, None)
    level = int(defined["level"].min())
    own = defined[defined["level"] == level].sort_values("step")
    values = own["partial_memorization"].tolist()
    return PARTIAL, level, first_crossing(own["step"].tolist(), values, at.partial_onset)


def onsets_by_cell(onset: pd.DataFrame) -> pd.DataFrame:
    """The median onset of each cell over its seeds, with censored seeds kept.

    The median needs no more than the order of the seeds, and a censored seed lies beyond all the
    others, so it is known as long as fewer than half of the seeds are censored on a side. Seeds
    censored within the measured range of others (a shorter training) make it a bound: then
    `censoring` says so and `step` is missing.

    Returns:
        One row per (cell, onset, level): `censoring`, `step` (median), `after` and `by` (the
        bounds where it is censored), `seeds` (with a defined curve) and `reached` (of them).
    """
    rows = []
    for key, group in onset.groupby(["cell", "onset", "level"], sort=False, dropna=False):
        group = group[group["censoring"] != "undefined"]
        reached = int((group["censoring"] != "right").sum())
        rows.append((*key, *_median(group), len(group), reached))
    columns = ["cell", "onset", "level", *Crossing._fields, "seeds", "reached"]
    return pd.DataFrame(rows, columns=columns)


def _median(group: pd.DataFrame) -> Crossing:
    """The geometric median, as far as the censored seeds leave it known."""
    if group.empty:
        return Crossing("undefined", None, None, None)
    observed = group["step"].notna()
    at_least = np.where(observed, group["step"], group["after"].fillna(0.0).to_numpy())
    at_most = np.where(observed, group["step"], group["by"].fillna(math.inf).to_numpy())
    low, high = _geometric_median(at_least), _geometric_median(at_most)
    if low == high:
        return Crossing("none", low, low, high)
    side: Censoring = "right" if math.isinf(high) or low > 0 else "left"
    return Crossing(side, None, low or None, None if math.isinf(high) else high)


def _geometric_median(values: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        ordered = np.sort(np.log(values))
    middle = (ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2])
    if any(math.isinf(x) for x in middle):
        return math.inf if middle[1] == math.inf else 0.0
    return float(math.exp((middle[0] + middle[1]) / 2))
