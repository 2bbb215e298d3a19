"""Level-set search: where over the axes of a sweep an order parameter crosses a level.

    search = LevelSet(candidates, costs, level=0.5, width=1.0)
    surface = search.fit(cells, log_steps, values, seeds)   # all that is measured, in any order
    while not search.finished(surface) and (packs := search.ask(surface, 2, pending)):
        ...                                                 # train (candidate, further seeds) pairs
        surface = search.fit(cells, log_steps, values, seeds)
    surface.boundary(), surface.largest(), surface.probability

The surface is where the *median seed* crosses, the line on which a seed is above the level with
probability one half, as in the phase diagram: a Gaussian process for the order parameter on a
latent scale (`seed_noise`, `gaussian_process`), its bands by inverting its own intervals (`bands`).
Nothing is kept between calls: the same observations and seed give the same surface and the same
wishes, so a search is rebuilt from the results on disk. Arrays in, arrays out: what the axes are,
the caller knows.

What is asked next comes in packs that tell most for the time they take (`packs`): they spread by
themselves, over new cells and further seeds of cells whose seeds scatter.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from scipy.stats import t as student_t

from sweeps.search.bands import Stretch, stretches
from sweeps.search.gaussian_process import Process
from sweeps.search.packs import Chooser, Packing, after
from sweeps.search.seed_noise import Latent, SeedNoise, summarized

Array = NDArray[Any]

FINE = 4
"""Positions per lattice step at which a line is read."""

ACTIVE = 800
"""Candidates among which a batch is chosen, the least decided ones."""

FALLS, RISES, OPEN = "falls", "rises", "open"
"""How the order parameter goes through the level along the first axis; `open`: perhaps it does."""


class LevelSet:
    """A search for the surface on which an order parameter crosses a level.

    Args:
        candidates: (M, d) cells in scaled coordinates (logarithms of sizes), 1 <= d; a lattice, of
            which some cells may be missing. Lines run along every axis through candidates that
            differ in it alone.
        costs: (M,) cost of one training of each cell in company, > 0, in any unit.
        packing: which of them can share a pack, and what a pack costs beside them; by default
            trainings gain nothing by company.
        level: of the order parameter.
        width: the search ends when the band is nowhere wider than so many lattice steps, each
            part of it measured along the axis on which it is narrowest, of those on which it ends
            within the lattice; > 0.
        coverage: of the band, 0 < coverage < 1.
        bounds: where the order parameter saturates ([0, 1] for E, λ, V), None where it does not.
        seed: of the draws of the process' scales.
        max_seeds: trainings of one cell at most, failed ones included.

    Raises:
        ValueError: for shapes that disagree, values that are not finite, or options out of range.
    """

    def __init__(
        self,
        candidates: ArrayLike,
        costs: ArrayLike,
        packing: Packing | None = None,
        *,
        level: float = 0.5,
        width: float = 1.0,
        coverage: float = 0.95,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        seed: int = 0,
        max_seeds: int = 8,
    ) -> None:
        self.candidates = np.asarray(candidates, dtype=float)
        self.costs = np.asarray(costs, dtype=float)
        if self.candidates.ndim != 2 or not np.isfinite(self.candidates).all():
            raise ValueError("candidates must be a finite (M, d) array")
        if len(np.unique(self.candidates, axis=0)) < len(self.candidates):
            raise ValueError("candidates must differ")
        if self.costs.shape != (len(self.candidates),) or not (self.costs > 0).all():
            raise ValueError("costs must be (M,) positive numbers")
        self.packing = packing or Packing.none(len(self.candidates))
        if any(len(column) != len(self.candidates) for column in self.packing):
            raise ValueError("packing must have an entry for each candidate")
        if not (width > 0 and 0 < coverage < 1 and max_seeds > 0):
            raise ValueError("width and max_seeds must be > 0, coverage between 0 and 1")
        if bounds is not None and not bounds[0] < level < bounds[1]:
            raise ValueError(f"level {level:g} must lie between the bounds {bounds}")
        self.level, self.width, self.coverage, self.bounds = level, width, coverage, bounds
        self.seed, self.max_seeds = seed, max_seeds
        low, high = self.candidates.min(0), self.candidates.max(0)
        self.low, self.range = low, np.where(high > low, high - low, 1.0)

    def fit(
        self,
        cells: ArrayLike,
        log_steps: ArrayLike,
        values: ArrayLike,
        seeds: ArrayLike,
        at: float | None = None,
    ) -> Surface:
        """The surface given every value measured so far.

        Args:
            cells: (n,) index of the candidate; one entry per measured step of every training.
            log_steps: (n,) natural logarithm of the step.
            values: (n,) the order parameter; NaN where it is undefined. A training that failed has
                entries too, all NaN: its cell is not asked for ever.
            seeds: (n,) which training of the cell.
            at: log step at which the surface is asked; the last one measured by default. The same
                trainings give the surface at every earlier budget of steps.
        """
        cell = np.asarray(cells, dtype=int)
        log_step, value = np.asarray(log_steps, dtype=float), np.asarray(values, dtype=float)
        seed = np.asarray(seeds)
        if not len(cell) == len(log_step) == len(value) == len(seed):
            raise ValueError("cells, log_steps, values and seeds must be of one length")
        asked = at if at is not None else float(log_step.max()) if len(log_step) else 0.0
        latent = Latent.of(self.level, self.bounds, value)(value)
        known = np.isfinite(latent)
        points, noise = summarized(
            cell[known], log_step[known], latent[known], seed[known], self.places, asked
        )
        process = Process.fit(points, noise, self.places, self.seed)
        mean, deviation = process.mean_and_deviation(self.places)
        tried = np.zeros(len(self.costs), dtype=int)
        for own, _ in {*zip(cell.tolist(), seed.tolist(), strict=True)}:
            tried[own] += 1
        without_value = (tried >= 2) & ~np.isin(np.arange(len(tried)), points.cell)
        quantile = float(student_t.ppf((1 + self.coverage) / 2, noise.total_degrees))
        return Surface(self, process, noise, mean, deviation, quantile, tried, without_value, asked)

    def ask(
        self,
        surface: Surface,
        packs: int,
        pending: Sequence[tuple[int, int]] = (),
        closed: Sequence[int] = (),
    ) -> list[list[tuple[int, int]]]:
        """The next trainings.

        Args:
            surface: of everything measured.
            packs: wanted, >= 0.
            pending: (candidate, seeds) asked before and not in the observations yet.
            closed: candidates that are not asked for.

        Returns:
            For each pack (candidate, further seeds) pairs, the most valuable pack and candidate
            first; fewer packs where those should do. Empty when what is pending should do, or when
            nothing is pending and no cell that may have a further seed is left.
        """
        waiting = Counter[int]()
        for candidate, seeds in pending:
            waiting[candidate] += seeds
        active = self._active(surface)
        covariance = surface.process.covariance(self.places[active])
        noise = surface.noise[active]
        left = self.max_seeds - surface.tried[active]
        left[surface.without_value[active] | np.isin(active, closed)] = 0
        for own, candidate in enumerate(active.tolist()):
            for _ in range(waiting[candidate]):
                left[own] -= 1
                covariance = after(covariance, own, noise[own])
        chooser = Chooser(
            surface.mean[active],
            noise,
            self.costs[active],
            self.packing.of(active),
            lambda deviation: surface.still_unsettled(active, deviation),
        )
        chosen = chooser.packs(covariance, left, packs)
        return [list(Counter(active[pack].tolist()).items()) for pack in chosen]

    def finished(self, surface: Surface) -> bool:
        """Whether the band is nowhere wider than wanted, or a crossing is ruled out everywhere."""
        return not surface.unsettled.any()

    @property
    def places(self) -> Array:
        """(M, d) candidates with every axis' range at 1."""
        return (self.candidates - self.low) / self.range

    @cached_property
    def lines(self) -> list[list[Array]]:
        """For every axis, its lines: indices of candidates that differ in it alone, rising."""
        return [_lines(self.candidates, axis) for axis in range(self.candidates.shape[1])]

    def _active(self, surface: Surface) -> Array:
        if len(self.costs) <= ACTIVE:
            return np.arange(len(self.costs))
        decided = np.abs(surface.mean) / np.maximum(surface.deviation, 1e-9)
        if not surface.tried.any():  # nothing is known: evenly over the candidates
            return np.linspace(0, len(self.costs) - 1, ACTIVE).round().astype(int)
        return np.sort(np.argsort(decided, kind="stable")[:ACTIVE])


@dataclass(frozen=True)
class Surface:
    """What is known of the level set.

    Attributes:
        search: what was asked.
        process, noise_model: the fitted process and the noise of its seeds.
        mean, deviation: (M,) posterior of y, the latent order parameter of the median seed, 0 being
            the level.
        quantile: Student's t for the coverage, with the degrees of freedom of the seeds' noise.
        tried: (M,) trainings of each cell, failed ones included.
        without_value: (M,) cells of which no training has a value.
        log_step: at which it is asked.
    """

    search: LevelSet
    process: Process
    noise_model: SeedNoise
    mean: Array
    deviation: Array
    quantile: float
    tried: Array
    without_value: Array
    log_step: float

    @property
    def probability(self) -> Array:
        """(M,) probability that the median seed is above the level."""
        return norm.cdf(self.mean / np.maximum(self.deviation, 1e-9))

    @property
    def noise(self) -> Array:
        """(M,) variance of one seed's y about the median seed's."""
        shared, own, _ = self.noise_model.at(self.search.places, self.mean)
        return shared + own

    @property
    def width(self) -> float:
        """The widest part of the band in lattice steps, 0 where nothing is undecided."""
        return self._widths[0]

    @property
    def unsettled(self) -> Array:
        """(M,) candidates on or beside a part of the band that is wider than wanted.

        Where the mean crosses nowhere, every undecided candidate: that there is no boundary is said
        of all of them, or not at all.
        """
        return np.isfinite(self._widths[1]) & ~self.without_value

    def still_unsettled(self, candidates: Array, deviation: Array) -> Array:
        """Which candidates would be unsettled if they had these deviations and the same mean."""
        needed = self._widths[1][candidates]
        wide = deviation > needed * self.deviation[candidates]
        undecided = self.quantile * deviation > np.abs(self.mean[candidates])
        beside = np.abs(self.mean[candidates]) >= self.quantile * self.deviation[candidates]
        return self.unsettled[candidates] & wide & (undecided | beside)

    def boundary(self) -> pd.DataFrame:
        """Crossings along the first axis, on every line of candidates.

        Returns:
            One row per crossing of the mean, and one per undecided stretch without a crossing:
            `x1` … (the other axes' coordinates), `position` (missing where the mean does not
            cross), `lower`, `upper` (the band; infinite where it reaches the end of the line, so
            that the crossing may lie beyond the axis) and `direction`. A line that is decided all
            along and has no crossing has no row; with no row at all, there is none within the axes.
        """
        rows = []
        for line, found in self._first:
            others = self.search.candidates[line[0], 1:].tolist()
            for each in found:
                lower = -math.inf if each.open_below else each.lower
                upper = math.inf if each.open_above else each.upper
                if not each.crossings:
                    rows.append((*others, math.nan, lower, upper, OPEN))
                for position, rising in zip(each.crossings, each.rising, strict=True):
                    rows.append((*others, position, lower, upper, RISES if rising else FALLS))
        columns = [*self._others, "position", "lower", "upper", "direction"]
        return pd.DataFrame(rows, columns=columns)

    def largest(self) -> pd.DataFrame:
        """The largest position on the first axis that is still above the level, on every line.

        n*(W) where the first axis is log N and the order parameter E.

        Returns:
            One row per line: `x1` …, `position`, `lower`, `upper`. -inf says that it lies below
            the line's first candidate (nothing is above), inf beyond its last (all are).
        """
        rows = []
        for line, found in self._first:
            x = self.search.candidates[line, 0]
            others = self.search.candidates[line[0], 1:].tolist()
            rows.append((*others, *_largest(x, self.mean[line], found)))
        return pd.DataFrame(rows, columns=[*self._others, "position", "lower", "upper"])

    @property
    def _others(self) -> list[str]:
        return [f"x{axis}" for axis in range(1, self.search.candidates.shape[1])]

    @cached_property
    def _first(self) -> list[tuple[Array, list[Stretch]]]:
        """Lines along the first axis with their undecided stretches, in its coordinates."""
        return self._along(0)

    @cached_property
    def _widths(self) -> tuple[float, Array]:
        """The widest part of the band, and by what its deviations must shrink to be settled.

        Returns:
            Lattice steps, and for each candidate a factor, NaN where nothing is to be done.
        """
        undecided = np.abs(self.mean) < self.quantile * self.deviation
        at, cut = np.full((2, len(self.search.costs)), np.inf)
        beside = np.zeros(len(self.search.costs))
        crossed = False
        for axis in range(self.search.candidates.shape[1]):
            values = np.unique(self.search.candidates[:, axis])
            for line, found in self._along(axis):
                x = self.search.candidates[line, axis]
                for each in found:
                    crossed = crossed or bool(each.crossings)
                    ends = np.interp([each.lower, each.upper], values, np.arange(len(values)))
                    steps = float(ends[1] - ends[0])
                    inside = line[(x >= each.lower) & (x <= each.upper)]
                    known = cut if each.open_below or each.open_above else at
                    known[inside] = np.fmin(known[inside], steps)
                    if len(inside) == 0:
                        after = int(np.searchsorted(x, each.lower))
                        around = line[after - 1 : after + 1]
                        beside[around] = np.maximum(beside[around], steps)
        at = np.where(np.isfinite(at), at, cut)  # a stretch that the lattice cuts says less
        widths = np.maximum(np.where(undecided, at, 0.0), beside)
        if crossed:
            wide = widths > self.search.width
            needed = self.search.width / np.where(wide, widths, 1.0)
        else:
            wide = undecided
            needed = np.abs(self.mean) / np.maximum(self.quantile * self.deviation, 1e-12)
        return float(widths.max(initial=0.0)), np.where(wide, needed, np.nan)

    def _along(self, axis: int) -> list[tuple[Array, list[Stretch]]]:
        """Lines along an axis; those on which something may be undecided are read finely."""
        half = self.quantile * self.deviation
        lines = self.search.lines[axis]
        open_ = [
            bool((np.abs(self.mean[i]) < half[i]).any() or np.ptp(np.sign(self.mean[i])) > 0)
            for i in lines
        ]
        places = self.search.places
        fine = [_finer(places[i], axis) for i, is_open in zip(lines, open_, strict=True) if is_open]
        if not fine:
            return [(line, []) for line in lines]
        mean, deviation = self.process.mean_and_deviation(np.concatenate(fine))
        cuts = np.cumsum([len(each) for each in fine])[:-1]
        read = iter(zip(fine, np.split(mean, cuts), np.split(deviation, cuts), strict=True))
        found = []
        for line, is_open in zip(lines, open_, strict=True):
            if not is_open:
                found.append((line, []))
                continue
            at, y, spread = next(read)
            x = self.search.low[axis] + at[:, axis] * self.search.range[axis]
            found.append((line, stretches(x, y, self.quantile * spread)))
        return found


def _largest(x: Array, mean: Array, found: list[Stretch]) -> tuple[float, float, float]:
    """Position, lower and upper end of the last point above the level, beyond it by infinity."""
    falls = [(p, s) for s in found for p, up in zip(s.crossings, s.rising, strict=True) if not up]
    last = found[-1] if found else None
    if mean[-1] >= 0:
        lower = last.lower if last and last.open_above else math.inf
        return math.inf, lower, math.inf
    if not falls:
        upper = last.upper if last else -math.inf
        return -math.inf, -math.inf, math.inf if last and last.open_above else upper
    position, band = falls[-1]
    # An undecided stretch after the last crossing may hold a later one.
    upper = math.inf if last and last.open_above else last.upper if last else band.upper
    return position, -math.inf if band.open_below else band.lower, upper


def _lines(candidates: Array, axis: int) -> list[Array]:
    others = np.delete(candidates, axis, axis=1)
    _, line = np.unique(others, axis=0, return_inverse=True)
    line = line.reshape(-1)
    ordered = np.lexsort([candidates[:, axis], line])
    groups = np.split(ordered, np.flatnonzero(np.diff(line[ordered])) + 1)
    return [group for group in groups if len(group) > 1]


def _finer(places: Array, axis: int) -> Array:
    """A line's places with `FINE` - 1 further ones between neighbours."""
    steps = np.arange(len(places) - 1)[:, None] + np.arange(FINE)[None] / FINE
    at = np.append(steps.ravel(), len(places) - 1)
    fine = np.repeat(places[:1], len(at), axis=0)
    fine[:, axis] = np.interp(at, np.arange(len(places)), places[:, axis])
    return fine
