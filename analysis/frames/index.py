"""The index of a results folder: its trainings' tables, compacted, so that reports open quickly.

    <results>/index/trainings-<digest>.parquet    what was read: hash, digest of its files, settings
                    <table>-<digest>.parquet      the rows of all these trainings, sorted
                    manifest.json                 names the files that count, published last

The index holds nothing of its own. A training is taken from it only while its `status.json` and
`config.json` are the ones that were read; a garbled or foreign index is passed over and written
anew; whoever deletes it loses nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.frames.errors import AnalysisError
from study.measures import registry
from study.store import records
from study.store.storage import Store

FOLDER = "index"
MANIFEST = f"{FOLDER}/manifest.json"
TRAININGS = "trainings"

VERSION = 2
"""Of the index's own layout, and of what is asked of a training before it is indexed."""

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
    """

    digest: str
    row: Mapping[str, Any]


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

    def columns(self, name: str) -> Column:
        """A reader of the columns of a table, one at a time: together they may fill the memory.

        Raises:
            AnalysisError: when the file cannot be read although it was whole a moment ago.
        """
        path = self.store.full(f"{FOLDER}/{self.files[name]}")
        try:
            file = pq.ParquetFile(self.store.filesystem.open_input_file(path))
        except (pa.ArrowException, OSError) as error:
            raise AnalysisError(f"{path} cannot be read: {error}") from error

        def column(of: str) -> pa.ChunkedArray:
            try:
                return file.read([of])[0].cast(records.SCHEMAS[name].field(of).type)
            except (pa.ArrowException, OSError) as error:
                raise AnalysisError(f"{path} cannot be read: {error}") from error

        return column


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
        if manifest.get("registered", {}) != _registered():
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


def written(
    store: Store, trainings: Mapping[str, Indexed], table: Callable[[str], pa.Table]
) -> Index | None:
    """Replace the index; None, with the old one in place, where the results cannot be written.

    The files of the index before stay until the next replacement, for whoever is reading them.

    Args:
        store: the results.
        trainings: hash -> what is to be indexed.
        table: table name -> its rows of these trainings.
    """
    try:
        files = {TRAININGS: _published(store, TRAININGS, _trainings_table(trainings))}
        for name in TABLES:
            content = table(name).sort_by("training").combine_chunks()
            encoded = content["training"].dictionary_encode()
            files[name] = _published(store, name, content.set_column(0, "training", encoded))
        before = _named(store)
        manifest = {"version": VERSION, "records": records.VERSION, "files": files}
        if registered := _registered():
            manifest["registered"] = registered
        store.publish(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        kept = {"manifest.json", *before, *(entry["file"] for entry in files.values())}
        for name in store.names(FOLDER):
            if name not in kept:
                store.delete(f"{FOLDER}/{name}")
    except OSError as error:
        logger.info("no index is written to %s: %s", store.root, error)
        return None
    return Index(store, {name: entry["file"] for name, entry in files.items()}, trainings)


def _registered() -> dict[str, list[str]]:
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


def _published(store: Store, name: str, content: pa.Table) -> dict[str, Any]:
    sink = io.BytesIO()
    pq.write_table(content, sink, compression="zstd", store_schema=True)
    data = sink.getvalue()
    checksum = hashlib.sha256(data).hexdigest()
    file = f"{name}-{checksum[:16]}.parquet"
    store.publish(f"{FOLDER}/{file}", data)
    return {"file": file, "size": len(data), "sha256": checksum}


def _named(store: Store) -> set[str]:
    """The files that the present manifest names."""
    try:
        return {entry["file"] for entry in json.loads(store.read(MANIFEST))["files"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _trainings_table(trainings: Mapping[str, Indexed]) -> pa.Table:
    ordered = sorted(trainings.items())
    return pa.table(
        {
            "training": [name for name, _ in ordered],
            "digest": [indexed.digest for _, indexed in ordered],
            "row": [json.dumps(indexed.row) for _, indexed in ordered],
        }
    )


def _trainings(data: bytes) -> dict[str, Indexed]:
    columns = pq.read_table(io.BytesIO(data)).to_pydict()
    return {
        name: Indexed(checksum, json.loads(row))
        for name, checksum, row in zip(
            columns["training"], columns["digest"], columns["row"], strict=True
        )
    }
