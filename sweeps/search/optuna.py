"""`search: {kind: optuna}`: which settings make some measured quantities largest or smallest.

One suggestion is one cell with its seeds, and one pack where its size allows; what counts is the
mean over the seeds. Each training is read at all its steps, so how long to train is no axis: with
`read: best` every cell is taken at the step that is best for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from math import isfinite
from typing import Any

import pyarrow as pa

from study.config.settings import Faults, Section, setting
from study.store.status import Status
from sweeps.search import suggestions
from sweeps.search.measured import Curve, Published, Quantity, absent_level
from sweeps.search.recognition import Recognition
from sweeps.search.search import Answer, Batch, Evidence, Search, listed
from sweeps.search.suggestions import Dimension, Told
from sweeps.space import cost
from sweeps.space.axes import Point, Span
from sweeps.space.cells import Cell, Expansion, Training, expanded

MODES = ("max", "min")
MAX_OBJECTIVES = 3
MAX_CORNERS = 64
STARTUP, STARTUP_SHARE = 10, 0.3
"""Cells drawn at random first: so many, or such a share of all where that is less."""


def _objectives(value: Any) -> Any:
    if not isinstance(value, Mapping) or not 1 <= len(value) <= MAX_OBJECTIVES:
        raise ValueError(f"must map 1 to {MAX_OBJECTIVES} measures to max or min, not {value!r}")
    for name, mode in value.items():
        Quantity.named(str(name))
        if mode not in MODES:
            raise ValueError(f"'{name}' is made max or min, not {mode!r}")
    return value


def _constraints(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"must map measures to a bound, as {{max: 0.1}}, not {value!r}")
    for name, bound in value.items():
        Quantity.named(str(name))
        if not isinstance(bound, Mapping) or len(bound) != 1 or next(iter(bound)) not in MODES:
            raise ValueError(f"'{name}' takes a bound, as {{max: 0.1}} or {{min: 0.1}}")
        limit = next(iter(bound.values()))
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not isfinite(limit):
            raise ValueError(f"the bound of '{name}' must be a number, not {limit!r}")
    return value


@dataclass(frozen=True)
class _Cell:
    """A cell that was suggested, and what its seeds say.

    Attributes:
        trainings: its replicas.
        step: at which it is read; None while any replica has not ended.
        values: measure -> the seeds' values there, with a penalty for what is undefined.
        penalties: replicas that diverged, failed or left a measure undefined.
    """

    trainings: tuple[Training, ...]
    step: int | None
    values: Mapping[str, list[float]]
    penalties: int

    def mean(self, name: str) -> float:
        """Over the seeds."""
        return sum(self.values[name]) / len(self.values[name])


class OptunaSearch(Search):
    """Optuna's samplers, asked through Ray Tune's own OptunaSearch."""

    kind = "optuna"

    @dataclass(frozen=True, kw_only=True)
    class Options(Section):
        """The best settings for some measured quantities."""

        kind: str = setting("optuna", choices=("optuna",))
        """optuna: cells that Optuna suggests, ranges included."""
        objectives: dict[Any, Any] = setting(reads=_objectives, values="measure -> max or min")
        """What is made largest or smallest, as means over seeds; several give a Pareto front."""
        constraints: dict[Any, Any] = setting(
            factory=dict, reads=_constraints, values="measure -> {max: x} or {min: x}"
        )
        """Bounds that a cell must keep, as a mean over seeds."""
        read: str = setting("last", choices=("last", "best"))
        """The step at which a cell is read: the last, or the one best for the first objective among
        those that keep the constraints."""
        sampler: str = setting("tpe", choices=("tpe", "gp"))
        """Optuna's tree-structured Parzen estimator, or its Gaussian process."""
        num_samples: int = setting(minimum=1)
        """How many cells; more go on where fewer ended."""
        seed: int = setting(0, minimum=0)
        """Seed of the sampler's draws."""

    options: Options

    def faults(self) -> Faults:
        """Steps are no axis, and there must be something to choose."""
        if not self.space.axes:
            return [(("grid",), "an optuna search needs an axis")]
        return [
            (("grid", dimension.name), "every training is read at all its steps; see search.read")
            for dimension in self.dimensions
            if dimension.name == "training.steps"
        ]

    @property
    def most(self) -> int:
        """As many as the file says."""
        return self.options.num_samples

    @cached_property
    def expansion(self) -> Expansion:
        """The corners of the space, of which each must be a training, or may be left out."""
        ends = [_ends(dimension) for dimension in self.dimensions]
        corners = islice(product(*ends), MAX_CORNERS)
        points = ({k: v for point in corner for k, v in point.items()} for corner in corners)
        return expanded(self.space, points)

    def cell_faults(self) -> Faults:
        """The levels of measures must be those of some grammar."""
        objectives = [str(name) for name in self.options.objectives]
        return [
            fault
            for name, quantity in self.quantities.items()
            for fault in absent_level(
                quantity, self.cells, "objectives" if name in objectives else "constraints"
            )
        ]

    @cached_property
    def dimensions(self) -> list[Dimension]:
        """The axes."""
        return [Dimension(axis) for axis in self.space.axes]

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        """What is read of every training: objectives, then constraints."""
        names = [*self.options.objectives, *self.options.constraints]
        return {str(name): Quantity.named(str(name)) for name in dict.fromkeys(names)}

    def known(self, evidence: Evidence) -> tuple[Training, ...]:
        """Those on disk and those given, in the order in which they were suggested."""
        ranks = {name: rank for rank, name in enumerate((*listed(evidence), *evidence.given))}
        mine = self._trainings(evidence)
        return tuple(sorted(mine.values(), key=lambda t: ranks.get(t.hash, -1)))

    def most_flop(self, evidence: Evidence) -> float:
        """What cells that are still to come take if each were the costliest corner."""
        left = max(self.options.num_samples - len(self._by_cell(evidence)), 0)
        costliest = max((cost.of(cell.config).flop for cell in self.cells), default=0.0)
        return left * self.space.seeds * costliest

    def ask(self, evidence: Evidence, free: int) -> list[Batch] | Answer:
        """What was begun; then one cell for every pack that could start."""
        cells = self._by_cell(evidence)
        ended = self._has_ended(cells.values(), evidence)
        begun = [
            fresh
            for replicas in cells.values()
            if (fresh := tuple(t for t in replicas if t.hash not in ended))
        ]
        if begun:
            for replicas in begun:  # not all of a cell need be on disk
                self._recognition.add(replicas)
            return list(begun)
        wanted = min(free, self.options.num_samples - len(cells))
        if wanted <= 0:
            return Answer.FINISHED
        found = [self.space.replicas(cell) for cell in self._suggested(evidence, wanted)]
        for replicas in found:
            self._recognition.add(replicas)
        if found:
            return list(found)
        return Answer.WAIT if evidence.running else Answer.FINISHED

    def says(self, evidence: Evidence) -> str:
        """How many cells are known, and how many of them had to be penalised."""
        cells = self._cells(evidence)
        ended = [cell for cell in cells if cell.step is not None]
        penalised = sum(cell.penalties > 0 for cell in ended)
        words = f"{len(ended)} of {self.options.num_samples} cells"
        if penalised:
            words += f", {penalised} of them with seeds that count as the worst: they diverged, "
            words += "failed or left a measure undefined"
        return words

    def outcome(self, evidence: Evidence) -> dict[str, pa.Table]:
        """A row for every cell: where it stands, its measures over seeds, whether it is beaten."""
        cells = [cell for cell in self._cells(evidence) if cell.step is not None]
        told = [self._told(cell) for cell in cells]
        best = suggestions.front(told, self.dimensions, list(self.options.objectives.values()))
        rows = [
            self._row(order, cell, told[order], is_best=order in best)
            for order, cell in enumerate(cells)
        ]
        table = (
            pa.Table.from_pylist(rows) if rows else pa.table({"order": pa.array([], pa.int64())})
        )
        objectives = {f"objective {name}": mode for name, mode in self.options.objectives.items()}
        bounds = {
            f"constraint {name}": f"{side} {limit:g}"
            for name, bound in self.options.constraints.items()
            for side, limit in bound.items()
        }
        about = {"search": self.kind, **objectives, **bounds}
        return {"cells": table.replace_schema_metadata(about)}

    @cached_property
    def _recognition(self) -> Recognition:
        return Recognition(self.space)

    @cached_property
    def _published(self) -> Published:
        return Published(tuple(self.quantities.values()))

    def _trainings(self, evidence: Evidence) -> dict[str, Training]:
        there = self._recognition.trainings(evidence.results)
        given = self._recognition.of(evidence.given)
        return there | given

    def _by_cell(self, evidence: Evidence) -> dict[str, tuple[Training, ...]]:
        """Cell -> all its replicas, of cells of which any is known, in their order."""
        cells: dict[str, Cell] = {}
        for training in self.known(evidence):
            cells.setdefault(training.cell.label, training.cell)
        return {label: self.space.replicas(cell) for label, cell in cells.items()}

    def _has_ended(self, cells: Iterable[tuple[Training, ...]], evidence: Evidence) -> set[str]:
        """Hashes of what there is no sense in asking for again."""
        mine = {t.hash: t for replicas in cells for t in replicas}
        statuses = self._published.statuses(evidence.results, mine)
        done = {n for n, s in statuses.items() if s.is_done(mine[n].config.last_step)}
        return done | {name for name in mine if evidence.is_settled(name)}

    def _suggested(self, evidence: Evidence, wanted: int) -> list[Cell]:
        """Cells that Optuna would try next, those left out that no training can have."""
        told = [self._told(cell) for cell in self._cells(evidence)]
        total = self.options.num_samples
        parameters = suggestions.suggested(
            self.dimensions,
            told,
            self.options.objectives,
            sampler=self.options.sampler,
            startup=max(1, min(STARTUP, round(STARTUP_SHARE * total))),
            seed=self.options.seed,
        )
        found: list[Cell] = []
        for each in islice(parameters, wanted * suggestions.REPEATS):
            cell = Expansion(self.space).cell(self._point(each))
            found += [cell] if cell is not None else []
            if len(found) == wanted:
                break
        return found

    def _point(self, parameters: Mapping[str, Any]) -> Point:
        points = (dimension.point(parameters[dimension.name]) for dimension in self.dimensions)
        return {name: value for point in points for name, value in point.items()}

    def _told(self, cell: _Cell) -> Told:
        point = cell.trainings[0].cell.coordinates
        parameters = {each.name: each.parameter(point) for each in self.dimensions}
        if cell.step is None:
            return Told(parameters, None, {})
        values = [cell.mean(str(name)) for name in self.options.objectives]
        return Told(parameters, values, self._excess({n: cell.mean(n) for n in cell.values}))

    def _excess(self, means: Mapping[str, float]) -> dict[str, float]:
        """By how much each constraint is broken."""
        excess = {}
        for name, bound in self.options.constraints.items():
            ((side, limit),) = bound.items()
            above = means[str(name)] - limit
            excess[str(name)] = above if side == "max" else -above
        return excess

    def _cells(self, evidence: Evidence) -> list[_Cell]:
        """Every cell that was suggested, with what is known of it."""
        groups = list(self._by_cell(evidence).values())
        mine = {t.hash: t for replicas in groups for t in replicas}
        statuses = self._published.statuses(evidence.results, mine)
        curves = {
            t.hash: self._ended(t, statuses.get(t.hash), evidence)
            for replicas in groups
            for t in replicas
        }
        worst = self._worst([each for each in curves.values() if each])
        return [
            self._read(replicas, [curves[t.hash] for t in replicas], worst) for replicas in groups
        ]

    def _ended(
        self, training: Training, status: Status | None, evidence: Evidence
    ) -> tuple[Curve, ...] | None:
        """The curves of a training that has ended, empty ones of one that is lost; else None."""
        if status is not None and status.is_done(training.config.last_step):
            if status.state == "diverged":
                return ((),) * len(self.quantities)
            return self._published.curves(evidence.results, status)
        is_lost = training.hash in evidence.given and training.hash not in evidence.running
        return ((),) * len(self.quantities) if is_lost else None

    def _read(
        self,
        replicas: tuple[Training, ...],
        curves: Sequence[tuple[Curve, ...] | None],
        worst: Mapping[str, float],
    ) -> _Cell:
        """A cell at its step; what is undefined there counts as the worst there is."""
        ended = [each for each in curves if each is not None]
        if len(ended) < len(curves):
            return _Cell(replicas, None, {}, 0)
        at = [
            {name: dict(curve) for name, curve in zip(self.quantities, each, strict=True)}
            for each in ended
        ]
        step = self._step(at, worst)
        values, penalties = {}, set[int]()
        for name in self.quantities:
            found = [seed[name].get(step) for seed in at]
            penalties |= {seed for seed, value in enumerate(found) if value is None}
            values[name] = [worst[name] if value is None else value for value in found]
        return _Cell(replicas, step, values, len(penalties))

    def _step(
        self, seeds: Sequence[Mapping[str, Mapping[int, Any]]], worst: Mapping[str, float]
    ) -> int:
        """The step at which a cell is read."""
        first = next(iter(self.options.objectives))
        steps = sorted({s for seed in seeds for s, v in seed[str(first)].items() if v is not None})
        if self.options.read == "last" or not steps:
            return steps[-1] if steps else 0
        sign = 1 if self.options.objectives[first] == "max" else -1

        def merit(step: int) -> tuple[float, float]:
            means = {}
            for name in self.quantities:
                found = [seed[name].get(step) for seed in seeds]
                means[name] = sum(worst[name] if v is None else v for v in found) / len(found)
            broken = sum(max(each, 0.0) for each in self._excess(means).values())
            return -broken, sign * means[str(first)]

        return max(steps, key=merit)

    def _worst(self, ended: Sequence[tuple[Curve, ...]]) -> dict[str, float]:
        """Measure -> what a seed counts for that has no value: the worst end of its range, or the
        worst seen where it has none. Finite, since Optuna passes over what is not."""
        worst = {}
        for place, (name, quantity) in enumerate(self.quantities.items()):
            seen = [value for each in ended for _, value in each[place] if value is not None]
            low, high = quantity.bounds or (min(seen, default=0.0), max(seen, default=0.0))
            worst[name] = low if self._is_better_above(name) else high
        return worst

    def _is_better_above(self, name: str) -> bool:
        if name in self.options.objectives:
            return self.options.objectives[name] == "max"
        return "min" in self.options.constraints[name]

    def _row(self, order: int, cell: _Cell, told: Told, *, is_best: bool) -> dict[str, Any]:
        from analysis.statistics.seeds import mean_over_seeds

        first = cell.trainings[0]
        row: dict[str, Any] = {"order": order, "cell": first.cell.label}
        row |= {name: _plain(value) for name, value in first.cell.coordinates.items()}
        row |= {"step": cell.step, "seeds": len(cell.trainings), "penalties": cell.penalties}
        for name, values in cell.values.items():
            estimate = mean_over_seeds(values)
            row |= {name: estimate.mean, f"{name} lower": estimate.lower}
            row |= {f"{name} upper": estimate.upper}
        row["feasible"] = all(each <= 0 for each in told.excess.values())
        row["pareto"] = is_best
        row["flop"] = sum(cost.of(training.config).flop for training in cell.trainings)
        return row


def _ends(dimension: Dimension) -> list[Point]:
    if isinstance(dimension.axis, Span):
        return [dimension.point(x) for x in dimension.axis.ends]
    count = len(dimension.axis.points)
    return [dimension.point(place) for place in sorted({0, count - 1})]


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool) or value is None else repr(value)
