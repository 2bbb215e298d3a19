"""The index of a results folder written anew, from the one before and what is not in that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.frames.cells import labelled
from analysis.frames.index import TABLES, Index, Indexed
from analysis.frames.indexing import Indexing
from analysis.frames.reading import Description, Snapshot, batches, read, together
from study.store import records
from study.store.results import Results


def renewed(
    results: Results, known: Index | None, seen: Mapping[str, Description]
) -> tuple[Index | None, Snapshot]:
    """The index with all that is settled in it, and what was read for that.

    Cell by cell: whoever asks for a part of the cells reads a part of the index.

    Args:
        results: the results.
        known: the index before.
        seen: the trainings that are wanted, by hash.

    Returns:
        The index, None where it cannot be written; and the trainings that were read: they are
        `known` if it could, else their tables come along.
    """
    kept = _kept(results, known, seen)
    stale = {
        t: description
        for t, description in seen.items()
        if not (description.known or description.goes_on)
    }
    described = [*kept.values(), *(description.indexed for description in stale.values())]
    indexing, snapshots = Indexing(), [read(results, [])]
    for names in batches(_by_cell(described)):
        snapshot = read(results, [stale[t] for t in names if t in stale])
        before = {t: kept[t] for t in names if t in kept}
        indexing.add(
            {
                **before,
                **{t: description.indexed for t, description in snapshot.descriptions.items()},
            },
            {n: _below(n, known, before, new) for n, new in snapshot.tables.items()},
        )
        snapshots.append(replace(snapshot, tables=snapshots[0].tables))
    index, found = indexing.published(results.store), together(snapshots)
    if index is None:
        return None, replace(
            found, tables={n: _of(indexing, n, found.descriptions) for n in TABLES}
        )
    return index, replace(
        found, descriptions={t: replace(x, known=True) for t, x in found.descriptions.items()}
    )


def _kept(
    results: Results, known: Index | None, seen: Mapping[str, Description]
) -> dict[str, Indexed]:
    """What stays of the index before, also of what is not wanted now, while it exists."""
    if known is None:
        return {}
    present = set(results.trainings())
    return {
        training: indexed
        for training, indexed in known.trainings.items()
        if (seen[training].known if training in seen else training in present)
    }


def _by_cell(trainings: Iterable[Indexed]) -> list[str]:
    return labelled(pd.DataFrame([one.row for one in trainings]))["training"].tolist()


def _below(name: str, known: Index | None, before: Collection[str], new: pa.Table) -> pa.Table:
    """The rows of a table that the index before has, and below them new ones."""
    if known is None or not before:
        return new
    return records.concatenated(name, [known.rows(name, before), new])


def _of(indexing: Indexing, name: str, trainings: Collection[str]) -> pa.Table:
    """The rows of some trainings of what could not be published."""
    rows = indexing.table(name)
    among = pc.SetLookupOptions(pa.array(list(trainings), type=pa.string()))
    return rows.filter(pc.call_function("is_in", [rows["training"]], among))
