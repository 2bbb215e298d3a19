"""The data dictionary: what every column of the tables means."""

from __future__ import annotations

import pandas as pd

from study.measures import registry

COLUMNS = (
    "table", "column", "symbol", "meaning", "formula", "unit", "range", "exact_grammar",
    "perfect_memorizer", "null", "standard_error", "source",
)  # fmt: skip


def data_dictionary() -> pd.DataFrame:
    """One row per column of every table, as declared, in the order of the tables.

    Returns:
        `COLUMNS`, all text; what does not apply is empty. `null` says where the column is
        undefined, `standard_error` which column holds its error.
    """
    rows = [
        (
            column.table, column.name, column.symbol, column.meaning, column.formula, column.unit,
            column.range, column.grammar, column.memorizer, column.undefined, column.error,
            column.source if not column.key else "",
        )
        for column in registry.declared()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")
