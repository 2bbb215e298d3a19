"""Curves as they are declared with the measurements: what is drawn where, and what it means."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.charts.panels import Panel
from study.measures import registry
from study.measures.declared import Column


def drawn(table: str) -> dict[str, list[Column]]:
    """Panel -> the columns of a table that it shows, in the order of the legend."""
    panels: dict[str, list[Column]] = {}
    for column in sorted(registry.columns(table), key=_is_later):
        if column.curve is not None:
            panels.setdefault(column.curve.panel, []).append(column)
    return panels


def _is_later(column: Column) -> bool:
    return column.curve is None or not column.curve.first


def series(columns: Sequence[Column]) -> dict[str, str]:
    """Column -> name in the legend."""
    return {column.name: column.curve.name for column in columns if column.curve}


def explained(panels: Sequence[Panel], *tables: str) -> str:
    """What the curves of the panels mean, panel by panel, for a caption."""
    columns: dict[str, list[Column]] = {}
    for table in tables:
        for name, own in drawn(table).items():
            columns.setdefault(name, []).extend(own)
    parts = []
    for panel in panels:
        meanings = [text for column in columns[panel.name] if (text := _explained(column))]
        if meanings:
            parts.append(f"{panel.title.rstrip('?')}: {'; '.join(meanings)}.")
    return " ".join(parts)


def _explained(column: Column) -> str:
    curve = column.curve
    if curve is None or curve.obvious:
        return ""
    return f"{curve.name}, {column.meaning}" if curve.name else column.meaning
