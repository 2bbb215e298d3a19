"""From the results of a sweep, also while it is still running, to its tables.

What is settled comes from the index, the rest from the folders of the trainings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import index
from analysis.cells import labelled
from analysis.index import Index, Indexed
from analysis.tables import AnalysisError, Problem, Tables
from study import records
from study.results import FOLDER, DamagedTraining, Results, Status

ATTEMPTS = 5
"""Readings of one training whose published step is replaced while it is read."""

READERS = 8
"""Trainings read at a time; reading waits for disks and networks, not for the processor."""

FEWEST, SHARE = 50, 0.05
"""The index is written anew once it lacks so many settled trainings and such a share of all."""


def load(results: Results | str | Path, *, only: Collection[str] | None = None) -> Tables:
    """The last published step of every training.

    What is settled is taken from the index of the results, and the index is written anew when much
    is missing in it and the results can be written; the frames are the same without it. A training
    that goes on while tables are read shows the step it had when this function returned.

    Args:
        results: the results, or the path or URI of their folder.
        only: hashes of the trainings that are wanted, where the folder may hold others; None: all.

    Returns:
        Frames by table name, read when asked for. Trainings that are damaged, or replaced again and
        again while they are read, are named in `problems` and left out.

    Raises:
        AnalysisError: when the folder holds no (wanted) training.
    """
    if not isinstance(results, Results):
        results = Results.open(results)
    folders = [name for name in results.trainings() if only is None or name in only]
    if not folders:
        raise AnalysisError(
            f"{results.store.root} holds no trainings; "
            "give the folder of a sweep, the one with 'trainings' in it"
        )
    known = _trusted(results, index.opened(results.store))
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda training: _look(results, training, known), folders))
    readings = [reading for reading in found if isinstance(reading, _Reading)]
    problems = [problem for problem in found if isinstance(problem, Problem)]
    return _Source.of(results, known, readings, problems).tables()


@dataclass(frozen=True)
class _Reading:
    """What one training folder held at one moment; the tables of an indexed one are None."""

    training: str
    indexed: Indexed
    tables: Mapping[str, pa.Table] | None = field(default_factory=dict)


def _trusted(results: Results, known: Index | None) -> Index | None:
    """The index, unless today's memophase would describe its first training in other words."""
    for training, indexed in known.trainings.items() if known else ():
        if indexed.digest == _digest(results, training):
            same = _row(results, training, results.status(training)) == indexed.row
            return known if same else None
    return known


def _digest(results: Results, training: str) -> str | None:
    """None where the training has not published both files."""
    folder = results.store.child(f"{FOLDER}/{training}")
    try:
        return index.digest(folder.read("status.json"), folder.read("config.json"))
    except FileNotFoundError:
        return None


def _row(results: Results, training: str, status: Status | None) -> dict[str, object]:
    config = results.config(training)
    return {
        "training": training,
        "state": "running" if status is None else status.state,
        "step": 0 if status is None else status.step,
        "last_step": config.last_step,
        "error": None if status is None else status.error,
        **config.flat(),
    }


def _look(results: Results, training: str, known: Index | None) -> _Reading | Problem:
    """One training, from the index if that is up to date; read again if it moves on meanwhile."""
    for _ in range(ATTEMPTS):
        digest = _digest(results, training)
        indexed = known.trainings.get(training) if known else None
        if indexed and indexed.digest == digest:
            return _Reading(training, indexed, None)
        try:
            status = results.status(training)
            found = Indexed(digest or "", _row(results, training, status))
        except DamagedTraining as damage:
            return Problem(training, str(damage))
        if status is None:
            return _Reading(training, found)
        try:
            tables = {name: results.table(status, name) for name in index.TABLES}
            return _Reading(training, found, tables)
        except (DamagedTraining, records.RecordsError) as damage:
            if not _was_replaced(results, status):
                return Problem(training, str(damage))
    return Problem(training, f"was replaced {ATTEMPTS} times while it was read; try again")


def _was_replaced(results: Results, status: Status) -> bool:
    try:
        return results.status(status.training) != status
    except DamagedTraining:
        return False


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
    def of(
        cls,
        results: Results,
        known: Index | None,
        readings: Sequence[_Reading],
        problems: list[Problem],
    ) -> _Source:
        read = [reading for reading in readings if reading.tables]
        fresh = {
            name: records.concatenated(name, [r.tables[name] for r in read if r.tables])
            for name in index.TABLES
        }
        source = cls(
            results=results,
            known=known,
            indexed=_names(r.training for r in readings if r.tables is None),
            fresh=fresh,
            trainings=labelled(pd.DataFrame([dict(r.indexed.row) for r in readings])),
            problems=problems,
        )
        return source._reindexed(readings)

    def _reindexed(self, readings: Sequence[_Reading]) -> _Source:
        """The same rows with the index written anew, if that is worth while and possible."""
        settled = {r.training: r.indexed for r in readings if r.indexed.row["state"] != "running"}
        missing = sum(r.tables is not None for r in readings if r.training in settled)
        if missing < max(FEWEST, SHARE * len(readings)):
            return self
        names = _names(settled)
        known = index.written(
            self.results.store, settled, lambda name: _only(self._rows(name, None), names)
        )
        if known is None:
            return self
        fresh = {name: _only(rows, names, inverted=True) for name, rows in self.fresh.items()}
        return _Source(self.results, known, names, fresh, self.trainings, self.problems)

    def tables(self) -> Tables:
        return Tables(self.trainings, self.frame, self.problems)

    def frame(self, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
        """A table in the order of the trainings, within one as it was measured."""
        rows = self._rows(name, columns) if name in index.TABLES else self._of_strings(name)
        wanted = _names(self.trainings["training"])
        rank = pc.call_function("index_in", [rows["training"]], pc.SetLookupOptions(wanted))
        ordered = rows.take(pc.call_function("array_sort_indices", [rank.combine_chunks()]))
        return _frame(name, ordered.select(list(columns)) if columns else ordered)

    def _rows(self, name: str, columns: Sequence[str] | None) -> pa.Table:
        fresh = self.fresh[name].select(list(columns)) if columns else self.fresh[name]
        if self.known is None or not len(self.indexed):
            return fresh
        indexed = self.known.table(name, columns)
        if len(self.indexed) < len(self.known.trainings):
            indexed = _only(indexed, self.indexed)
        return pa.concat_tables([indexed.cast(fresh.schema), fresh])

    def _of_strings(self, name: str) -> pa.Table:
        """A table that is in no index, from the trainings."""
        with ThreadPoolExecutor(READERS) as pool:
            steps = self.trainings[["training", "step"]].itertuples(index=False, name=None)
            found = list(pool.map(lambda row: _until(self.results, name, *row), steps))
        self.problems.extend(problem for problem in found if isinstance(problem, Problem))
        return records.concatenated(name, [part for part in found if isinstance(part, pa.Table)])


def _until(results: Results, name: str, training: str, step: int) -> pa.Table | Problem:
    """A table up to a step: later ones hold the same rows and more, so none is too new."""
    problem = Problem(training, "was not read")
    for _ in range(ATTEMPTS):
        try:
            status = results.status(training)
            if status is None:
                return records.SCHEMAS[name].empty_table()
            content = results.table(status, name)
            known = name not in records.CHANGING or status.step == step
            return content if known else content.filter(pc.field("step") <= step)
        except (DamagedTraining, records.RecordsError) as damage:
            problem = Problem(training, str(damage))
    return problem


def _names(trainings: Iterable[str]) -> pa.Array:
    return pa.array(list(trainings), type=pa.string())


def _only(rows: pa.Table, trainings: pa.Array, *, inverted: bool = False) -> pa.Table:
    """The rows of some trainings, or of all others."""
    chosen = pc.call_function("is_in", [rows["training"]], pc.SetLookupOptions(trainings))
    return rows.filter(pc.call_function("invert", [chosen]) if inverted else chosen)


def _frame(name: str, content: pa.Table) -> pd.DataFrame:
    """A pandas frame in which integer columns stay integers although values are missing."""
    frame = content.to_pandas()
    optional = [
        f.name
        for f in records.SCHEMAS[name]
        if f.nullable and pa.types.is_integer(f.type) and f.name in frame
    ]
    return frame.astype(dict.fromkeys(optional, "Int64"))
