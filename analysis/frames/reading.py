"""What the folders of trainings hold at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from analysis.frames import index
from analysis.frames.index import Index, Indexed
from analysis.frames.tables import Problem
from study.store import records
from study.store.results import FOLDER, DamagedTraining, Results, Status

ATTEMPTS = 5
"""Readings of one training whose published step is replaced while it is read."""

READERS = 8
"""Trainings read at a time; reading waits for disks and networks, not for the processor."""

BATCH = 500
"""Trainings whose tables are in memory one by one."""


@dataclass(frozen=True)
class Reading:
    """What one training folder held at one moment; the tables of an indexed one are None."""

    training: str
    indexed: Indexed
    tables: Mapping[str, pa.Table] | None = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """What many training folders held.

    Attributes:
        settled: hash -> description of the trainings that will not go on.
        running: hash -> of the others.
        indexed: hashes of those that are in the index as they are.
        fresh: the tables of those that are not.
        problems: the trainings that cannot be read.
    """

    settled: dict[str, Indexed]
    running: dict[str, Indexed]
    indexed: list[str]
    fresh: dict[str, pa.Table]
    problems: list[Problem]

    @classmethod
    def at(cls, results: Results, known: Index | None, folders: Sequence[str]) -> Look:
        """Read the folders, some at a time: a thousand small tables weigh more than their rows."""
        look = cls({}, {}, [], {}, [])
        parts: dict[str, list[pa.Table]] = {name: [] for name in index.TABLES}
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(folders), BATCH):
                some = folders[start : start + BATCH]
                found = list(pool.map(lambda training: _read(results, training, known), some))
                read = [look._noted(reading) for reading in found if reading is not None]
                for name, tables in parts.items():
                    tables.append(records.concatenated(name, [r[name] for r in read if r]))
        look.fresh.update({n: records.concatenated(n, tables) for n, tables in parts.items()})
        return look

    def _noted(self, reading: Reading | Problem) -> Mapping[str, pa.Table]:
        """The tables of a reading, once everything else about it is noted."""
        if isinstance(reading, Problem):
            self.problems.append(reading)
            return {}
        goes_on = reading.indexed.row["state"] in (None, "running")
        (self.running if goes_on else self.settled)[reading.training] = reading.indexed
        if reading.tables is None:
            self.indexed.append(reading.training)
        return reading.tables or {}


def trusted(results: Results, known: Index | None) -> Index | None:
    """The index, unless today's memophase would describe its first training in other words."""
    for training, indexed in known.trainings.items() if known else ():
        if indexed.digest == _digest(results, training):
            try:
                row = _row(results, training, results.status(training))
            except DamagedTraining:
                return None
            return known if row == indexed.row else None
    return known


def _digest(results: Results, training: str) -> str | None:
    """None where the training has not published both files, or they cannot be read."""
    folder = results.store.child(f"{FOLDER}/{training}")
    try:
        return index.digest(folder.read("status.json"), folder.read("config.json"))
    except OSError:
        return None


def _row(results: Results, training: str, status: Status | None) -> dict[str, object]:
    """What its files say: the published state, and the step at which its own config ends."""
    config = results.config(training)
    return {
        "training": training,
        "state": None if status is None else status.state,
        "step": 0 if status is None else status.step,
        "last_step": config.last_step,
        "error": None if status is None else status.error,
        **config.flat(),
    }


def _read(results: Results, training: str, known: Index | None) -> Reading | Problem | None:
    """One training, from the index if that is up to date; read again if it moves on meanwhile.

    None where its folder holds nothing yet.
    """
    for _ in range(ATTEMPTS):
        digest = _digest(results, training)
        indexed = known.trainings.get(training) if known else None
        if indexed and indexed.digest == digest:
            return Reading(training, indexed, None)
        try:
            status = results.status(training)
            if status is None and not results.has_config(training):
                return None
            found = Indexed(digest or "", _row(results, training, status))
        except DamagedTraining as damage:
            return Problem(training, str(damage))
        if status is None:
            return Reading(training, found)
        try:
            tables = {name: results.table(status, name) for name in index.TABLES}
            return Reading(training, found, tables)
        except (DamagedTraining, records.RecordsError) as damage:
            if not _was_replaced(results, status):
                return Problem(training, str(damage))
    return Problem(training, f"was replaced {ATTEMPTS} times while it was read; try again")


def _was_replaced(results: Results, status: Status) -> bool:
    try:
        return results.status(status.training) != status
    except DamagedTraining:
        return False


def until(results: Results, name: str, training: str, step: int) -> pa.Table | Problem:
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
