"""The checks of a sweep file, part by part, so that all its faults are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.config import ConfigError
from sweeps.faults import Fault, UsageError
from sweeps.files import documents, schema
from sweeps.files.documents import Document, Keys
from sweeps.files.schema import SweepFile
from sweeps.search import registry
from sweeps.search.search import Search
from sweeps.space import axes, fields
from sweeps.space.axes import Axis, Point, Span
from sweeps.space.cells import Expansion, Space

MAX_TRAININGS = 100_000
MAX_CAUSES = 20
"""Different causes that are told why cells cannot be trained."""


class Validation:
    """Checks a document part by part, collecting the faults of all of them."""

    def __init__(self, document: Document, faults: list[Fault]) -> None:
        self._document, self._faults = document, faults

    def _fault(self, path: Keys, what: str) -> None:
        self._faults.append(Fault(self._document.place(path), ".".join(path), what))

    def result(self) -> tuple[SweepFile, Search]:
        """The file's parts, and the search that it asks for.

        Raises:
            UsageError: naming every fault with its place.
        """
        file = self._outer()
        raw = self._document.value
        axes_found = self._axes(file, raw)
        supplied = {name for axis in axes_found for name in _names(axis)} | self._named_axes(raw)
        if isinstance(raw.get("base") or {}, Mapping):
            for path, what in fields.document_faults(raw.get("base") or {}, supplied):
                self._fault(("base", *path), what + self._axis_hint(path))
        search = None
        if file is not None:
            search = self._search(file, axes_found)
            self._report(file, supplied)
        if self._faults or file is None or search is None:
            raise UsageError(sorted(self._faults, key=_in_order))
        self._cells(search)
        if self._faults:
            raise UsageError(self._faults)
        return file, search

    @property
    def _folder(self) -> Path:
        """Where the sweep file is: files that it names are looked for there too."""
        return Path(self._document.source).parent

    def _outer(self) -> SweepFile | None:
        try:
            return schema.checked(self._document.value)
        except ConfigError as error:
            for path, what in error.faults:
                self._fault(path, _misplaced(path) or what)
            return None

    def _axis_hint(self, path: Keys) -> str:
        """Where several values are given to a setting: that an axis takes them."""
        given: Any = self._document.value.get("base")
        for name in path:
            given = given.get(name) if isinstance(given, Mapping) else None
        if not isinstance(given, list):
            return ""
        place = self._document.place(("base", *path))
        option = place.removeprefix("--set ") if place.startswith("--set ") else ""
        axis = f"--set 'grid.{option}'" if option else f"grid: {{{'.'.join(path)}: {given!r}}}"
        return f"; an axis takes several: {axis}"

    def _named_axes(self, raw: Mapping[str, Any]) -> set[str]:
        """Names of axes whose values may be at fault: still, they are not missing from base."""
        groups = [raw.get("grid"), *_listed(raw.get("zip"))]
        return {str(name) for group in groups if isinstance(group, Mapping) for name in group}

    def _axes(self, file: SweepFile | None, raw: Mapping[str, Any]) -> list[Axis | Span]:
        if file is None and not isinstance(raw.get("grid", {}), Mapping):
            return []
        found: list[Axis | Span] = []
        taken: list[str] = []
        for name, given in (raw.get("grid") or {}).items():
            values = self._values(("grid", str(name)), str(name), given, taken)
            if isinstance(values, Span):
                found.append(values)
            elif values:
                found.append(Axis(tuple({str(name): value} for value in values)))
        for index, group in enumerate(_listed(raw.get("zip"))):
            within = ("zip", str(index)) if isinstance(raw.get("zip"), list) else ("zip",)
            axis = self._coupled(within, group, taken)
            if axis is not None:
                found.append(axis)
        return found

    def _coupled(self, within: Keys, group: Any, taken: list[str]) -> Axis | None:
        if not isinstance(group, Mapping) or not group:
            return None
        columns: dict[str, list[Any]] = {}
        for name, given in group.items():
            path = (*within, str(name))
            values = self._values(path, str(name), given, taken, coupled=True)
            if isinstance(values, Span):
                self._fault(path, "a random range cannot be coupled; write a list")
            elif values:
                columns[str(name)] = values
        if not columns:
            return None
        if len({len(values) for values in columns.values()}) > 1:
            counts = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
            self._fault(within, f"coupled axes need equally many values, not {counts}")
            return None
        rows = zip(*columns.values(), strict=True)
        return Axis(tuple(dict(zip(columns, row, strict=True)) for row in rows))

    def _values(
        self, path: Keys, name: str, given: Any, taken: list[str], *, coupled: bool = False
    ) -> list[Any] | Span | None:
        what = fields.name_fault(name)
        overlapping = [other for other in taken if _overlap(name, other)]
        if what is None and overlapping:
            what = f"overlaps the axis {overlapping[0]}; keep one of them"
        if what is not None:
            self._fault(path, what)
            return None
        taken.append(name)
        try:
            found = axes.values(name, given, repeats=coupled)
        except ValueError as error:
            self._fault(path, str(error))
            return None
        if isinstance(found, Span):
            return found
        sound = True
        for index, value in enumerate(found):
            what = fields.value_fault(name, value)
            if what is not None:
                sound = False
                self._fault((*path, str(index)), what)
        return [documents.plain(value) for value in found] if sound else None

    def _search(self, file: SweepFile, found: list[Axis | Span]) -> Search:
        base = documents.plain(file.base)
        space = Space(
            base,
            tuple(found),
            file.seeds,
            file.skip_infeasible,
            self._folder,
            file.resources.members_per_pack,
            file.resources.gpus_per_pack > 0,
        )
        search = registry.search_of(file.search, space)
        for path, what in search.faults():
            self._fault(path, what)
        count = search.most * file.seeds
        if count > MAX_TRAININGS:
            what = f"this sweep has {count} trainings, more than {MAX_TRAININGS}"
            self._fault(("grid",) if self._document.value.get("grid") else (), what)
        return search

    def _report(self, file: SweepFile, supplied: set[str]) -> None:
        named: list[tuple[Keys, str]] = [
            (("report", "axes", str(i)), name) for i, name in enumerate(file.report.axes or [])
        ]
        if file.report.facet is not None:
            named.append((("report", "facet"), file.report.facet))
        if file.report.facet in (file.report.axes or []):
            self._fault(("report", "facet"), f"'{file.report.facet}' is one of report.axes already")
            named.pop()
        for path, name in named:
            if name == "grammar.zipf":
                self._fault(path, "is no single number; name a level, as in grammar.zipf.0")
            elif fields.zipf_level(name) is not None and "grammar.zipf" in supplied:
                continue
            elif name not in supplied:
                near = fields.did_you_mean(name, supplied) if supplied else "it has none"
                self._fault(path, f"'{name}' is no axis of this sweep; {near}")

    def _cells(self, search: Search) -> None:
        expansion, skipping = search.expansion, search.space.skip_infeasible
        for first, second, why in expansion.repeated:
            self._fault(("grid",), f"cells {first} and {second} are the same training{why}")
        if expansion.infeasible and not (skipping and expansion.cells):
            self._infeasible(expansion, skipping=skipping)
        elif not expansion.cells and search.most and not self._faults:
            self._fault(("grid",), "no cell of this sweep can be trained")
        if not self._faults:
            for path, what in search.cell_faults():
                self._fault(path, what)

    def _infeasible(self, expansion: Expansion, *, skipping: bool) -> None:
        """Each cause once, with the cells that have it; then what leaves these cells out."""
        causes: dict[tuple[Keys, str], list[Point]] = {}
        for point, faults in expansion.infeasible:
            for fault in faults:
                causes.setdefault(fault, []).append(point)
        left = len(expansion.infeasible)
        total = left + len(expansion.cells)
        for (path, what), points in list(causes.items())[:MAX_CAUSES]:
            self._fault_of_cells(_which(points, total), path, what)
        if expansion.cells:
            first = axes.label(expansion.infeasible[0][0])
            what = f"{left} of {total} cells cannot be trained (first: {first}); "
            self._fault(("skip_infeasible",), what + "`skip_infeasible: true` leaves them out")
        elif skipping or len(causes) > 1:
            self._fault(("grid",), "no cell of this sweep can be trained")

    def _fault_of_cells(self, which: str, path: Keys, what: str) -> None:
        """The fault of combinations, at the axis that it names or else where base sets it."""
        for axis, place in self._document.places.items():
            if axis[:1] in (("grid",), ("zip",)) and axis[-1] == ".".join(path):
                self._faults.append(Fault(place, axis[-1], which + what))
                return
        self._fault(("base", *path), which + what)


def _misplaced(path: Keys) -> str | None:
    """Where an unknown part of the file belongs, if it is a training's."""
    if len(path) != 1 or path[0] in schema.NAMES:
        return None
    if path[0] in fields.sections():
        return f"is a group of a training's settings; it goes into base, as base.{path[0]}"
    meant = fields.ending_in(path[0], fields.known())
    names = " or ".join(f"'base.{name}'" for name in meant)
    return f"unknown field; did you mean {names}?" if meant else None


def _which(points: list[Point], total: int) -> str:
    """Of which cells something is said: the coordinates that they share, and how many they are."""
    shared = {name: value for name, value in points[0].items() if _is_shared(name, points)}
    at = f"at {axes.label(shared)}" if shared else ""
    if len(points) == 1:
        return f"{at}: " if at else ""
    count = f"in {len(points)} of {total} cells"
    return f"{count}: " if len(points) == total or not at else f"{at}, {count}: "


def _is_shared(name: str, points: list[Point]) -> bool:
    return all(point[name] == points[0][name] for point in points)


def _listed(groups: Any) -> list[Any]:
    return groups if isinstance(groups, list) else [groups]


def _overlap(name: str, other: str) -> bool:
    """Whether one setting is, or holds, the other."""
    return f"{name}.".startswith(f"{other}.") or f"{other}.".startswith(f"{name}.")


def _names(axis: Axis | Span) -> list[str]:
    return [axis.name] if isinstance(axis, Span) else list(axis.points[0])


def _in_order(fault: Fault) -> tuple[int, int]:
    """Faults by line and column; those of options come after those of the file."""
    *_, line, column = ["", "", *fault.place.rsplit(":", 2)]
    if line.isdecimal() and column.isdecimal():
        return int(line), int(column)
    return 10**9, 0
