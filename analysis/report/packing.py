"""What a page holds of its figures: their drawings and their data, as compact as they come."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.charts.figure import Figure, plain
from analysis.charts.theme import THEMES


def script(document: Any) -> str:
    """JSON that cannot leave its script element, whatever text is in it."""
    return json.dumps(document, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def spec(figure: Figure) -> dict[str, Any]:
    """A figure in both themes, and what changes in it with the picked cell."""
    themes = {name: figure.spec(theme) for name, theme in THEMES.items()}
    return {**themes, "data": list(figure.by_cell), "signals": list(figure.domains)}


def data(figures: Sequence[Figure]) -> str:
    """All data: JSON, deflated, in base64.

    `whole` is drawn whole, `by_cell` of one cell at a time, `signals` follow the picked cell.
    """
    document = {
        "whole": {n: _columns(t) for f in figures for n, t in f.data.items()},
        "by_cell": {n: cells_columns(t) for f in figures for n, t in f.by_cell.items()},
        "signals": {name: cells for f in figures for name, cells in f.domains.items()},
    }
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Column -> values: rows without their repeated names."""
    return {str(name): plain(table[name]) for name in table.columns}


def cells_columns(table: pd.DataFrame) -> dict[str, dict[str, list[Any]]]:
    """Cell -> column -> values: `by_cell` data as compact as a page needs them.

    The ends of an interval are replaced by its half width, to two digits.
    """
    half = ((table["upper"] - table["lower"]) / 2).rename("half")
    cells, first = np.unique(table["cell"].to_numpy(dtype=object), return_index=True)
    order = np.argsort(first)
    cells, starts = cells[order], [*first[order].tolist(), len(table)]
    columns = {
        str(name): plain(table[name], 4)
        for name in table.columns
        if name not in ("cell", "lower", "upper")
    }
    columns["half"] = plain(half, 2)
    return {
        str(cell): {name: values[start:end] for name, values in columns.items()}
        for cell, start, end in zip(cells, starts, starts[1:], strict=False)
    }
