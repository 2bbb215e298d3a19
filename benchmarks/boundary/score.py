"""How well named crossings fit the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.boundary.lattice import whole
from benchmarks.boundary.ways import Played

NEAR = 1.0
"""Lattice steps within which a crossing counts as located."""


@dataclass(frozen=True)
class Score:
    """One way, played once.

    Attributes:
        way, repetition: which.
        true: number of true crossings.
        covered: of them within a band of their line.
        located: of them within a lattice step of a named crossing of their line.
        errors: distance of the located ones, in lattice steps.
        invented: named crossings beyond the number of true ones, line by line.
        spent: share of the time that the grid with all its seeds takes, launches included.
        operations: share of the grid's operations, without them.
        cells, trainings, packs: trained, and packs that a search asked for.
        finished: whether it ended by itself.
    """

    way: str
    repetition: int
    true: int
    covered: int
    located: int
    errors: list[float]
    invented: int
    spent: float
    operations: float
    cells: int
    trainings: int
    packs: int
    finished: bool


def score(
    way: str, repetition: int, played: Played, truth: dict[float, list[float]], step: float
) -> Score:
    """The score of a way against the true crossings by line; `step` is the lattice's."""
    covered, invented, errors = 0, 0, []
    for line, crossings in truth.items():
        bands = played.found.get(line, [])
        named = [band.position for band in bands if np.isfinite(band.position)]
        invented += max(0, len(named) - len(crossings))
        for x in crossings:
            covered += any(band.lower <= x <= band.upper for band in bands)
            nearest = min((abs(x - position) / step for position in named), default=np.inf)
            if nearest <= NEAR:
                errors.append(float(nearest))
    observed = played.observed
    trainings, grid = observed.trainings, whole(observed.trainings)
    return Score(
        way=way,
        repetition=repetition,
        true=sum(len(crossings) for crossings in truth.values()),
        covered=covered,
        located=len(errors),
        errors=errors,
        invented=invented,
        spent=observed.spent / trainings.price(grid),
        operations=float(trainings.flop[observed.cells].sum() / trainings.flop[grid].sum()),
        cells=len(set(observed.cells)),
        trainings=len(observed.cells),
        packs=len(played.packs),
        finished=played.finished,
    )


HEADINGS = (
    "| way | repetitions | located | error, steps | invented | in the band | time | operations "
    "| trainings | packs |"
)


def row(way: str, scores: list[Score]) -> str:
    """A line of the table: means over repetitions, with the error of the mean where it matters."""
    true = sum(s.true for s in scores)
    errors = np.array([e for s in scores for e in s.errors])
    spent = np.array([s.spent for s in scores])
    located = f"{sum(s.located for s in scores) / true:.1%}" if true else ""
    error = f"{np.sqrt(np.mean(errors**2)):.2f}" if len(errors) else ""
    packs = f"{np.mean([s.packs for s in scores]):.1f}" if scores[0].packs else ""
    banded = way.startswith(("search", "random"))
    return (
        f"| {way} | {len(scores)} | {located} | {error} "
        f"| {np.mean([s.invented for s in scores]):.2f} "
        f"| {_coverage(scores) if banded and true else ''} "
        f"| {spent.mean():.1%} | {np.mean([s.operations for s in scores]):.1%} "
        f"| {np.mean([s.trainings for s in scores]):.1f} | {packs} |"
    )


def _coverage(scores: list[Score]) -> str:
    """Share of true crossings in the band; crossings of a repetition are not independent."""
    shares = np.array([s.covered / s.true for s in scores])
    error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else np.nan
    return f"{shares.mean():.1%} ± {error:.1%}"
