"""The tables of a training: their Arrow schemas, their versions, their bytes.

Levels count from the root. Missing is null, never zero; NaN and infinities are refused. Every
table carries the training's hash, so that tables of many trainings concatenate.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

VERSION = 2
"""Of the schemas below; written into every file and raised with every change of a table."""

INTEGER, NUMBER, TEXT, FLAG = pa.int64(), pa.float64(), pa.string(), pa.bool_()
SHORT = pa.float32()
TOKENS = pa.list_(pa.int16())


def _schema(keys: Mapping[str, pa.DataType], numbers: str = "", **others: pa.DataType) -> pa.Schema:
    """Keys are never null; everything else may be undefined."""
    fields = [pa.field("training", TEXT, nullable=False)]
    fields += [pa.field(name, kind, nullable=False) for name, kind in keys.items()]
    fields += [pa.field(name, NUMBER) for name in numbers.split()]
    fields += [pa.field(name, kind) for name, kind in others.items()]
    return pa.schema(fields, metadata={"memophase": str(VERSION)})


SCHEMAS: dict[str, pa.Schema] = {
    "curves": _schema(
        {"step": INTEGER},
        "batch_loss training_loss heldout_loss memorizer_loss gap_fraction position off_line "
        "memorized_excess memorized_excess_null_se memorized_excess_p_value "
        "likelihood_slope likelihood_slope_null_se "
        "copy_fraction control_copy_fraction mass_training mass_control "
        "excess_copies excess_copies_se excess_fit "
        "root_validity novel_validity distinct_share "
        "typicality_slope typicality_slope_se relative_slope",
    ),
    "levels": _schema(
        {"step": INTEGER, "level": INTEGER},
        "validity validity_se conditional_validity chance_validity copied copied_control "
        "exclusive_share partial_memorization partial_memorization_se partial_memorization_fit "
        "rule_kl typicality_shift typicality_shift_se typicality_slope typicality_slope_se "
        "likelihood_slope likelihood_slope_null_se",
    ),
    "rules": _schema(
        {"step": INTEGER, "level": INTEGER, "rank": INTEGER},
        "generated generated_se training_frequency true_frequency",
        count=INTEGER,
    ),
    "typicality": _schema(
        {"step": INTEGER, "stratum": INTEGER},
        "lower upper mean_log_p z mass_training mass_control "
        "copies_training copies_control emitted_training emitted_control emission_excess "
        "memorized_share memorized_null_rate memorized_excess",
        n_training=INTEGER,
        n_control=INTEGER,
    ),
    "noise": _schema(
        {"step": INTEGER, "window": INTEGER},
        "training_loss heldout_loss memorizer_loss training_recovery heldout_recovery "
        "training_entropy heldout_entropy kl_memorizer kl_grammar position off_line",
        first_t=INTEGER,
        last_t=INTEGER,
    ),
    "strings": _schema(
        {"string": INTEGER, "side": TEXT},
        "log_p",
        stratum=INTEGER,
        tokens=TOKENS,
        log_p_by_level=pa.list_(NUMBER),
    ),
    "likelihood": _schema({"step": INTEGER, "string": INTEGER}, "p_value", loss=SHORT),
    "emissions": _schema({"step": INTEGER, "string": INTEGER}, count=INTEGER),
    "samples": _schema(
        {"step": INTEGER, "sample": INTEGER},
        tokens=TOKENS,
        parse=pa.list_(TOKENS),
        valid=FLAG,
        copied=FLAG,
    ),
    "timing": _schema(
        {"step": INTEGER},
        "training_seconds generating_seconds measuring_seconds memory_mib",
        members=INTEGER,
    ),
}
"""Table name -> schema. `timing` is the only table in which the clock appears.

Likelihood and noise are measured at every measured step; strings are generated at some of them. At
the others everything that generated strings decide is null in `curves`, `levels` and `typicality`,
and the other tables of generated strings have no rows.

curves: batch_loss is the mean loss of the batches since the measurement before; training_loss and
heldout_loss are means over fixed noisings of training and control strings, memorizer_loss that of
empirical Bayes on the same noisy training strings. gap_fraction (held-out - train)/(held-out -
memorizer) of losses beyond the grammar's on the same noisy strings; position and off_line tell
where the network stands between the grammar (0) and empirical Bayes (1). excess_copies E,
novel_validity V, typicality_slope T, relative_slope A, likelihood_slope T_L; memorized_excess is
the share of memorized strings beyond chance, memorized_excess_p_value the chance that strings which
are not memorized show as much. *_fit is the value that a perfect learner of the rules would show on
this corpus; *_se are standard errors; *_null_se are standard deviations over strings that are not
memorized, of a law with a long right tail.

levels: partial_memorization λ_l; copied and copied_control are raw shares of generated level-l
nodes whose substring occurs in the training or control strings; chance_validity is the chance
level of conditional_validity. typicality_slope and likelihood_slope are T and T_L over strata of
the level's part of log p. Rule columns are null at the leaves, which have no rules.

rules: rank 1 is the most probable rule; shares among the generated nodes that parse.

typicality: one row per stratum of equal typicality, most typical first; lower, upper and
mean_log_p in nats; copies_* are shares of all generated strings, emitted_* shares of the stratum's
strings that were generated at least once; memorized_share of the stratum's training strings have a
p-value of at most 0.05, memorized_null_rate would if none were memorized.

noise: one row per tenth of t = 1 … T. *_recovery: share of the redrawn leaves whose likeliest value
is the true one; *_entropy: of the posterior of a leaf, nats; kl_*: of the optimum's posterior of a
leaf from the network's, nats, on noised training strings.

likelihood: ELBO loss in nats of some training and control strings; conformal p_value of the
training strings, null for controls.

strings: training strings first, then controls; stratum null for strings that count for neither
side. samples.parse: per level 0 … L the symbols, -1 where a node does not parse.
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
        content = pq.read_table(io.BytesIO(data))
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordsError(f"table '{name}' cannot be read: {error}") from error
    return upgraded(name, content)


def upgraded(name: str, content: pa.Table) -> pa.Table:
    """A table of any older version in today's schema; columns it did not have are null.

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
    missing = [f for f in schema if f.name not in content.schema.names]
    for f in missing:
        content = content.append_column(f, pa.nulls(len(content), f.type))
    return content.select(schema.names).cast(schema)
