"""`search: {kind: boundary}`: where an order parameter crosses a level, with a band.

The cells are those of the grid; trained are those, with as many seeds, that tell most about the
boundary for the time of the packs that they make (`level_set`, `packs`). Each training gives the
order parameter at every step that it measured, so the boundary at fewer steps costs nothing. Its
trainings are ordinary ones: a grid that is run afterwards finds them done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from study.config.settings import Faults, Section, setting
from study.store.status import Status
from sweeps.search.measured import Published, Quantity, absent_level
from sweeps.search.scale import Scale
from sweeps.search.search import Answer, Batch, Evidence, Search, listed
from sweeps.space import axes, cost
from sweeps.space.cells import Cell, Expansion, Training, expanded

if TYPE_CHECKING:
    from sweeps.search.level_set import LevelSet, Surface
    from sweeps.search.packs import Packing


def _measured(value: Any) -> Any:
    if isinstance(value, str):
        Quantity.named(value)
    return value


@dataclass(frozen=True)
class _Seen:
    """What is known of the lattice's trainings.

    Attributes:
        statuses: of those that have a folder.
        done: those with nothing left to train.
        lost: those that were given in this run and ended without being done.
        pending: those that are under way.
    """

    statuses: Mapping[str, Status]
    done: set[str]
    lost: set[str]
    pending: set[str]


class Boundary(Search):
    """The surface on which the median seed crosses a level, found with few trainings."""

    kind = "boundary"

    @dataclass(frozen=True, kw_only=True)
    class Options(Section):
        """The boundary at which an order parameter crosses a level."""

        kind: str = setting("boundary", choices=("boundary",))
        """boundary: cells and seeds of the grid that tell most of where a level is crossed."""
        measure: str = setting(
            "excess_copies", reads=_measured, values="a column of curves, or of levels with a level"
        )
        """The order parameter at the last step, such as excess_copies or partial_memorization.1."""
        level: float = setting(0.5)
        """Its value on the boundary."""
        width: float = setting(1.0, above=0)
        """Steps of the lattice: it is finished when the band is nowhere wider."""
        coverage: float = setting(0.95, above=0, maximum=0.999)
        """Chance that the band holds the boundary, at each place."""
        budget: float | None = setting(None, above=0)
        """Operations (FLOP) that trainings may take, those counted that are there already. None: no
        limit but the grid's own."""
        seed: int = setting(0, minimum=0)
        """Seed of the search's own draws."""

    options: Options

    def faults(self) -> Faults:
        """Axes must be lists of numbers, and seeds several."""
        found: Faults = [
            (("grid", span.name), "a boundary search takes values to choose from; write a list")
            for span in self.space.spans
        ]
        for axis in self.space.lists:
            name = next(iter(axis.points[0]))
            if "training.steps" in axis.points[0]:
                what = "every training is read at all its steps; set the largest in base"
                found.append((("grid", "training.steps"), what))
            elif len(axis.points) > 1 and Scale.of(axis) is None:
                what = "a boundary search takes axes of different numbers; run it for each value"
                found.append((("grid", name), what))
        if not found and not self.scales:
            found.append((("grid",), "a boundary search needs an axis with several values"))
        if self.space.seeds < 2:
            what = "a boundary search needs 2 or more, as the most of a cell: their noise is a part"
            found.append((("seeds",), what))
        bounds = self.quantity.bounds
        if bounds is not None and not bounds[0] < self.options.level < bounds[1]:
            what = f"must lie between {bounds[0]:g} and {bounds[1]:g}, where {self.quantity.name}"
            found.append((("search", "level"), f"{what} does, not {self.options.level:g}"))
        return found

    @property
    def most(self) -> int:
        """The product of the axes' lengths."""
        return prod(len(axis.points) for axis in self.space.lists)

    @cached_property
    def expansion(self) -> Expansion:
        """The lattice."""
        return expanded(self.space, axes.grid(self.space.lists))

    def cell_faults(self) -> Faults:
        """The level of the measure must be one of some grammar's, and cells must be several."""
        found = absent_level(self.quantity, self.cells, "measure")
        if len(self.cells) == 1:
            found.append((("grid",), "a boundary search needs two cells that can be trained"))
        return found

    @cached_property
    def quantity(self) -> Quantity:
        """The order parameter."""
        return Quantity.named(self.options.measure)

    @cached_property
    def scales(self) -> list[Scale]:
        """The axes that vary, in natural coordinates; the boundary is told along the first."""
        found = [Scale.of(axis) for axis in self.space.lists if len(axis.points) > 1]
        return [scale for scale in found if scale is not None]

    def most_flop(self, evidence: Evidence) -> float:
        """What is left of the budget, or of the lattice where that is less."""
        spent = self._spent(self._seen(evidence))
        whole = self.space.seeds * sum(self._flop(cell) for cell in self.cells)
        return max(min(whole, self.options.budget or whole) - spent, 0.0)

    def known(self, evidence: Evidence) -> tuple[Training, ...]:
        """Those on disk and those given, in the order in which they were asked for."""
        seen = self._seen(evidence)
        there = {*seen.statuses, *evidence.given}
        ranks = {name: rank for rank, name in enumerate((*listed(evidence), *evidence.given))}
        mine = [self._trainings[name] for name in self._trainings if name in there]
        return tuple(sorted(mine, key=lambda t: ranks.get(t.hash, -1)))

    def forgotten(self, evidence: Evidence) -> set[str]:
        """Those of the lattice that have a folder and nothing published in it."""
        there = {name for name in evidence.results.trainings() if name in self._trainings}
        return there - {training.hash for training in self.known(evidence)}

    def ask(self, evidence: Evidence, free: int) -> list[Batch] | Answer:
        """What was begun; then a batch for each pack that could start, of what tells most for the
        time of the pack."""
        seen = self._seen(evidence)
        begun = tuple(
            self._trainings[name]
            for name in seen.statuses
            if name not in seen.done and not evidence.is_settled(name)
        )
        if begun:
            return [begun]
        surface = self._surface(evidence, seen)
        if self._level_set.finished(surface):
            return Answer.FINISHED
        batches = list(self._within_budget(surface, seen, free))
        if batches:
            return batches
        return Answer.WAIT if seen.pending else Answer.FINISHED

    def says(self, evidence: Evidence) -> str:
        """How wide the band is, and what was spent."""
        seen = self._seen(evidence)
        surface, options = self._surface(evidence, seen), self.options
        widest = f"{surface.width:.2g}" if seen.done else "not known"
        words = f"band at most {widest} lattice steps wide, {options.width:g} wanted; "
        words += f"{self._spent(seen):.2e}"
        return words + (f" of {options.budget:.2e} FLOP" if options.budget else " FLOP")

    def outcome(self, evidence: Evidence) -> dict[str, pa.Table]:
        """The boundary with its band, what is largest above the level, and where it looked."""
        seen = self._seen(evidence)
        surface = self._surface(evidence, seen)
        crossings = [dict(row) for _, row in surface.boundary().iterrows()]
        largest = [dict(row) for _, row in surface.largest().iterrows()]
        return {
            "boundary": self._table([self._placed(row) for row in crossings], "direction"),
            "largest": self._table([self._placed(row) for row in largest]),
            "candidates": self._candidates(surface),
            "looked": self._looked(evidence, seen),
        }

    @cached_property
    def _level_set(self) -> LevelSet:
        from sweeps.search.level_set import LevelSet

        return LevelSet(
            [[scale(cell.coordinates) for scale in self.scales] for cell in self.cells],
            [self._time(cell) for cell in self.cells],
            self._packing,
            level=self.options.level,
            width=self.options.width,
            coverage=self.options.coverage,
            bounds=self.quantity.bounds,
            seed=self.options.seed,
            max_seeds=self.space.seeds,
        )

    @property
    def _packing(self) -> Packing:
        """Which trainings share packs, and what a pack takes for its launches: OVERHEAD / W
        members more."""
        from sweeps.search.packs import Packing

        pairs = [self.space.replicas(cell)[:2] for cell in self.cells]
        keys = [tuple(training.config.pack_key for training in pair) for pair in pairs]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        group = np.array([numbers[key] for key in keys])
        time = np.array([self._time(cell) for cell in self.cells])
        mean = np.bincount(group, time) / np.bincount(group)
        widths = np.array([cell.config.network.width for cell in self.cells])
        most = [
            self.space.most_members(cell) if len(set(key)) == 1 else 1
            for cell, key in zip(self.cells, keys, strict=True)
        ]
        return Packing(group, mean[group] * cost.OVERHEAD / widths, np.array(most))

    @staticmethod
    def _time(cell: Cell) -> float:
        """What a training takes in company, in operations of one wide network."""
        return Boundary._flop(cell) * cost.elementwise(cell.config.network.width)

    @cached_property
    def _trainings(self) -> dict[str, Training]:
        """Everything that could be trained, by hash."""
        return {t.hash: t for cell in self.cells for t in self.space.replicas(cell)}

    @cached_property
    def _places(self) -> dict[str, int]:
        """Hash of a training -> its cell's place in the lattice."""
        places = {id(cell): place for place, cell in enumerate(self.cells)}
        return {name: places[id(t.cell)] for name, t in self._trainings.items()}

    @cached_property
    def _published(self) -> Published:
        return Published((self.quantity,))

    @cached_property
    def _surfaces(self) -> dict[tuple[Any, ...], Surface]:
        """The last surface, by what it was fitted to."""
        return {}

    @staticmethod
    def _flop(cell: Cell) -> float:
        return cost.of(cell.config).flop

    def _seen(self, evidence: Evidence) -> _Seen:
        statuses = self._published.statuses(evidence.results, self._trainings)
        done = {
            name
            for name, status in statuses.items()
            if status.is_done(self._trainings[name].config.last_step)
        }
        pending = {name for name in evidence.running if name in self._trainings} - done
        lost = {name for name in evidence.given if name in self._trainings} - done - pending
        return _Seen(statuses, done, lost, pending)

    def _surface(self, evidence: Evidence, seen: _Seen) -> Surface:
        """The surface of what is done; what was lost counts as tried, without a value."""
        rows: list[tuple[int, float, float, int]] = []
        nan = float("nan")
        for name in sorted(seen.done):
            (curve,) = self._published.curves(evidence.results, seen.statuses[name])
            rows += [
                (self._places[name], log(step), nan if value is None else value, self._seed(name))
                for step, value in curve or ((1, None),)
            ]
        rows += [(self._places[name], 0.0, nan, self._seed(name)) for name in sorted(seen.lost)]
        key = (*sorted((n, seen.statuses[n].step) for n in seen.done), *sorted(seen.lost))
        if key not in self._surfaces:
            last = log(max(cell.config.last_step for cell in self.cells))
            columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
            self._surfaces.clear()
            self._surfaces[key] = self._level_set.fit(*columns, at=last)
        return self._surfaces[key]

    def _within_budget(self, surface: Surface, seen: _Seen, packs: int) -> Iterator[Batch]:
        """What the surface asks for, pack by pack, as far as the budget goes."""
        taken = {*seen.statuses, *seen.lost, *seen.pending}
        waiting = Counter(self._places[name] for name in seen.pending)
        left = self.options.budget - self._spent(seen) if self.options.budget else float("inf")
        dear = [place for place, cell in enumerate(self.cells) if self._flop(cell) > left]
        for pack in self._level_set.ask(surface, packs, list(waiting.items()), dear):
            batch: list[Training] = []
            for place, seeds in pack:
                free = [t for t in self.space.replicas(self.cells[place]) if t.hash not in taken]
                for training in free[:seeds]:
                    left -= self._flop(training.cell)
                    if left >= 0:
                        batch.append(training)
            taken |= {training.hash for training in batch}
            if batch:
                yield tuple(batch)

    def _spent(self, seen: _Seen) -> float:
        """Operations of everything that was, or is being, trained."""
        there = {*seen.statuses, *seen.lost, *seen.pending}
        return sum(self._flop(self._trainings[name].cell) for name in there)

    def _seed(self, name: str) -> int:
        return self._trainings[name].config.seed

    def _placed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A crossing in the units of the axes: `along` is the setting that is crossed."""
        first, others = self.scales[0], self.scales[1:]
        placed: dict[str, Any] = {"along": first.name}
        for number, scale in enumerate(others, start=1):
            placed[scale.name] = scale.value(row[f"x{number}"])
        for name in ("position", "lower", "upper"):
            placed[name] = None if row[name] != row[name] else first.value(row[name])
        return placed | ({"direction": row["direction"]} if "direction" in row else {})

    def _table(self, rows: Sequence[Mapping[str, Any]], *words: str) -> pa.Table:
        numbers = [*(scale.name for scale in self.scales[1:]), "position", "lower", "upper"]
        fields = [("along", pa.string()), *((name, pa.float64()) for name in numbers)]
        fields += [(word, pa.string()) for word in words]
        return self._told(pa.Table.from_pylist([dict(row) for row in rows], pa.schema(fields)))

    def _candidates(self, surface: Surface) -> pa.Table:
        columns: dict[str, Any] = {
            scale.name: [float(cell.coordinates[scale.name]) for cell in self.cells]
            for scale in self.scales
        }
        columns |= {"probability": surface.probability, "trainings": surface.tried}
        return self._told(pa.table(columns))

    def _looked(self, evidence: Evidence, seen: _Seen) -> pa.Table:
        """A row for each training, in the order in which they were asked for."""
        rows = []
        for order, training in enumerate(self.known(evidence)):
            status = seen.statuses.get(training.hash)
            curve = self._published.curves(evidence.results, status)[0] if status else ()
            rows.append(
                {
                    "order": order,
                    "training": training.hash,
                    "seed": training.config.seed,
                    **{s.name: float(training.cell.coordinates[s.name]) for s in self.scales},
                    "step": curve[-1][0] if curve else None,
                    "value": next((v for _, v in reversed(curve) if v is not None), None),
                    "flop": self._flop(training.cell),
                }
            )
        names = ["order", "training", "seed", *(s.name for s in self.scales), "step"]
        kinds = {"order": pa.int64(), "training": pa.string(), "seed": pa.int64()}
        kinds["step"] = pa.int64()
        fields = [(name, kinds.get(name, pa.float64())) for name in (*names, "value", "flop")]
        return self._told(pa.Table.from_pylist(rows, pa.schema(fields)))

    def _told(self, table: pa.Table) -> pa.Table:
        """The table with what it is about."""
        options = self.options
        about = {
            "search": self.kind,
            "measure": options.measure,
            "level": f"{options.level:g}",
            "coverage": f"{options.coverage:g}",
        }
        return table.replace_schema_metadata(about)
