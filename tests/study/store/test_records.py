from __future__ import annotations

import math

import pyarrow as pa
import pytest

from study.store import records


def emissions(count: list[int | None]) -> dict[str, list]:
    rows = len(count)
    return {
        "training": ["t"] * rows,
        "step": [1] * rows,
        "string": list(range(rows)),
        "count": count,
    }


def noise(**changes: list) -> dict[str, list]:
    columns = {
        "training": ["t"],
        "step": [1],
        "window": [0],
        "training_loss": [0.5],
        "first_t": [1],
        "last_t": [5],
    }
    nulls = {name: [None] for name in records.SCHEMAS["noise"].names if name not in columns}
    return {**columns, **nulls, **changes}


def test_equal_tables_have_equal_bytes_however_they_were_put_together():
    whole = records.table("emissions", emissions([1, 2, 3, 4]))
    parts = [whole.slice(0, 1), whole.slice(1, 2), whole.slice(3)]
    assert records.to_bytes(records.concatenated("emissions", parts)) == records.to_bytes(whole)


def test_a_table_survives_its_bytes_and_null_stays_null():
    content = records.table("noise", noise())
    back = records.from_bytes("noise", records.to_bytes(content))
    assert back.equals(content)
    assert back["heldout_loss"].to_pylist() == [None]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(odd):
    with pytest.raises(ValueError, match="undefined is null"):
        records.table("noise", noise(training_loss=[odd]))


def test_missing_and_unknown_columns_and_null_keys_are_refused():
    with pytest.raises(ValueError, match="heldout_loss"):
        columns = noise()
        del columns["heldout_loss"]
        records.table("noise", columns)
    with pytest.raises(ValueError, match="surprise"):
        records.table("noise", noise(surprise=[1]))
    with pytest.raises(ValueError, match="may not be null"):
        records.table("noise", noise(step=[None]))


def test_older_tables_gain_their_new_columns_as_null():
    schema = records.SCHEMAS["noise"]
    old = records.table("noise", noise()).drop_columns(["heldout_loss"])
    assert records.upgraded("noise", old).schema.equals(schema)
    assert records.upgraded("noise", old)["heldout_loss"].null_count == 1


def test_newer_tables_are_refused_by_name():
    newer = records.table("noise", noise()).replace_schema_metadata({"memophase": "99"})
    with pytest.raises(records.RecordsError, match="table 'noise' has version 99"):
        records.upgraded("noise", newer)


def test_foreign_and_garbled_files_are_refused():
    with pytest.raises(records.RecordsError, match="cannot be read"):
        records.from_bytes("noise", b"not parquet")
    with pytest.raises(records.RecordsError, match="not written by memophase"):
        records.upgraded("noise", pa.table({"step": [1]}))
