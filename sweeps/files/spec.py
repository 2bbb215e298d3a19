"""A sweep file, validated: its cells, and the trainings in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from study.config import TrialConfig
from study.corpus.pool import Pool
from sweeps import presets
from sweeps.faults import Fault, UsageError
from sweeps.files import located, overrides
from sweeps.files.cells import Cell, pools
from sweeps.files.located import Located
from sweeps.files.schema import SweepFile
from sweeps.files.validation import Validation


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
    def pools(self) -> list[Pool]:
        """The strings that its cells draw from, each once."""
        return pools(self.cells)

    @property
    def document(self) -> dict[str, Any]:
        """The file with its defaults written out, as plain JSON values."""
        return located.plain(asdict(self.file))

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
    file, cells, skipped = Validation(document, option_faults).result()
    return Sweep(file, tuple(cells), tuple(skipped), document.source)
