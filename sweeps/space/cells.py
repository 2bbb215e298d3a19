"""The cells of a sweep: points of its axes turned into configurations of trainings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from study.config import ConfigError, TrialConfig
from study.config.sections import GRAMMAR
from study.config.settings import Faults
from study.corpus.pool import Pool
from study.corpus.pools import pool_of, with_pool
from study.models.kinds import kind_of
from sweeps.space import axes, cost, fields
from sweeps.space.axes import Axis, Point, Span


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


@dataclass(frozen=True)
class Training:
    """One training of a sweep.

    Attributes:
        hash: its identity, the name of its folder.
        cell: the cell it is a replica of.
        config: everything that determines it; its seed is the number of the replica.
    """

    hash: str
    cell: Cell
    config: TrialConfig


@dataclass(frozen=True)
class Space:
    """Where a search may look.

    Attributes:
        base: the settings that all trainings share.
        axes: what varies.
        seeds: replicas of every cell, seeded 0, 1, 2, …
        skip_infeasible: whether points that no training can have are left out.
        beside: folder where files are looked for that are not in the current one.
        members_per_pack: the most that the file allows; None: by their width.
        on_gpu: whether packs run on a GPU.
    """

    base: Mapping[str, Any]
    axes: tuple[Axis | Span, ...]
    seeds: int
    skip_infeasible: bool
    beside: Path | None = None
    members_per_pack: int | None = None
    on_gpu: bool = False

    @property
    def lists(self) -> list[Axis]:
        """The axes that go through values one by one."""
        return [axis for axis in self.axes if isinstance(axis, Axis)]

    @property
    def spans(self) -> list[Span]:
        """The axes that take any value between two ends."""
        return [axis for axis in self.axes if isinstance(axis, Span)]

    def replicas(self, cell: Cell) -> tuple[Training, ...]:
        """The trainings of a cell; replica r has seed r in every cell."""
        return tuple(Training(config.hash, cell, config) for config in self.configs(cell))

    def configs(self, cell: Cell) -> list[TrialConfig]:
        """Those of its trainings, without their identities, which take long to work out."""
        return [replace(cell.config, seed=seed) for seed in range(self.seeds)]

    def most_members(self, cell: Cell) -> int:
        """Members of a pack of a cell's trainings at most, as far as memory allows."""
        by_width = cost.most_members(cell.config.network.width, on_gpu=self.on_gpu)
        return self.members_per_pack or by_width


@dataclass
class Expansion:
    """The points that can be trained, and those that cannot.

    Attributes:
        space: where they lie.
        cells: feasible cells, each with an identity of its own.
        infeasible: each point that no training can have, with its faults.
        repeated: labels of two points with one identity, and why they have it.
    """

    space: Space
    cells: list[Cell] = field(default_factory=list)
    infeasible: list[tuple[Point, Faults]] = field(default_factory=list)
    repeated: list[tuple[str, str, str]] = field(default_factory=list)

    def cell(self, point: Point) -> Cell | None:
        """The cell at a point; None, and noted, where no training can be."""
        document = _of_its_source(fields.with_settings(self.space.base, point), point)
        try:
            pool = pool_of(document, beside=self.space.beside)
            config = TrialConfig.from_dict(with_pool(document, pool))
            kind_of(config)
        except ConfigError as error:
            self.infeasible.append((dict(point), error.faults))
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


def expanded(space: Space, points: Iterable[Point]) -> Expansion:
    """A cell for every point.

    Points with one identity are faults, not merged: as two cells, the same seeds would count twice
    in every fit; and their tables, which carry the identity, could not be told apart.
    """
    found = Expansion(space)
    first: dict[str, Cell] = {}
    for point in points:
        cell = found.cell(point)
        if cell is None:
            continue
        twin = first.setdefault(cell.config.hash, cell)
        if twin is not cell:
            longer = twin.config.training.steps != cell.config.training.steps
            why = " but for its length; keep the longest" if longer else ""
            found.repeated.append((twin.label, cell.label, why))
        found.cells.append(cell)
    return found
