"""From the results of a sweep, also while it is still running, to its tables.

What is settled comes from the index, the rest from the folders of the trainings.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis.frames import index
from analysis.frames.cells import labelled
from analysis.frames.errors import AnalysisError
from analysis.frames.index import Column, Index
from analysis.frames.merging import merged
from analysis.frames.reading import READERS, batches, descriptions, read, together, trusted, until
from analysis.frames.renewing import renewed
from analysis.frames.tables import Problem, Rows, Tables
from analysis.frames.validity import with_defined_validity
from study.store import listing, records
from study.store.listing import ListingError
from study.store.results import Results
from study.store.runners import runners
from study.store.states import state_of
from study.store.status import Status

logger = logging.getLogger(__name__)

FEWEST, SHARE = 50, 0.05
"""The index is written anew once it lacks so many settled trainings and such a share of all."""

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
    indexed: Collection[str]
    fresh: Mapping[str, pa.Table]
    trainings: pd.DataFrame
    problems: list[Problem]

    @classmethod
    def of(cls, results: Results, known: Index | None, folders: Sequence[str]) -> _Source:
        seen, problems = descriptions(results, known, folders)
        unread = [description for description in seen.values() if not description.known]
        settled = [description for description in unread if not description.goes_on]
        found = []
        if len(settled) >= max(FEWEST, SHARE * len(seen)):
            again, read_for_it = renewed(results, known, seen)
            known, found = again or known, [read_for_it]
            unread = [description for description in unread if description.goes_on]
        fresh = together([*found, *(read(results, some) for some in batches(unread))])
        seen.update(fresh.descriptions)
        problems += fresh.problems
        unreadable = {problem.training for problem in problems}
        sweep = _Sweep.of(results)
        described = {t: description for t, description in seen.items() if t not in unreadable}
        rows = [sweep.row(description.indexed.row) for description in described.values()]
        return cls(
            results=results,
            known=known,
            indexed={training for training, description in described.items() if description.known},
            fresh=fresh.tables,
            trainings=labelled(pd.DataFrame(rows)),
            problems=problems,
        )

    def tables(self) -> Tables:
        """What `load` returns."""
        return Tables(self.trainings, self.frame, self.problems, narrow=self._only)

    def _only(self, trainings: Collection[str]) -> Tables:
        names = set(trainings)
        kept = [training in names for training in self.trainings["training"].tolist()]
        return replace(self, trainings=self.trainings[kept].reset_index(drop=True)).tables()

    def frame(self, name: str, columns: Sequence[str] | None, wanted: Rows) -> pd.DataFrame:
        """A table in the order of the trainings, within one as it was measured."""
        place = {training: i for i, training in enumerate(self.trainings["training"])}
        parts, ranks = [], []
        for column, among in self._parts(name, columns):
            rank = _ranks(column("training"), {t: place[t] for t in among})
            rows = self._chosen(column, rank, wanted)
            parts.append((column, rows))
            ranks.append(rank[rows])
        rank = np.concatenate(ranks)
        order = np.argsort(rank, kind="stable")

        def values(of: str) -> pd.Series:
            if of == "training":
                names = self.trainings["training"].iloc[rank[order]]
                return names.reset_index(drop=True)
            taken = [column(of).take(rows) for column, rows in parts]
            chunks = [chunk for part in taken for chunk in part.chunks]
            kind = records.SCHEMAS[name].field(of).type
            return _series(name, of, pa.chunked_array(chunks, type=kind).take(order))

        frame = {of: values(of) for of in columns or records.SCHEMAS[name].names}
        content = pd.DataFrame(frame, copy=False)
        return with_defined_validity(content, self.trainings) if name == "curves" else content

    def _chosen(self, column: Column, rank: NDArray[np.int64], wanted: Rows) -> NDArray[np.int64]:
        """Which rows are wanted, by their number."""
        chosen = rank >= 0
        for steps in self._steps(wanted):
            chosen &= column("step").to_numpy() == steps[rank]
        for of, values in wanted.where.items():
            chosen &= np.isin(column(of).to_numpy(), list(values))
        return np.flatnonzero(chosen)

    def _steps(self, wanted: Rows) -> Iterator[NDArray[np.float64]]:
        """The step of every training that its rows must be of; NaN where it has none."""
        if wanted.last:
            yield self.trainings["step"].to_numpy(dtype=float)
        if wanted.at is not None:
            yield self.trainings["training"].map(wanted.at).to_numpy(dtype=float)

    def _parts(
        self, name: str, columns: Sequence[str] | None
    ) -> list[tuple[Column, Collection[str]]]:
        """Readers of single columns of a table, and the trainings whose rows count there."""
        wanted = self.trainings["training"]
        if name not in index.TABLES:
            return [(self._of_strings(name, columns).column, wanted)]
        indexed = [training for training in wanted if training in self.indexed]
        others = [training for training in wanted if training not in self.indexed]
        parts: list[tuple[Column, Collection[str]]] = [(self.fresh[name].column, others)]
        if self.known is not None and indexed:
            parts.insert(0, (self.known.columns(name, indexed), indexed))
        return parts

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


def _ranks(training: pa.ChunkedArray, place: Mapping[str, int]) -> NDArray[np.int64]:
    """Of every row the place of its training; -1 where that is not wanted."""
    ranks = [np.zeros(0, dtype=np.int64)]
    for chunk in training.chunks:
        coded = chunk if isinstance(chunk, pa.DictionaryArray) else chunk.dictionary_encode()
        found = [place.get(name, -1) for name in coded.dictionary.to_pylist()]
        ranks.append(np.array(found, dtype=np.int64)[coded.indices.to_numpy()])
    return np.concatenate(ranks)


def _series(table: str, name: str, content: pa.ChunkedArray) -> pd.Series:
    """A pandas column; integers stay integers although values are missing."""
    field = records.SCHEMAS[table].field(name)
    series = pa.table({name: content}).to_pandas()[name]
    optional = field.nullable and pa.types.is_integer(field.type)
    return series.astype("Int64") if optional else series
