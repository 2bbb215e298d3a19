"""The tables of a sweep as tidy pandas frames.

Every frame has one row per observation and a `training` column, the hash that joins it to the
frame `trainings`. Undefined values are missing (NaN or NA), never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.frames.memory import hand_back
from analysis.frames.wording import counted
from study.store import records

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Problem:
    """A training that could not be read, and why."""

    training: str
    what: str


@dataclass(frozen=True)
class Rows:
    """Which rows of a table are wanted; of a large sweep's large tables, only these are in memory.

    Attributes:
        last: only those of each training's last published step.
        at: training -> step: only those of this step, none of the other trainings.
        where: column of integers -> the values that it must have one of.
    """

    last: bool = False
    at: pd.Series | None = None
    where: Mapping[str, Collection[int]] = field(default_factory=dict)


ALL = Rows()

Reader = Callable[[str, Sequence[str] | None, Rows], pd.DataFrame]
"""Table name, columns (None: all) and rows -> frame."""


Narrow = Callable[[Collection[str]], "Tables"]
"""Hashes -> the tables of these trainings."""


MOST = 1000
"""Trainings whose rows of a large table are in memory together."""


class Tables(Mapping[str, pd.DataFrame]):
    """Frames by table name, read when they are first asked for, and `trainings` among them.

    `trainings` has one row per training, in the order of the cells and seeds: `training` (hash),
    `cell` (label of the settings that vary between cells), `seed`, `state`, `step` (last
    published), `last_step` (wanted), `error` and every dotted field of the configuration.
    `notes` says in words what is worth knowing of how the tables came together.
    """

    def __init__(
        self,
        trainings: pd.DataFrame,
        reader: Reader,
        problems: Sequence[Problem] = (),
        notes: Sequence[str] = (),
        narrow: Narrow | None = None,
    ) -> None:
        self.trainings = trainings
        self.notes = tuple(notes)
        self._reader = reader
        self._problems = problems
        self._narrow = narrow
        self._frames: dict[str, pd.DataFrame] = {}
        self._shared: dict[Hashable, pd.DataFrame] = {}

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame]) -> Tables:
        """Tables from frames, `trainings` among them."""
        tables = cls(frames["trainings"], lambda name, *of: _taken(frames, name, *of))
        tables._frames.update({name: frames[name] for name in frames if name != "trainings"})
        return tables

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The trainings that are left out, and those left out of the tables of single strings."""
        return tuple(self._problems)

    def read(self, name: str, columns: Sequence[str], rows: Rows = ALL) -> pd.DataFrame:
        """Some columns of a table beside `training` and `step`, if it has one; they are not kept.

        Args:
            name: of the table.
            columns: the columns.
            rows: which of its rows.
        """
        return self._reader(name, [*_keys(name), *columns], rows)

    def once(self, key: Hashable, work: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """What several questions need: worked out for the first, and nobody changes it.

        Args:
            key: what it is.
            work: how it is worked out from these tables.
        """
        if key not in self._shared:
            self._shared[key] = work()
        return self._shared[key]

    def only(self, trainings: Collection[str]) -> Tables:
        """The tables of some trainings, by hash; nothing is read of the others where it can be."""
        if self._narrow is not None:
            return self._narrow(trainings)
        kept = self.trainings[self.trainings["training"].isin(trainings)].reset_index(drop=True)

        def reader(name: str, columns: Sequence[str] | None, rows: Rows) -> pd.DataFrame:
            found = self._reader(name, columns, rows)
            return found[found["training"].isin(trainings)].reset_index(drop=True)

        return Tables(kept, reader, self._problems, self.notes)

    def parts(self) -> Iterator[Tables]:
        """The tables of so many cells after others that the rows of each take little room."""
        if self._narrow is None or len(self.trainings) <= MOST:
            yield self
            return
        cell, _ = pd.factorize(self.trainings["cell"])
        part = ((np.bincount(cell).cumsum() - 1) // MOST)[cell]
        for k in np.unique(part):
            yield self._narrow(self.trainings["training"][part == k])

    def to_xarray(self) -> xarray.Dataset:
        """`curves` and `levels` as labelled arrays, see `analysis.frames.arrays.dataset`."""
        from analysis.frames.arrays import dataset

        return dataset(self)

    def __repr__(self) -> str:
        (_, heading), *lines = self._said()
        return "\n".join([heading, *(f"  {name:<9} {said}" for name, said in lines)])

    def _repr_html_(self) -> str:
        (_, heading), *rows = self._said()
        cells = (
            f"<tr><th>{escape(name)}</th><td style='text-align:left'>{escape(said)}</td></tr>"
            for name, said in rows
        )
        return f"<p>{escape(heading)}</p><table>{''.join(cells)}</table>"

    def _said(self) -> list[tuple[str, str]]:
        """A heading without a name, then what is worth knowing at a glance, by name."""
        trainings = self.trainings
        lines = [("", f"Tables of {counted(len(trainings), 'training')}")]
        if len(trainings):
            cells, seeds = (len(trainings[name].unique()) for name in ("cell", "seed"))
            states = trainings["state"].value_counts().items()
            said = ", ".join(f"{count:,} {state}" for state, count in states)
            lines += [
                ("cells", f"{counted(cells, 'cell')} with {counted(seeds, 'seed')}"),
                ("states", f"{said}, to step {trainings['step'].max():,}"),
            ]
        lines.append(("tables", ", ".join(self)))
        if self.problems:
            lines.append(("problems", f"{counted(len(self.problems), 'training')} not read"))
        return lines + [("note", note) for note in self.notes]

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name == "trainings":
            return self.trainings
        if name not in records.SCHEMAS:
            raise KeyError(f"there is no table '{name}'; the tables are {', '.join(self)}")
        if name not in self._frames:
            self._frames[name] = self._reader(name, None, ALL)
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("trainings", *records.SCHEMAS))

    def __len__(self) -> int:
        return 1 + len(records.SCHEMAS)

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)


def columns_of(
    tables: Mapping[str, pd.DataFrame], name: str, columns: Sequence[str], rows: Rows = ALL
) -> pd.DataFrame:
    """Some columns of a table, as `Tables.read`; of a sweep's large ones, only these."""
    if isinstance(tables, Tables):
        return tables.read(name, columns, rows)
    return _taken(tables, name, [*_keys(name), *columns], rows)


def _taken(
    tables: Mapping[str, pd.DataFrame], name: str, columns: Sequence[str] | None, rows: Rows
) -> pd.DataFrame:
    """Columns and rows of a frame that is whole."""
    whole = tables[name]
    chosen = pd.Series(True, whole.index)
    if rows.last:
        steps = tables["trainings"].set_index("training")["step"]
        chosen &= whole["step"] == whole["training"].map(steps)
    if rows.at is not None:
        chosen &= whole["step"] == whole["training"].map(rows.at)
    for column, values in rows.where.items():
        chosen &= whole[column].isin(values)
    return whole.loc[chosen, whole.columns if columns is None else list(columns)]


def once(
    tables: Mapping[str, pd.DataFrame], key: Hashable, work: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """`Tables.once`; of tables of any other kind, worked out every time."""
    return tables.once(key, work) if isinstance(tables, Tables) else work()


def in_parts(
    tables: Mapping[str, pd.DataFrame], work: Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame]
) -> pd.DataFrame:
    """What is worked out of every cell by itself, of a large sweep some cells after others.

    Args:
        tables: of a sweep.
        work: tables of some of its cells -> rows of these.
    """
    if not isinstance(tables, Tables):
        return work(tables)
    found = [work(part) for part in tables.parts()]
    if len(found) == 1:
        return found[0]
    hand_back()
    joined = pd.concat([rows for rows in found if len(rows)] or found[:1], ignore_index=True)
    del found
    hand_back()
    return joined


def _keys(name: str) -> list[str]:
    return [key for key in ("training", "step") if key in records.SCHEMAS[name].names]
