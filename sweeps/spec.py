"""A sweep file, validated: its cells, and the trainings in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study.config import TrialConfig
from sweeps import axes, cells, fields, located, overrides, presets, schema
from sweeps.axes import Axis, Span
from sweeps.cells import Cell
from sweeps.faults import Fault, UsageError
from sweeps.located import Keys, Located
from sweeps.schema import SweepFile

MAX_TRAININGS = 100_000


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
class Sweep:
    """A validated sweep.

    Attributes:
        file: the parts of the file, with defaults.
        cells: the combinations of the axes that are trained, in the order of the grid.
        skipped: labels of the cells that were left out because they cannot be trained.
        source: where it came from.
    """

    file: SweepFile
    cells: tuple[Cell, ...]
    skipped: tuple[str, ...]
    source: str

    @property
    def name(self) -> str:
        """The name of the study."""
        return self.file.name

    @cached_property
    def trainings(self) -> tuple[Training, ...]:
        """Every cell's replicas; replica r has seed r in every cell."""
        found = []
        for cell in self.cells:
            for seed in range(self.file.seeds):
                config = replace(cell.config, seed=seed)
                found.append(Training(config.hash, cell, config))
        return tuple(found)

    @property
    def document(self) -> dict[str, Any]:
        """The file with its defaults written out, as plain JSON values."""
        return located.plain(self.file.model_dump())

    @property
    def report_axes(self) -> list[str]:
        """What the phase diagrams are drawn over; by default the first two numeric axes."""
        return self.file.report.axes or self._numeric[:2]

    @property
    def facet(self) -> str | None:
        """What the phase diagrams are split by; by default a third numeric axis, if there is one."""
        if self.file.report.axes or self.file.report.facet:
            return self.file.report.facet
        return self._numeric[2] if len(self._numeric) > 2 else None

    @property
    def _numeric(self) -> list[str]:
        return [
            name
            for name in (self.cells[0].coordinates if self.cells else {})
            if all(isinstance(c.coordinates[name], int | float) for c in self.cells)
            and len({c.coordinates[name] for c in self.cells}) > 1
        ]


def load(sweep: str, options: Sequence[str] = ()) -> Sweep:
    """The sweep at a path, or the preset of that name, with `key=value` options applied.

    Raises:
        UsageError: naming every fault with its place.
    """
    document = located.read(_path(sweep))
    return _validated(document, options)


def loads(text: str, options: Sequence[str] = (), source: str = "sweep.yaml") -> Sweep:
    """The sweep in a text; `load` for what is not a file."""
    return _validated(located.parse(text, source=source), options)


def _path(sweep: str) -> Path:
    path = Path(sweep)
    if path.exists() or path.is_symlink():
        return path
    preset = presets.path(sweep)
    if preset is not None:
        return preset
    hint = presets.hint(sweep)
    raise UsageError.of(f"no such file, and no preset of that name; {hint}", place=sweep)


def _validated(document: Located, options: Sequence[str]) -> Sweep:
    if document.value is None and not document.places:
        raise UsageError.of("is empty; `memophase presets` lists examples", place=document.source)
    if not isinstance(document.value, dict):
        what = "must be a mapping of settings; `memophase presets` lists examples"
        raise UsageError.of(what, place=document.place(()))
    option_faults: list[Fault] = []
    try:
        overrides.on_sweep(document, options)
    except UsageError as error:
        option_faults = error.faults
    return _Reader(document, option_faults).sweep()


class _Reader:
    """Checks a document part by part, collecting the faults of all of them."""

    def __init__(self, document: Located, faults: list[Fault]) -> None:
        self.document, self.faults = document, faults

    def fault(self, path: Keys, what: str) -> None:
        self.faults.append(Fault(self.document.place(path), ".".join(path), what))

    def sweep(self) -> Sweep:
        file = self.outer()
        raw = self.document.value
        axes_found = self.axes(file, raw)
        supplied = {name for axis in axes_found for name in _names(axis)} | self.named_axes(raw)
        if raw.get("base") is not None or file is not None:
            for path, what in fields.document_faults(raw.get("base") or {}, supplied):
                self.fault(("base", *path), what)
        if file is not None:
            self.search(file, axes_found)
            self.report(file, supplied)
        if self.faults or file is None:
            raise UsageError(sorted(self.faults, key=_in_order))
        found, skipped = self.cells(file, axes_found)
        if self.faults:
            raise UsageError(self.faults)
        return Sweep(file, tuple(found), tuple(skipped), self.document.source)

    def outer(self) -> SweepFile | None:
        try:
            return schema.checked(self.document.value)
        except ValidationError as error:
            for path, what in schema.faults(error):
                self.fault(path, what)
            return None

    def named_axes(self, raw: Mapping[str, Any]) -> set[str]:
        """Names of axes whose values may be at fault: still, they are not missing from base."""
        groups = [raw.get("grid"), *_listed(raw.get("zip"))]
        return {str(name) for group in groups if isinstance(group, Mapping) for name in group}

    def axes(self, file: SweepFile | None, raw: Mapping[str, Any]) -> list[Axis | Span]:
        if file is None and not isinstance(raw.get("grid", {}), Mapping):
            return []
        found: list[Axis | Span] = []
        taken: list[str] = []
        for name, given in (raw.get("grid") or {}).items():
            values = self.values(("grid", str(name)), str(name), given, taken)
            if isinstance(values, Span):
                found.append(values)
            elif values:
                found.append(Axis(tuple({str(name): value} for value in values)))
        for index, group in enumerate(_listed(raw.get("zip"))):
            within = ("zip", str(index)) if isinstance(raw.get("zip"), list) else ("zip",)
            axis = self.coupled(within, group, taken)
            if axis is not None:
                found.append(axis)
        return found

    def coupled(self, within: Keys, group: Any, taken: list[str]) -> Axis | None:
        if not isinstance(group, Mapping) or not group:
            return None
        columns: dict[str, list[Any]] = {}
        for name, given in group.items():
            path = (*within, str(name))
            values = self.values(path, str(name), given, taken, coupled=True)
            if isinstance(values, Span):
                self.fault(path, "a random range cannot be coupled; write a list")
            elif values:
                columns[str(name)] = values
        if len({len(values) for values in columns.values()}) > 1:
            counts = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
            self.fault(within, f"coupled axes need equally many values, not {counts}")
            return None
        rows = zip(*columns.values(), strict=True)
        return Axis(tuple(dict(zip(columns, row, strict=True)) for row in rows))

    def values(
        self, path: Keys, name: str, given: Any, taken: list[str], *, coupled: bool = False
    ) -> list[Any] | Span | None:
        what = fields.name_fault(name)
        overlapping = [t for t in taken if f"{t}.".startswith(f"{name}.") or f"{name}.".startswith(f"{t}.")]
        if what is None and overlapping:
            what = f"overlaps the axis {overlapping[0]}; keep one of them"
        if what is not None:
            self.fault(path, what)
            return None
        taken.append(name)
        try:
            found = axes.values(name, given, repeats=coupled)
        except ValueError as error:
            self.fault(path, str(error))
            return None
        if isinstance(found, Span):
            return found
        sound = True
        for index, value in enumerate(found):
            what = fields.value_fault(name, value)
            if what is not None:
                sound = False
                self.fault((*path, str(index)), what)
        return [located.plain(value) for value in found] if sound else None

    def search(self, file: SweepFile, found: list[Axis | Span]) -> None:
        search = file.search
        if search.kind == "random" and search.num_samples is None:
            self.fault(("search", "num_samples"), "is required for a random search")
        if search.kind == "grid":
            if search.num_samples is not None:
                self.fault(("search", "num_samples"), "goes with `kind: random` only")
            for axis in found:
                if isinstance(axis, Span):
                    what = "a range needs `search: {kind: random, num_samples: …}`; or write a list"
                    self.fault(("grid", axis.name), what)
        count = _count(file, found) * file.seeds
        if count > MAX_TRAININGS:
            what = f"this sweep has {count} trainings, more than {MAX_TRAININGS}"
            self.fault(("grid",) if self.document.value.get("grid") else (), what)

    def report(self, file: SweepFile, supplied: set[str]) -> None:
        named = [(("report", "axes", str(i)), name) for i, name in enumerate(file.report.axes or [])]
        if file.report.facet is not None:
            named.append((("report", "facet"), file.report.facet))
        for path, name in named:
            if name not in supplied:
                near = fields.did_you_mean(name, supplied) if supplied else "it has none"
                self.fault(path, f"'{name}' is no axis of this sweep; {near}")

    def cells(self, file: SweepFile, found: list[Axis | Span]) -> tuple[list[Cell], list[str]]:
        base = located.plain(file.base)
        if file.search.kind == "random":
            wanted = file.search.num_samples or 0
            expansion = cells.sampled(
                base, found, wanted, file.search.seed, redraw=file.skip_infeasible
            )
        else:
            points = axes.grid([axis for axis in found if isinstance(axis, Axis)])
            expansion = cells.expanded(base, points)
        for first, second, why in expansion.repeated:
            self.fault(("grid",), f"cells {first} and {second} are the same training{why}")
        if expansion.infeasible and not file.skip_infeasible:
            self.infeasible(expansion)
        elif not expansion.cells and not self.faults:
            self.fault(("grid",), "no cell of this sweep can be trained")
        if file.search.kind == "random" and not self.faults and len(expansion.cells) < wanted:
            what = f"only {len(expansion.cells)} different cells were found, not {wanted}"
            self.fault(("search", "num_samples"), what)
        return expansion.cells, [label for label, _ in expansion.infeasible]

    def infeasible(self, expansion: cells.Expansion) -> None:
        for label, faults in expansion.infeasible[:20]:
            for path, what in faults:
                self.fault_of_cell(label, path, what)
        if label := expansion.infeasible[0][0]:
            left = len(expansion.infeasible)
            total = left + len(expansion.cells)
            what = f"{left} of {total} cells cannot be trained (first: {label}); "
            self.fault(("skip_infeasible",), what + "`skip_infeasible: true` leaves them out")

    def fault_of_cell(self, label: str, path: Keys, what: str) -> None:
        """The fault of a combination, at the axis that it names or else where base sets it."""
        for group in [known for known in self.document.places if known[:1] in (("grid",), ("zip",))]:
            if ".".join(path) == group[-1]:
                self.faults.append(Fault(self.document.place(group), group[-1], f"at {label}: {what}"))
                return
        at = f"at {label}: " if label else ""
        self.fault(("base", *path), at + what)


def _listed(groups: Any) -> list[Any]:
    return groups if isinstance(groups, list) else [groups]


def _names(axis: Axis | Span) -> list[str]:
    return [axis.name] if isinstance(axis, Span) else list(axis.points[0])


def _count(file: SweepFile, found: list[Axis | Span]) -> int:
    if file.search.kind == "random":
        return file.search.num_samples or 0
    count = 1
    for axis in found:
        count *= len(axis.points) if isinstance(axis, Axis) else 1
    return count


def _in_order(fault: Fault) -> tuple[int, int]:
    """Faults by line and column; those of options come after those of the file."""
    *_, line, column = ["", "", *fault.place.rsplit(":", 2)]
    if line.isdecimal() and column.isdecimal():
        return int(line), int(column)
    return 10**9, 0

