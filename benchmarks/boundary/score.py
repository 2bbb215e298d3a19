"""How well named crossings fit the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
        spent: share of what the grid with all its seeds costs.
        cells, trainings, rounds: trained, and asked for.
        finished: whether it ended by itself.
        seconds: share of the core-seconds that the grid took, at the grid's own seconds a training.
        packed: share of the grid's work if each batch fills packs of its own; see `Grid.effort`.
    """

    way: str
    repetition: int
    true: int
    covered: int
    located: int
    errors: list[float]
    invented: int
    spent: float
    cells: int
    trainings: int
    rounds: int
    finished: bool
    seconds: float | None = None
    packed: float | None = None


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
    lattice = observed.trainings.lattice
    return Score(
        way=way,
        repetition=repetition,
        true=sum(len(crossings) for crossings in truth.values()),
        covered=covered,
        located=len(errors),
        errors=errors,
        invented=invented,
        spent=observed.spent / float(lattice.costs.sum() * observed.trainings.seeds),
        cells=len(set(observed.cells)),
        trainings=len(observed.cells),
        rounds=len(played.batches),
        finished=played.finished,
    )


HEADINGS = (
    "| way | repetitions | located | error, steps | invented | in the band | cost | trainings |"
)


def row(way: str, scores: list[Score]) -> str:
    """A line of the table: means over repetitions, with the error of the mean where it matters."""
    true = sum(s.true for s in scores)
    errors = np.array([e for s in scores for e in s.errors])
    spent = np.array([s.spent for s in scores])
    located = f"{sum(s.located for s in scores) / true:.1%}" if true else ""
    error = f"{np.sqrt(np.mean(errors**2)):.2f}" if len(errors) else ""
    banded = way.startswith(("search", "random"))
    return (
        f"| {way} | {len(scores)} | {located} | {error} "
        f"| {np.mean([s.invented for s in scores]):.2f} "
        f"| {_coverage(scores) if banded and true else ''} "
        f"| {spent.mean():.1%} | {_share([s.seconds for s in scores])} "
        f"| {_share([s.packed for s in scores])} | {np.mean([s.trainings for s in scores]):.1f} |"
    )


def _coverage(scores: list[Score]) -> str:
    """Share of true crossings in the band; crossings of a repetition are not independent."""
    shares = np.array([s.covered / s.true for s in scores])
    error = shares.std(ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else np.nan
    return f"{shares.mean():.1%} ± {error:.1%}"


def _share(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.1%}" if known else ""
