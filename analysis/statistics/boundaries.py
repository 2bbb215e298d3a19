"""The line in the phase diagram on which a seed memorizes with probability one half.

Along a row (or column) of the diagram each seed has one point at which its E crosses 0.5. Half of
the seeds memorize exactly at the median of these points, so the line is that median and needs no
model.
Its band lies between order statistics: with fewer than 6 seeds it is the range over seeds, whose
coverage is stated instead of being called 95 %.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.seeds import median_over_seeds


class Slice(NamedTuple):
    """A row or column of the phase diagram: seeds' E along one axis."""

    positions: Sequence[float]
    excess: Sequence[float]


def seed_crossing(line: Slice, threshold: float) -> float | None:
    """Where one seed's E crosses the threshold along a slice, in axis coordinates.

    Args:
        line: rising positions (log values on log axes) and E there; missing E is passed over.
        threshold: of E.

    Returns:
        The interpolated position; -inf or inf when E is on one side of the threshold all along and
        the crossing lies beyond that end (E is taken to fall along the axis, see `boundary`);
        None when fewer than two points are defined or E comes back to the side it started from,
        so that there is no single crossing.
    """
    points = [(x, e) for x, e in zip(line.positions, line.excess, strict=True) if e == e]
    if len(points) < 2:
        return None
    above = [e >= threshold for _, e in points]
    if all(above):
        return math.inf
    if not any(above):
        return -math.inf
    found = [
        x0 + (threshold - e0) / (e1 - e0) * (x1 - x0)
        for (x0, e0), (x1, e1) in itertools.pairwise(points)
        if (e0 >= threshold) != (e1 >= threshold)
    ]
    return found[len(found) // 2] if len(found) % 2 else None


def boundary(
    last: pd.DataFrame,
    *,
    along: str,
    across: Sequence[str],
    log: bool,
    at: Thresholds = THRESHOLDS,
) -> pd.DataFrame:
    """P(memorized) = 0.5 on every slice of a phase diagram.

    Args:
        last: rows of `last_steps` with the columns `along`, `across`, `seed` and `excess_copies`.
        along: the axis that is crossed, numeric.
        across: the columns that tell slices apart.
        log: interpolate in the logarithm of `along`.
        at: the thresholds.

    Returns:
        `across`, `position` (the median over seeds, in units of `along`), `lower`, `upper`,
        `coverage` and `seeds`. An end of the band that lies beyond the measured cells is infinite
        (0 on a log axis below); slices whose median seed does not cross have no row.
    """
    rows = []
    for key, seeds in _slices(last, along, across, log):
        falls = _falls(seeds)
        crossings = [seed_crossing(line, at.memorizing) for line in seeds]
        known = [x for x in crossings if x is not None]
        if not falls:  # E rises along the axis: all memorizing means the crossing lies below
            known = [-x if math.isinf(x) else x for x in known]
        if not known:
            continue
        middle = median_over_seeds(known)
        if math.isfinite(middle.median):
            ends = [middle.median, middle.lower, middle.upper]
            values = [math.exp(x) if x < 700 else math.inf for x in ends] if log else ends
            rows.append((*key, *values, middle.coverage, middle.seeds))
    names = [*across, "position", "lower", "upper", "coverage", "seeds"]
    return pd.DataFrame(rows, columns=names)


def _slices(
    last: pd.DataFrame, along: str, across: Sequence[str], log: bool
) -> Iterator[tuple[tuple[Any, ...], list[Slice]]]:
    """Key -> the line of each seed; cut from sorted columns, for there are many lines."""
    frame = last.assign(position=np.log(last[along]) if log else last[along].astype(float))
    ordered = frame.sort_values([*across, "seed", "position"], kind="stable", ignore_index=True)
    if ordered.empty:
        return
    lines = ordered.groupby([*across, "seed"], sort=False, dropna=False).ngroup().to_numpy()
    starts = np.flatnonzero(np.diff(lines, prepend=-1))
    positions = np.split(ordered["position"].to_numpy(float), starts[1:])
    excess = np.split(ordered["excess_copies"].to_numpy(float, na_value=np.nan), starts[1:])
    found = [Slice(x.tolist(), e.tolist()) for x, e in zip(positions, excess, strict=True)]
    if not across:
        yield (), found
        return
    first = ordered.loc[starts, list(across)]
    number = first.groupby(list(across), sort=False, dropna=False).ngroup().to_numpy()
    for group in np.split(np.arange(len(starts)), np.flatnonzero(np.diff(number)) + 1):
        yield tuple(first.iloc[group[0]]), [found[i] for i in group]


def _falls(seeds: Sequence[Slice]) -> bool:
    """Whether E falls along the axis, by the mean over seeds of last minus first value."""
    changes = []
    for line in seeds:
        defined = [e for e in line.excess if e == e]
        if len(defined) > 1:
            changes.append(defined[-1] - defined[0])
    return not changes or float(np.mean(changes)) <= 0
