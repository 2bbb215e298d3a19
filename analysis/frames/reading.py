"""What the folders of trainings hold at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from analysis.frames import index
from analysis.frames.index import Index, Indexed
from analysis.frames.tables import Problem
from study.store import records
from study.store.results import FOLDER, Results
from study.store.status import DamagedTraining, Status

ATTEMPTS = 5
"""Readings of one training whose published step is replaced while it is read."""

READERS = 8
"""Trainings read at a time; reading waits for disks and networks, not for the processor."""

BATCH = 250
"""Trainings whose tables are in memory one by one."""

T = TypeVar("T")


@dataclass(frozen=True)
class Description:
    """What one training folder said of itself.

    Attributes:
        indexed: what its two files say.
        status: its published one; None where it has none, or is in the index as it is.
        known: whether it is in the index as it is.
    """

    training: str
    indexed: Indexed
    status: Status | None = None
    known: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether more is to be expected of it, so that it belongs in no index yet."""
        return self.indexed.row["state"] in (None, "running")


@dataclass(frozen=True)
class Snapshot:
    """What some training folders held, each at one moment.

    Attributes:
        descriptions: hash -> what a training said of itself when its tables were read.
        tables: their rows by table name, in the same order.
        problems: the trainings that cannot be read.
    """

    descriptions: dict[str, Description]
    tables: dict[str, pa.Table]
    problems: list[Problem]


def descriptions(
    results: Results, known: Index | None, folders: Sequence[str]
) -> tuple[dict[str, Description], list[Problem]]:
    """What the folders say of themselves, by hash, and which of them cannot be read."""
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda training: _described(results, known, training), folders))
    seen = {
        description.training: description
        for description in found
        if isinstance(description, Description)
    }
    return seen, [problem for problem in found if isinstance(problem, Problem)]


def read(results: Results, wanted: Sequence[Description]) -> Snapshot:
    """The tables of some trainings."""
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda description: _read(results, description), wanted))
    held = [one for one in found if not isinstance(one, Problem)]
    return Snapshot(
        {description.training: description for description, _ in held},
        {
            name: records.concatenated(name, [tables[name] for _, tables in held if tables])
            for name in index.TABLES
        },
        [one for one in found if isinstance(one, Problem)],
    )


def together(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Several snapshots as one."""
    return Snapshot(
        {name: description for one in snapshots for name, description in one.descriptions.items()},
        {
            name: records.concatenated(name, [one.tables[name] for one in snapshots])
            for name in index.TABLES
        },
        [problem for one in snapshots for problem in one.problems],
    )


def batches(every: Sequence[T]) -> Iterator[Sequence[T]]:
    """Some at a time: a thousand small tables weigh more than their rows."""
    return (every[start : start + BATCH] for start in range(0, len(every), BATCH))


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


def _described(
    results: Results, known: Index | None, training: str
) -> Description | Problem | None:
    """One folder; None where it holds nothing yet."""
    digest = _digest(results, training)
    indexed = known.trainings.get(training) if known else None
    if indexed and indexed.digest == digest:
        return Description(training, indexed, known=True)
    try:
        status = results.status(training)
        if status is None and not results.has_config(training):
            return None
        return Description(training, Indexed(digest or "", _row(results, training, status)), status)
    except DamagedTraining as damage:
        return Problem(training, str(damage))


def _read(
    results: Results, description: Description
) -> tuple[Description, Mapping[str, pa.Table]] | Problem:
    """The tables of one training, looked at again if it moves on meanwhile."""
    for _ in range(ATTEMPTS):
        status = description.status
        if status is None:
            return description, {}
        try:
            return description, {name: results.table(status, name) for name in index.TABLES}
        except (DamagedTraining, records.RecordsError) as damage:
            if not _was_replaced(results, status):
                return Problem(description.training, str(damage))
        again = _described(results, None, description.training)
        if not isinstance(again, Description):
            return again or Problem(description.training, "is gone since it was looked at")
        description = again
    return Problem(
        description.training, f"was replaced {ATTEMPTS} times while it was read; try again"
    )


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
