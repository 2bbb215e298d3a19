"""The tables of a training: their Arrow schemas, their versions, their bytes.

Levels count from the root. Missing is null, never zero; NaN and infinities are refused. Every
table carries the training's hash, so that tables of many trainings concatenate.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from study.measures import registry
from study.measures.declared import Column, Kind

VERSION = 3
"""Of the package's own columns; written into every file and raised with every change of a table."""

NUMBER, SHORT = pa.float64(), pa.float32()
TOKENS = pa.list_(pa.int16())

KINDS: Mapping[Kind, pa.DataType] = {
    "number": NUMBER,
    "short": SHORT,
    "integer": pa.int64(),
    "text": pa.string(),
    "flag": pa.bool_(),
    "tokens": TOKENS,
    "numbers": pa.list_(NUMBER),
    "token lists": pa.list_(TOKENS),
}


@cache
def _schema(table: str, _registered: tuple[Column, ...]) -> pa.Schema:
    """Keys are never null; everything else may be undefined."""
    fields = [pa.field(c.name, KINDS[c.kind], nullable=not c.key) for c in registry.columns(table)]
    return pa.schema(fields, metadata={"memophase": str(VERSION)})


class _Schemas(Mapping[str, pa.Schema]):
    """The schemas that follow from the columns declared at the moment."""

    def __getitem__(self, table: str) -> pa.Schema:
        return _schema(table, registry.registered_columns(table))

    def __iter__(self) -> Iterator[str]:
        return iter(registry.TABLES)

    def __len__(self) -> int:
        return len(registry.TABLES)


SCHEMAS: Mapping[str, pa.Schema] = _Schemas()
"""Table name -> schema, from the declarations in `study.measures`; NOTATION.md lists all columns.

Likelihood and noise are measured at every measured step; strings are generated at some of them. At
the others everything that generated strings decide is null in `curves`, `levels` and `typicality`,
and the other tables of generated strings have no rows. `timing` is the only table in which the
clock appears.
"""

CHANGING = [name for name in SCHEMAS if name != "strings"]
"""The tables that grow with every measurement."""


class RecordsError(ValueError):
    """Tables that cannot be read: garbled, or written by a newer version."""


def table(name: str, rows: Mapping[str, Sequence[Any]]) -> pa.Table:
    """An Arrow table from columns.

    Raises:
        ValueError: when a column is missing or unknown, a key is null or a number is not finite.
    """
    schema = SCHEMAS[name]
    if set(rows) != set(schema.names):
        odd = sorted(set(rows) ^ set(schema.names))
        raise ValueError(f"table '{name}': missing or unknown columns {', '.join(odd)}")
    arrays = [_array(name, field, rows[field.name]) for field in schema]
    built = pa.Table.from_arrays(arrays, schema=schema)
    built.validate(full=True)
    return built


def _array(name: str, field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if field.type in (NUMBER, SHORT):
        odd = [x for x in values if x is not None and not math.isfinite(x)]
        if odd:
            raise ValueError(
                f"table '{name}': {odd[0]} in column '{field.name}'; undefined is null"
            )
    array = pa.array(values, type=field.type)
    if not field.nullable and array.null_count:
        raise ValueError(f"table '{name}': column '{field.name}' may not be null")
    return array


def concatenated(name: str, tables: Sequence[pa.Table]) -> pa.Table:
    """Tables below one another, in one chunk, so that equal rows make equal bytes."""
    return pa.concat_tables([*tables, SCHEMAS[name].empty_table()]).combine_chunks()


def to_bytes(content: pa.Table) -> bytes:
    """The parquet file of a table; equal tables give equal bytes."""
    sink = io.BytesIO()
    pq.write_table(content, sink, compression="zstd", store_schema=True)
    return sink.getvalue()


def from_bytes(name: str, data: bytes) -> pa.Table:
    """The table in a parquet file, in today's schema.

    Raises:
        RecordsError: when the bytes are no such table, or a newer version wrote them.
    """
    try:
        # `pq.read_table` looks for a data set first, which takes longer than a small table's rows.
        content = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordsError(f"table '{name}' cannot be read: {error}") from error
    return upgraded(name, content)


def upgraded(name: str, content: pa.Table) -> pa.Table:
    """A table of any older version in today's schema.

    Columns that it did not have are null; those that are registered no longer are left out.

    Raises:
        RecordsError: when a newer version wrote it.
    """
    written = (content.schema.metadata or {}).get(b"memophase")
    if written is None:
        raise RecordsError(f"table '{name}' was not written by memophase")
    if int(written) > VERSION:
        raise RecordsError(
            f"table '{name}' has version {int(written)}, this memophase reads up to {VERSION}; "
            "update memophase"
        )
    schema = SCHEMAS[name]
    if content.schema.equals(schema, check_metadata=True):
        return content
    missing = [f for f in schema if f.name not in content.schema.names]
    for f in missing:
        content = content.append_column(f, pa.nulls(len(content), f.type))
    return content.select(schema.names).cast(schema)
