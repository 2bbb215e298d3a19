"""What a measured quantity is: one declaration per column of a table.

Whatever else is said of a column follows from its declaration: the Arrow schema of its table
(`study.store.records`), the tables of NOTATION.md (`python -m study.measures`), whether steps
without generated strings leave it null, its curve in the report, and its line in the report's data
dictionary. A file that computes columns declares them as `COLUMNS`, in the order of the schema;
`study.measures.registry` collects them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Tables = dict[str, dict[str, list[Any]]]
"""Table name -> column -> values, one per row; undefined is None."""

Kind = Literal["number", "short", "integer", "text", "flag", "tokens", "numbers", "token lists"]
"""Of values: float64, float32, int64, string, boolean, and lists of int16, float64 and of lists."""

UNSAMPLED = "where no strings are generated"

NO_LAW = "of strings without a grammar"
"""What needs the law of the strings is null where it is unknown."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Where a column is drawn.

    Attributes:
        panel: the panel's name; a column of `levels` has a panel to itself, one curve per level.
        name: of the curve, in the legend; empty in `levels`.
        first: whether it comes before curves declared earlier, in legend and colours.
        obvious: whether name and axis say what it is, so that captions need not.
    """

    panel: str
    name: str = ""
    first: bool = False
    obvious: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of one table.

    Attributes:
        name, table: of the column and its table.
        meaning: what it is, a phrase without a full stop; the report's captions say it.
        formula: how it follows from other symbols, if that says more.
        symbol: in formulas; empty where it has none.
        unit: such as `nats`; empty where it has none.
        range: of its values.
        grammar, memorizer: its value for the exact grammar and for a perfect memorizer, which emits
            training strings alike; empty where it has none that is worth knowing.
        source: the paper, as NOTATION.md cites it, or `ours`.
        null: where it is undefined; empty where it never is. Steps without generated strings go
            without saying, see `generated`.
        generated: whether generated strings decide it, so that it is null where there are none.
        error: the column that holds its error.
        key: whether it tells rows apart; it is never null.
        kind: of its values.
        curve: where the report draws it; None: nowhere.
    """

    name: str
    table: str
    meaning: str
    formula: str = ""
    symbol: str = ""
    unit: str = ""
    range: str = ""
    grammar: str = ""
    memorizer: str = ""
    source: str = "ours"
    null: str = ""
    generated: bool = False
    error: str = ""
    key: bool = False
    kind: Kind = "number"
    curve: Curve | None = None

    @property
    def undefined(self) -> str:
        """Every case in which it is null, in words; empty where there is none."""
        unsampled = UNSAMPLED if self.generated and self.table in PER_STEP else ""
        return ", and ".join(part for part in (self.null, unsampled) if part)

    @property
    def place(self) -> str:
        """`table.name`."""
        return f"{self.table}.{self.name}"


PER_STEP = ("curves", "levels", "typicality", "noise", "likelihood")
"""Tables with rows at every measured step, whether strings are generated at it or not."""


def with_error(column: Column, *, formula: str = "") -> tuple[Column, Column]:
    """A column and `<name>_se`, its standard error over generated strings."""
    error = Column(
        name=f"{column.name}_se",
        table=column.table,
        meaning=f"standard error of `{column.name}` over generated strings",
        formula=formula,
        unit=column.unit,
        range="≥ 0",
        null=f"where `{column.name}` is" if column.null else "",
        generated=column.generated,
    )
    return replace(column, error=error.name), error
