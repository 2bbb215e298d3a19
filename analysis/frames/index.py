"""The index of a results folder: its trainings' tables, compacted, so that reports open quickly.

    <results>/index/trainings-<digest>.parquet    what was read: hash, digest of its files, settings
                    <table>-<digest>.parquet      the rows of all these trainings, in row groups
                    manifest.json                 names the files that count, published last

Row group k of every table holds the trainings of group k, cell by cell as they were when the index
was written, so that a part of the cells is read without the others.

The index holds nothing of its own. A training is taken from it only while its `status.json` and
`config.json` are the ones that were read; a garbled or foreign index is passed over and written
anew; whoever deletes it loses nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.frames.errors import AnalysisError
from study.measures import registry
from study.store import records
from study.store.storage import Store

FOLDER = "index"
MANIFEST = f"{FOLDER}/manifest.json"
TRAININGS = "trainings"

VERSION = 3
"""Of the index's own layout, and of what is asked of a training before it is indexed."""

CATEGORIES = pa.dictionary(pa.int32(), pa.string())

Column = Callable[[str], pa.ChunkedArray]
"""Name of a column -> the column."""

TABLES = ("curves", "levels", "rules", "typicality", "noise", "timing")
"""The tables in the index; the others hold single strings and are read from the trainings."""

PART = 2**22
"""Bytes of the index that are in memory while it is verified."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Indexed:
    """A training in the index.

    Attributes:
        digest: of the files it was read from, see `digest`.
        row: its row of the frame `trainings`.
        group: of rows that it stands in; -1 while it is in none.
    """

    digest: str
    row: Mapping[str, Any]
    group: int = -1


@dataclass(frozen=True)
class Index:
    """A verified index.

    Attributes:
        store: the results.
        files: table -> its file in the index's folder.
        trainings: hash -> what is indexed of it.
    """

    store: Store
    files: Mapping[str, str]
    trainings: Mapping[str, Indexed]

    def columns(self, name: str, trainings: Collection[str]) -> Column:
        """A reader of the columns of a table, one at a time: together they may fill the memory.

        Only groups of rows that hold some of the trainings are read; they hold others as well.
        `training` comes as categories.

        Raises:
            AnalysisError: when the file cannot be read although it was whole a moment ago.
        """
        path = self.store.full(f"{FOLDER}/{self.files[name]}")
        groups = sorted({self.trainings[training].group for training in trainings})
        try:
            file = pq.ParquetFile(self.store.filesystem.open_input_file(path))
        except (pa.ArrowException, OSError) as error:
            raise AnalysisError(f"{path} cannot be read: {error}") from error

        def column(of: str) -> pa.ChunkedArray:
            kind = CATEGORIES if of == "training" else records.SCHEMAS[name].field(of).type
            try:
                return file.read_row_groups(groups, [of])[0].cast(kind)
            except (pa.ArrowException, OSError) as error:
                raise AnalysisError(f"{path} cannot be read: {error}") from error

        return column

    def rows(self, name: str, trainings: Collection[str]) -> pa.Table:
        """The rows of some trainings of a table."""
        column, schema = self.columns(name, trainings), records.SCHEMAS[name]
        among = pc.SetLookupOptions(pa.array(list(trainings), type=pa.string()))
        kept = pc.call_function("is_in", [column("training").cast(pa.string())], among)
        columns = [column(field.name).filter(kept).cast(field.type) for field in schema]
        return pa.table(columns, schema=schema)


def digest(status: bytes, config: bytes) -> str:
    """What a training's folder holds, by its two files that name everything else."""
    return hashlib.sha256(status + b"\0" + config).hexdigest()[:32]


def opened(store: Store) -> Index | None:
    """The index of a results folder; None where there is none that can be trusted."""
    try:
        manifest = json.loads(store.read(MANIFEST))
    except FileNotFoundError:
        return None
    except OSError as error:
        return _passed_over(f"its manifest cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError):
        return _passed_over("its manifest is garbled")
    try:
        if (manifest["version"], manifest["records"]) != (VERSION, records.VERSION):
            return _passed_over("another version of memophase wrote it")
        if manifest.get("registered", {}) != registered():
            return _passed_over("other measurements were registered when it was written")
        files = dict(manifest["files"])
        if set(files) != {TRAININGS, *TABLES}:
            return _passed_over("it lacks tables")
        for entry in files.values():
            _verify(store, entry)
        trainings = _trainings(store.read(f"{FOLDER}/{files[TRAININGS]['file']}"))
    except (KeyError, TypeError, AttributeError, ValueError, OSError, pa.ArrowException) as error:
        return _passed_over(str(error))
    return Index(store, {name: entry["file"] for name, entry in files.items()}, trainings)


def registered() -> dict[str, list[str]]:
    """Table -> the columns that this process has registered, and that the index has to hold."""
    columns = {table: registry.registered_columns(table) for table in TABLES}
    return {table: [column.name for column in own] for table, own in columns.items() if own}


def _passed_over(why: str) -> None:
    logger.warning("the index of the results is passed over: %s; it will be written anew", why)


def _verify(store: Store, entry: Mapping[str, Any]) -> None:
    """Read a file of the index, a part at a time.

    Raises:
        ValueError: when its bytes are not the published ones.
    """
    checksum = hashlib.sha256()
    with store.filesystem.open_input_stream(store.full(f"{FOLDER}/{entry['file']}")) as stream:
        while part := stream.read(PART):
            checksum.update(part)
    if checksum.hexdigest() != entry["sha256"]:
        raise ValueError(f"{entry['file']} does not match its checksum")


def _trainings(data: bytes) -> dict[str, Indexed]:
    columns = pq.read_table(io.BytesIO(data)).to_pydict()
    rows = json.loads(f"[{','.join(columns['row'])}]")  # read together they share their names
    found = zip(columns["training"], columns["digest"], rows, columns["group"], strict=True)
    return {name: Indexed(checksum, row, group) for name, checksum, row, group in found}
