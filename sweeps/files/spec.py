"""A sweep file, validated: its cells, and the trainings in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweeps import presets
from sweeps.faults import Fault, UsageError
from sweeps.files import documents, overrides
from sweeps.files.documents import Document
from sweeps.files.schema import SweepFile
from sweeps.files.validation import Validation
from sweeps.search.search import Listed, Search
from sweeps.space import axes
from sweeps.space.cells import Cell, Training


@dataclass(frozen=True)
class Sweep:
    """A validated sweep.

    Attributes:
        file: the parts of the file, with defaults.
        search: decides which cells are trained, and when.
        source: where it came from.
    """

    file: SweepFile
    search: Search
    source: str

    @property
    def name(self) -> str:
        """The name of the study."""
        return self.file.name

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that are known before anything was trained, in the order of the axes."""
        return tuple(self.search.cells)

    @property
    def trainings(self) -> tuple[Training, ...]:
        """What is trained, where that is known before; replica r has seed r in every cell."""
        return self.search.trainings if isinstance(self.search, Listed) else ()

    @property
    def skipped(self) -> tuple[str, ...]:
        """Labels of the cells that were left out because they cannot be trained."""
        return tuple(axes.label(point) for point, _ in self.search.expansion.infeasible)

    @property
    def document(self) -> dict[str, Any]:
        """The file with its defaults written out, as plain JSON values."""
        return documents.plain(asdict(self.file))

    @property
    def report_axes(self) -> list[str]:
        """What the phase diagrams are drawn over; by default the first two numeric axes."""
        return self.file.report.axes or self._numeric[:2]

    @property
    def facet(self) -> str | None:
        """What the phase diagrams are split by; by default a third numeric axis, if any."""
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
    document = documents.read(_path(sweep))
    return _validated(document, options)


def loads(text: str, options: Sequence[str] = (), source: str = "sweep.yaml") -> Sweep:
    """The sweep in a text; `load` for what is not a file."""
    return _validated(documents.parse(text, source=source), options)


def _path(sweep: str) -> Path:
    path = Path(sweep)
    if path.exists() or path.is_symlink():
        return path
    preset = presets.path(sweep)
    if preset is not None:
        return preset
    hint = presets.hint(sweep)
    raise UsageError.of(f"no such file, and no preset of that name; {hint}", place=sweep)


def _validated(document: Document, options: Sequence[str]) -> Sweep:
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
    file, search = Validation(document, option_faults).result()
    return Sweep(file, search, document.source)
