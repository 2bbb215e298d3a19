"""Measured quantities that a search goes by, read from the tables that trainings publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from study.config.settings import Faults, did_you_mean
from study.measures import registry
from study.measures.declared import Column
from study.store.results import Results
from study.store.status import DamagedTraining, Status
from sweeps.space.cells import Cell, Training

TABLES = ("curves", "levels")
"""Tables with a value per measured step, or per measured step and level."""
SHARES = ("excess_copies", "novel_validity", "partial_memorization")
"""Columns that saturate at 0 and 1 though single values may lie beyond."""

Curve = tuple[tuple[int, float | None], ...]
"""Measured steps, rising, and the value there; None where it is undefined."""


@dataclass(frozen=True)
class Quantity:
    """A measured column, or one level of a column of `levels`.

    Attributes:
        name: as a sweep file has it: `excess_copies`, or `partial_memorization.1`.
    """

    name: str
    column: Column
    level: int | None

    @classmethod
    def named(cls, name: str) -> Quantity:
        """The quantity of a name.

        Raises:
            ValueError: when there is none, with what is wrong.
        """
        word, dot, level = name.partition(".")
        columns = {
            column.name: column
            for table in TABLES
            for column in registry.columns(table)
            if column.kind in ("number", "short") and not column.key
        }
        if word not in columns:
            hint = did_you_mean(word, columns) if word else "a column of curves or levels"
            raise ValueError(f"'{name}' is not measured; {hint}")
        column = columns[word]
        if column.table == "levels" and not level.isdecimal():
            raise ValueError(f"'{word}' has a value for each level; name one, as in {word}.1")
        if column.table == "curves" and dot:
            raise ValueError(f"'{word}' has no levels; write '{word}'")
        return cls(name, column, int(level) if level else None)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Where it saturates; None where it does not."""
        is_share = self.column.name in SHARES or self.column.range == "[0, 1]"
        return (0.0, 1.0) if is_share else None

    def curve(self, results: Results, status: Status) -> Curve:
        """Its values at the measured steps of a training.

        Raises:
            DamagedTraining: when the table is not the one that was published.
        """
        if self.column.table not in status.files:
            return ()
        table = results.table(status, self.column.table)
        names = ["step", self.column.name, *(["level"] if self.level is not None else [])]
        rows = table.select(names).to_pylist()
        return tuple(
            (row["step"], row[self.column.name])
            for row in rows
            if self.level is None or row["level"] == self.level
        )


def absent_level(quantity: Quantity, cells: Sequence[Cell], option: str) -> Faults:
    """That no cell's strings have the level of a quantity."""
    deepest = max(cell.config.shape.depth for cell in cells)
    if quantity.level is None or quantity.level <= deepest:
        return []
    what = f"'{quantity.name}' needs a level that no cell has; the deepest is {deepest}"
    return [(("search", option), what)]


@dataclass
class Published:
    """What is on disk of some trainings; each published step is read once.

    Attributes:
        quantities: what is read.
    """

    quantities: tuple[Quantity, ...]
    _ended: dict[str, Status] = field(default_factory=dict)
    _read: dict[str, tuple[int, tuple[Curve, ...]]] = field(default_factory=dict)

    def statuses(self, results: Results, wanted: Mapping[str, Training]) -> dict[str, Status]:
        """Hash -> status of those that have published a step, or failed; damaged ones do not
        count, since they are trained anew. What has ended is not looked at again."""
        found: dict[str, Status] = {}
        for name in results.trainings():
            if name not in wanted:
                continue
            status = self._ended.get(name) or _status(results, name)
            if status is None:
                continue
            found[name] = status
            if status.is_done(wanted[name].config.last_step):
                self._ended[name] = status
        return found

    def curves(self, results: Results, status: Status) -> tuple[Curve, ...]:
        """The quantities of a training, empty where its tables cannot be trusted."""
        step, curves = self._read.get(status.training, (-1, ()))
        if step != status.step:
            try:
                curves = tuple(each.curve(results, status) for each in self.quantities)
            except DamagedTraining:
                curves = ((),) * len(self.quantities)
            self._read[status.training] = status.step, curves
        return curves


def _status(results: Results, training: str) -> Status | None:
    try:
        return results.status(training)
    except DamagedTraining:
        return None
