"""From the results of a sweep, also while it is still running, to its tables.

What is settled comes from the index, the rest from the folders of the trainings.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.frames import index
from analysis.frames.cells import labelled
from analysis.frames.errors import AnalysisError
from analysis.frames.index import Column, Index, Indexed
from analysis.frames.memory import hand_back
from analysis.frames.merging import merged
from analysis.frames.reading import READERS, Look, trusted, until
from analysis.frames.tables import Problem, Rows, Tables
from analysis.frames.validity import with_defined_validity
from study.store import listing, records
from study.store.listing import ListingError
from study.store.results import Results, Status
from study.store.runners import runners
from study.store.states import state_of

logger = logging.getLogger(__name__)

FEWEST, SHARE = 50, 0.05
"""The index is written anew once it lacks so many settled trainings and such a share of all."""

MANY = 1000
"""Trainings from which on freed memory is handed back before a table is read; it takes 0.1 s."""

Location = Results | str | Path
"""The results of a sweep, or the path or URI of their folder."""


def load(results: Location | Sequence[Location], *, only: Collection[str] | None = None) -> Tables:
    """The last published step of every training.

    What is settled is taken from the index of the results, and the index is written anew when much
    is missing in it and the results can be written; the frames are the same without it. A training
    that goes on while tables are read shows the step it had when this function returned.

    Args:
        results: of one sweep, or of several. A training that is in several of them is taken from
            where it came furthest; `notes` names those that are in another state elsewhere.
        only: hashes of the trainings that are wanted, where the folder may hold others; None: all.

    Returns:
        Frames by table name, read when asked for. Trainings that are damaged, or replaced again and
        again while they are read, are named in `problems` and left out.

    Raises:
        AnalysisError: when a folder cannot be read, holds no (wanted) training, is named twice, or
            is no folder.
    """
    opened = _opened(results)
    found = [_trainings(one, only) for one in opened]
    if only is not None and not any(found):
        roots = " and ".join(str(one.store.root) for one in opened)
        raise AnalysisError(f"{roots} holds no trainings of those that are wanted")
    held = [(one, folders) for one, folders in zip(opened, found, strict=True) if folders]
    parts = [
        _Source.of(one, trusted(one, index.opened(one.store)), own).tables() for one, own in held
    ]
    if len(parts) == 1:
        return parts[0]
    return merged(parts, [str(one.store.root) for one, _ in held])


def _opened(results: Location | Sequence[Location]) -> list[Results]:
    """The results at one or several places, each once."""
    places = [results] if isinstance(results, Results | str | Path) else list(results)
    if not places:
        raise AnalysisError("there is nothing to load: name the folder of a sweep")
    opened: list[Results] = []
    for place in places:
        if not isinstance(place, Results | str | Path):
            raise AnalysisError(f"{place!r} is no results folder; give paths, URIs or Results")
        one = place if isinstance(place, Results) else Results.open(place)
        if one.store.root in [other.store.root for other in opened]:
            raise AnalysisError(f"{one.store.root} is named twice")
        opened.append(one)
    return opened


def _trainings(results: Results, only: Collection[str] | None) -> list[str]:
    """Hashes of the wanted trainings in a folder that holds any."""
    try:
        folders = results.trainings()
    except OSError as error:
        raise AnalysisError(f"{results.store.root} cannot be read: {error}") from error
    if not folders:
        raise AnalysisError(
            f"{results.store.root} holds no trainings; "
            "give the folder of a sweep, the one with 'trainings' in it"
        )
    return [name for name in folders if only is None or name in only]


@dataclass(frozen=True)
class _Sweep:
    """What a folder's sweep wants of its trainings, and whether anybody runs it.

    Attributes:
        last_steps: hash -> the step at which the sweep wants it to end.
    """

    last_steps: Mapping[str, int]
    attended: bool

    @classmethod
    def of(cls, results: Results) -> _Sweep:
        try:
            study = listing.read(results.store)
        except ListingError as error:
            logger.warning("%s %s", results.store.full(listing.FILE), error)
            study = None
        last_steps = {t.hash: t.last_step for t in study.trainings} if study else {}
        return cls(last_steps, bool(runners(results.store).alive))

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the frame `trainings` from what the files of the training say."""
        name, step, published = row["training"], row["step"], None
        if row["state"] is not None:
            published = Status(training=name, state=row["state"], step=step)
        last_step = self.last_steps.get(name, row["last_step"])
        attended = self.attended and name in self.last_steps
        state = state_of(published, last_step, attended=attended)
        return {**row, "state": state, "last_step": last_step}


@dataclass(frozen=True)
class _Source:
    """Where the rows of the tables are: in the index, in memory, or still with the trainings."""

    results: Results
    known: Index | None
    indexed: pa.Array
    fresh: Mapping[str, pa.Table]
    trainings: pd.DataFrame
    problems: list[Problem]

    @classmethod
    def of(cls, results: Results, known: Index | None, folders: Sequence[str]) -> _Source:
        look = Look.at(results, known, folders)
        described = {**look.settled, **look.running}
        sweep = _Sweep.of(results)
        rows = [sweep.row(described[name].row) for name in folders if name in described]
        source = cls(
            results=results,
            known=known,
            indexed=_names(look.indexed),
            fresh=look.fresh,
            trainings=labelled(pd.DataFrame(rows)),
            problems=look.problems,
        )
        missing = len(set(look.settled) - set(look.indexed))
        if missing < max(FEWEST, SHARE * len(described)):
            return source
        return source._reindexed(look.settled)

    def _reindexed(self, settled: Mapping[str, Indexed]) -> _Source:
        """The same rows with the index written anew, if it can be."""
        others = self._unread()
        names, every = _names(settled), _names([*settled, *others])
        whole = replace(self, indexed=_names([*self.indexed.to_pylist(), *others]))
        known = index.written(
            self.results.store,
            {**others, **settled},
            lambda name: _only(whole._rows(name), every),
        )
        if known is None:
            return self
        fresh = {name: _only(rows, names, inverted=True) for name, rows in self.fresh.items()}
        return replace(self, known=known, indexed=names, fresh=fresh)

    def _unread(self) -> dict[str, Indexed]:
        """Indexed trainings that are not wanted now; they stay in the index while they exist."""
        if self.known is None:
            return {}
        wanted, present = set(self.trainings["training"]), set(self.results.trainings())
        return {
            training: indexed
            for training, indexed in self.known.trainings.items()
            if training not in wanted and training in present
        }

    def tables(self) -> Tables:
        """What `load` returns."""
        return Tables(self.trainings, self.frame, self.problems, narrow=self._only)

    def _only(self, trainings: Collection[str]) -> Tables:
        kept = self.trainings[self.trainings["training"].isin(trainings)]
        return replace(self, trainings=kept.reset_index(drop=True)).tables()

    def frame(self, name: str, columns: Sequence[str] | None, wanted: Rows) -> pd.DataFrame:
        """A table in the order of the trainings, within one as it was measured."""
        if len(self.trainings) >= MANY:
            hand_back()
        column = self._column(name, columns)
        rank = self._rank(column("training"))
        chosen = rank >= 0
        for steps in self._steps(wanted):
            chosen &= column("step").to_numpy() == steps[rank]
        for of, values in wanted.where.items():
            chosen &= np.isin(column(of).to_numpy(), list(values))
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(rank[rows], kind="stable")]
        names = self.trainings["training"].iloc[rank[rows]].reset_index(drop=True)
        frame = {
            field: names if field == "training" else _series(name, field, column(field).take(rows))
            for field in columns or records.SCHEMAS[name].names
        }
        content = pd.DataFrame(frame, copy=False)
        return with_defined_validity(content, self.trainings) if name == "curves" else content

    def _steps(self, wanted: Rows) -> Iterator[NDArray[np.float64]]:
        """The step of every training that its rows must be of; NaN where it has none."""
        if wanted.last:
            yield self.trainings["step"].to_numpy(dtype=float)
        if wanted.at is not None:
            yield self.trainings["training"].map(wanted.at).to_numpy(dtype=float)

    def _rank(self, training: pa.ChunkedArray) -> NDArray[np.int64]:
        """Of every row the place of its training; -1 where that is not wanted."""
        wanted = pc.SetLookupOptions(_names(self.trainings["training"]))
        found = pc.call_function("index_in", [training], wanted)
        return found.fill_null(-1).to_numpy()

    def _column(self, name: str, columns: Sequence[str] | None = None) -> Column:
        """A reader of single columns of a table: what is indexed, then the rest."""
        if name not in index.TABLES:
            return self._of_strings(name, columns).column
        fresh = self.fresh[name]
        if self.known is None or not len(self.indexed):
            return fresh.column
        indexed = self.known.columns(name)
        if len(self.indexed) < len(self.known.trainings):
            among = pc.SetLookupOptions(self.indexed)
            kept = pc.call_function("is_in", [indexed("training")], among)
            return lambda field: _joined(indexed(field).filter(kept), fresh.column(field))
        return lambda field: _joined(indexed(field), fresh.column(field))

    def _rows(self, name: str) -> pa.Table:
        """A table of the index."""
        column = self._column(name)
        schema = records.SCHEMAS[name]
        return pa.table([column(field.name) for field in schema], schema=schema)

    def _of_strings(self, name: str, columns: Sequence[str] | None) -> pa.Table:
        """Columns of a table that is in no index, from the trainings."""
        kept = list(columns or records.SCHEMAS[name].names)

        def own(row: tuple[str, int]) -> pa.Table | Problem:
            found = until(self.results, name, *row)
            return found if isinstance(found, Problem) else found.select(kept)

        with ThreadPoolExecutor(READERS) as pool:
            steps = self.trainings[["training", "step"]].itertuples(index=False, name=None)
            found = list(pool.map(own, steps))
        self.problems.extend(problem for problem in found if isinstance(problem, Problem))
        parts = [part for part in found if isinstance(part, pa.Table)]
        return pa.concat_tables([*parts, records.SCHEMAS[name].empty_table().select(kept)])


def _names(trainings: Iterable[str]) -> pa.Array:
    return pa.array(list(trainings), type=pa.string())


def _only(rows: pa.Table, trainings: pa.Array, *, inverted: bool = False) -> pa.Table:
    """The rows of some trainings, or of all others."""
    chosen = pc.call_function("is_in", [rows["training"]], pc.SetLookupOptions(trainings))
    return rows.filter(pc.call_function("invert", [chosen]) if inverted else chosen)


def _joined(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([*one.chunks, *other.chunks], type=other.type)


def _series(table: str, name: str, content: pa.ChunkedArray) -> pd.Series:
    """A pandas column; integers stay integers although values are missing."""
    field = records.SCHEMAS[table].field(name)
    series = pa.table({name: content}).to_pandas()[name]
    optional = field.nullable and pa.types.is_integer(field.type)
    return series.astype("Int64") if optional else series
