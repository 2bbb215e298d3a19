"""The tables of measured quantities in NOTATION.md, from their declarations.

`python -m study.measures` prints them, `python -m study.measures NOTATION.md` puts them in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from study.measures import registry
from study.measures.declared import Column

HEADINGS = (
    "symbol",
    "column",
    "meaning, definition",
    "unit, range",
    "exact grammar · perfect memorizer",
    "null",
    "source",
)

FIRST, LAST = "<!-- python -m study.measures NOTATION.md -->", "<!-- end -->"
"""The lines between which the tables stand."""


def in_place(document: str) -> str:
    """A document with today's tables between its two marks; ValueError where it lacks them."""
    before, mark, rest = document.partition(FIRST)
    _, end, after = rest.partition(LAST)
    if not mark or not end:
        raise ValueError(f"the tables stand between the lines '{FIRST}' and '{LAST}'")
    return f"{before}{FIRST}\n\n{notation()}\n{LAST}{after}"


def notation() -> str:
    """One Markdown section per table, its columns in the order of the schema."""
    return "\n\n".join(_section(name, table) for name, table in registry.TABLES.items()) + "\n"


def _section(name: str, table: registry.Table) -> str:
    heading = f"### `{name}`: one row per {table.row}"
    rows = map(_row, registry.columns(name))
    return f"{heading}\n\n{_table(HEADINGS, rows)}"


def _row(column: Column) -> tuple[str, ...]:
    grammar, memorizer = column.grammar or "–", column.memorizer or "–"
    return (
        column.symbol,
        f"`{column.name}`",
        _joined(": ", column.meaning, column.formula),
        _joined(", ", column.unit, column.range),
        f"{grammar} · {memorizer}" if column.grammar or column.memorizer else "",
        "never" if column.key else column.null,
        "" if column.key else column.source,
    )


def _joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("|" + "".join(map(_cell, line)) for line in lines)


def _cell(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f" {escaped} |" if text else " |"
