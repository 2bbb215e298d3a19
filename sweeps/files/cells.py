"""The cells of a sweep: points of the grid turned into configurations of trainings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from study.config import ConfigError, TrialConfig
from study.config.settings import Faults
from study.config.trial import GRAMMAR
from study.corpus.pool import Pool
from study.corpus.pools import pool_of, with_pool
from study.models.kinds import kind_of
from sweeps.files import axes, fields
from sweeps.files.axes import Axis, Point, Span

MAX_DRAWS_PER_SAMPLE = 100
"""Draws that may be repeats or infeasible before a random search counts as exhausted."""


@dataclass(frozen=True)
class Cell:
    """One combination of the axes' values.

    Attributes:
        coordinates: dotted setting -> value.
        config: its training with seed 0.
        label: the coordinates in few words.
        pool: the strings that it draws from; None where a grammar makes them.
    """

    coordinates: Point
    config: TrialConfig
    label: str
    pool: Pool | None = field(default=None, compare=False, repr=False)


def pools(cells: Iterable[Cell]) -> list[Pool]:
    """The strings that cells draw from, each once."""
    return list({cell.pool.sha256: cell.pool for cell in cells if cell.pool is not None}.values())


@dataclass
class Expansion:
    """The points that can be trained, and those that cannot.

    Attributes:
        cells: feasible cells, each with an identity of its own.
        infeasible: each point that no training can have, with its faults.
        repeated: labels of two points with one identity, and why they have it.
    """

    cells: list[Cell] = field(default_factory=list)
    infeasible: list[tuple[Point, Faults]] = field(default_factory=list)
    repeated: list[tuple[str, str, str]] = field(default_factory=list)


def expanded(
    base: Mapping[str, Any], points: Iterable[Point], *, beside: Path | None = None
) -> Expansion:
    """A cell for every point; files are looked for in the current folder, then in `beside`.

    Points with one identity are faults, not merged: as two cells, the same seeds would count twice
    in every fit; and their tables, which carry the identity, could not be told apart.
    """
    found = Expansion()
    first: dict[str, Cell] = {}
    for point in points:
        cell = _cell(base, point, found, beside)
        if cell is None:
            continue
        twin = first.setdefault(cell.config.hash, cell)
        if twin is not cell:
            longer = twin.config.training.steps != cell.config.training.steps
            why = " but for its length; keep the longest" if longer else ""
            found.repeated.append((twin.label, cell.label, why))
        found.cells.append(cell)
    return found


def sampled(
    base: Mapping[str, Any],
    spans: list[Axis | Span],
    wanted: int,
    seed: int,
    *,
    redraw: bool,
    beside: Path | None = None,
) -> Expansion:
    """Different random cells, at most as many as wanted; with `redraw`, feasible ones only."""
    found = Expansion()
    seen: set[str] = set()
    for point in islice(axes.draws(spans, seed), wanted * MAX_DRAWS_PER_SAMPLE):
        if len(found.cells) == wanted:
            break
        label = axes.label(point)
        if label in seen:
            continue
        seen.add(label)
        cell = _cell(base, point, found, beside)
        if cell is None and not redraw:
            break
        if cell is not None and cell.config.hash not in seen:
            seen.add(cell.config.hash)
            found.cells.append(cell)
    return found


def _cell(
    base: Mapping[str, Any], point: Point, found: Expansion, beside: Path | None
) -> Cell | None:
    document = _of_its_source(fields.with_settings(base, point), point)
    try:
        pool = pool_of(document, beside=beside)
        config = TrialConfig.from_dict(with_pool(document, pool))
        kind_of(config)
    except ConfigError as error:
        found.infeasible.append((dict(point), error.faults))
        return None
    return Cell(dict(point), config, axes.label(point), pool)


def _of_its_source(document: dict[str, Any], point: Point) -> dict[str, Any]:
    """Where the source is an axis: the settings of base that concern it, without the others'."""
    if "corpus.source" not in point:
        return document
    if point["corpus.source"] != GRAMMAR:
        return {name: part for name, part in document.items() if name != GRAMMAR}
    corpus = {name: value for name, value in document["corpus"].items() if name != "path"}
    rest = {name: part for name, part in document.items() if name != "strings"}
    return {**rest, "corpus": corpus}
