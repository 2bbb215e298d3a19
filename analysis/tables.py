"""The tables of a sweep as tidy pandas frames, also while the sweep is still running.

Every frame has one row per observation and a `training` column, the hash that joins it to the
frame `trainings`. Undefined values are missing (NaN or NA), never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.cells import labelled
from study import records
from study.config import TrialConfig
from study.results import DamagedTraining, Results, Status

ATTEMPTS = 5
"""Readings of one training whose published step is replaced while it is read."""

READERS = 8
"""Trainings read at a time; reading waits for disks and networks, not for the processor."""


class AnalysisError(ValueError):
    """Results or choices that cannot be analysed, said in one sentence."""


@dataclass(frozen=True)
class Problem:
    """A training that could not be read, and why."""

    training: str
    what: str


@dataclass(frozen=True)
class Tables(Mapping[str, pd.DataFrame]):
    """Frames by table name, and `trainings` with one row per training.

    `trainings` holds `training` (hash), `cell` (label of the settings that vary between cells),
    `seed`, `state`, `step` (last published), `last_step` (wanted), `error` and every dotted field
    of the configuration.

    Attributes:
        problems: the trainings that are left out.
    """

    frames: Mapping[str, pd.DataFrame]
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def trainings(self) -> pd.DataFrame:
        """One row per training, in the order of the cells and seeds."""
        return self.frames["trainings"]


@dataclass(frozen=True)
class _Reading:
    """What one training folder held at one moment."""

    training: str
    config: TrialConfig
    status: Status | None
    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def row(self) -> dict[str, object]:
        status = self.status
        return {
            "training": self.training,
            "state": "running" if status is None else status.state,
            "step": 0 if status is None else status.step,
            "last_step": self.config.last_step,
            "error": None if status is None else status.error,
            **self.config.flat(),
        }


def load(results: Results | str | Path, *, only: Iterable[str] | None = None) -> Tables:
    """Read the last published step of every training.

    Args:
        results: the results, or the path or URI of their folder.
        only: names of the tables to read; all when left out.

    Returns:
        Frames by table name. Trainings that are damaged, or replaced again and again while they
        are read, are named in `problems` and left out.

    Raises:
        AnalysisError: when the folder holds no training, or a table name is unknown.
    """
    if not isinstance(results, Results):
        results = Results.open(results)
    names = tuple(records.SCHEMAS) if only is None else tuple(only)
    if unknown := [name for name in names if name not in records.SCHEMAS]:
        known = ", ".join(records.SCHEMAS)
        raise AnalysisError(f"there is no table '{unknown[0]}'; the tables are {known}")
    folders = results.trainings()
    if not folders:
        raise AnalysisError(
            f"{results.store.root} holds no trainings; "
            "give the folder of a sweep, the one with 'trainings' in it"
        )
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda training: _read(results, training, names), folders))
    readings = [reading for reading in found if isinstance(reading, _Reading)]
    problems = tuple(problem for problem in found if isinstance(problem, Problem))
    return _assembled(readings, problems, names)


def _read(results: Results, training: str, names: tuple[str, ...]) -> _Reading | Problem:
    """One training; read again when another step is published meanwhile."""
    for _ in range(ATTEMPTS):
        try:
            status = results.status(training)
            config = results.config(training)
        except DamagedTraining as damage:
            return Problem(training, str(damage))
        if status is None:
            return _Reading(training, config, None)
        try:
            tables = {name: results.table(status, name) for name in names}
            return _Reading(training, config, status, tables)
        except (DamagedTraining, records.RecordsError) as damage:
            if not _was_replaced(results, status):
                return Problem(training, str(damage))
    return Problem(training, f"was replaced {ATTEMPTS} times while it was read; try again")


def _was_replaced(results: Results, status: Status) -> bool:
    try:
        return results.status(status.training) != status
    except DamagedTraining:
        return False


def _assembled(
    readings: list[_Reading], problems: tuple[Problem, ...], names: tuple[str, ...]
) -> Tables:
    trainings = labelled(pd.DataFrame([reading.row for reading in readings]))
    by_training = {reading.training: reading for reading in readings}
    order = [] if trainings.empty else [by_training[name] for name in trainings["training"]]
    frames = {"trainings": trainings}
    for name in names:
        parts = [reading.tables[name] for reading in order if name in reading.tables]
        frames[name] = _frame(name, records.concatenated(name, parts))
    return Tables(frames, problems)


def _frame(name: str, content: pa.Table) -> pd.DataFrame:
    """A pandas frame in which integer columns stay integers although values are missing."""
    frame = content.to_pandas()
    optional = [f.name for f in records.SCHEMAS[name] if f.nullable and pa.types.is_integer(f.type)]
    return frame.astype(dict.fromkeys(optional, "Int64"))
