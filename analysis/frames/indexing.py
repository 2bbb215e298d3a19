"""How an index is written: some trainings at a time, the tables never stand side by side."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.frames.index import (
    CATEGORIES,
    FOLDER,
    MANIFEST,
    TABLES,
    TRAININGS,
    VERSION,
    Index,
    Indexed,
    registered,
)
from study.store import records
from study.store.storage import Store

logger = logging.getLogger(__name__)


class Indexing:
    """The files of an index while they grow, packed; nobody sees them before all are whole."""

    def __init__(self) -> None:
        self.trainings: dict[str, Indexed] = {}
        self._groups = 0
        self._packed = {name: pa.BufferOutputStream() for name in TABLES}
        self._writers = {name: _writer(name, sink) for name, sink in self._packed.items()}

    def add(self, trainings: Mapping[str, Indexed], tables: Mapping[str, pa.Table]) -> None:
        """One more group of rows.

        Args:
            trainings: hash -> what is indexed of it.
            tables: table name -> the rows of these trainings.
        """
        for name, writer in self._writers.items():
            content = tables[name].cast(_schema(name)).combine_chunks()
            writer.write_table(content, row_group_size=max(1, len(content)))
        for training, indexed in trainings.items():
            self.trainings[training] = replace(indexed, group=self._groups)
        self._groups += 1

    def published(self, store: Store) -> Index | None:
        """Put it in the place of the index; None, the old one in place, if that cannot be written.

        The files of the index before stay until the next replacement, for whoever is reading them.
        """
        for writer in self._writers.values():
            writer.close()
        try:
            return self._replaced(store)
        except OSError as error:
            logger.info("no index is written to %s: %s", store.root, error)
            return None

    def table(self, name: str) -> pa.Table:
        """A table of what was to be published and could not be."""
        content = pq.ParquetFile(pa.BufferReader(self._packed[name].getvalue())).read()
        return content.cast(records.SCHEMAS[name])

    def _replaced(self, store: Store) -> Index:
        packed = pa.BufferOutputStream()
        pq.write_table(_described(self.trainings), packed, compression="zstd")
        files = {TRAININGS: _published(store, TRAININGS, packed.getvalue())}
        for name in TABLES:
            files[name] = _published(store, name, self._packed[name].getvalue())
        before = _named(store)
        manifest = {"version": VERSION, "records": records.VERSION, "files": files}
        if others := registered():
            manifest["registered"] = others
        store.publish(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        kept = {"manifest.json", *before, *(entry["file"] for entry in files.values())}
        for name in store.names(FOLDER):
            if name not in kept:
                store.delete(f"{FOLDER}/{name}")
        return Index(store, {name: entry["file"] for name, entry in files.items()}, self.trainings)


def _writer(name: str, sink: pa.BufferOutputStream) -> pq.ParquetWriter:
    """Measured numbers hardly ever repeat: a dictionary of them would come on top of them."""
    schema = _schema(name)
    repeated = [field.name for field in schema if not pa.types.is_floating(field.type)]
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=repeated,  # pyright: ignore[reportArgumentType] - takes names of columns too
    )


def _schema(name: str) -> pa.Schema:
    """A table of many trainings names each of them once in a group of rows."""
    schema = records.SCHEMAS[name]
    place = schema.get_field_index("training")
    return schema.set(place, schema.field(place).with_type(CATEGORIES))


def _described(trainings: Mapping[str, Indexed]) -> pa.Table:
    ordered = sorted(trainings.items())
    return pa.table(
        {
            "training": [name for name, _ in ordered],
            "digest": [indexed.digest for _, indexed in ordered],
            "row": [json.dumps(indexed.row) for _, indexed in ordered],
            "group": [indexed.group for _, indexed in ordered],
        }
    )


def _published(store: Store, name: str, content: pa.Buffer) -> dict[str, Any]:
    checksum = hashlib.sha256(content).hexdigest()
    file = f"{name}-{checksum[:16]}.parquet"
    store.publish(f"{FOLDER}/{file}", content.to_pybytes())
    return {"file": file, "size": content.size, "sha256": checksum}


def _named(store: Store) -> set[str]:
    """The files that the present manifest names."""
    try:
        return {entry["file"] for entry in json.loads(store.read(MANIFEST))["files"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
