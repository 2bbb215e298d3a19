"""What a page holds of its figures: their drawings and their data, as compact as they come."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.charts.figure import Figure, nulled, plain, rounded
from analysis.charts.theme import THEMES


def script(document: Any) -> str:
    """JSON that cannot leave its script element, whatever text is in it."""
    return _json(document).replace("<", "\\u003c")


def spec(figure: Figure) -> dict[str, Any]:
    """A figure in both themes, and what changes in it with the picked cell."""
    themes = {name: figure.spec(theme) for name, theme in THEMES.items()}
    return {**themes, "data": list(figure.by_cell), "signals": list(figure.domains)}


def data(figures: Sequence[Figure], more: Mapping[str, Any] | None = None) -> str:
    """All data: JSON, deflated, in base64.

    `whole` is drawn whole, `by_cell` of one cell at a time, `signals` follow the picked cell.

    Args:
        figures: whose data it is.
        more: name -> what else the page shows, as JSON values.
    """
    packer = zlib.compressobj(6)
    packed = [packer.compress(text.encode()) for text in _document(figures, more or {})]
    return base64.b64encode(b"".join([*packed, packer.flush()])).decode()


def _document(figures: Sequence[Figure], more: Mapping[str, Any]) -> Iterator[str]:
    """The JSON of all data in parts: as objects of Python it takes many times its room."""
    whole = {name: table for f in figures for name, table in f.data.items()}
    by_cell = {name: table for f in figures for name, table in f.by_cell.items()}
    signals = {name: cells for f in figures for name, cells in f.domains.items()}
    yield '{"whole":'
    yield from _members((name, [_json(_columns(table))]) for name, table in whole.items())
    yield ',"by_cell":'
    yield from _members((name, _cells(table)) for name, table in by_cell.items())
    yield f',"signals":{_json(signals)}'
    for name, value in more.items():
        yield f",{_json(name)}:{_json(value)}"
    yield "}"


def _cells(table: pd.DataFrame) -> Iterator[str]:
    return _members((cell, [_json(columns)]) for cell, columns in cells_columns(table))


def _members(members: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """The JSON of an object, in parts, from its names and the parts of what they name."""
    before = "{"
    for name, value in members:
        yield f"{before}{_json(name)}:"
        yield from value
        before = ","
    yield "}" if before == "," else "{}"


def _json(document: Any) -> str:
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Column -> values: rows without their repeated names."""
    return {str(name): plain(table[name]) for name in table.columns}


def cells_columns(table: pd.DataFrame) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """Every cell with its column -> values: `by_cell` data as compact as a page needs them.

    The ends of an interval are replaced by its half width, to two digits. Means and half widths are
    whole numbers of 10^-places, which deflate to two thirds of what decimals do.
    """
    places = _places(table)
    half = (table["upper"] - table["lower"]) / 2
    cells, first = np.unique(table["cell"].to_numpy(dtype=object), return_index=True)
    order = np.argsort(first)
    cells, starts = cells[order], [*first[order].tolist(), len(table)]
    columns = {
        str(name): _parts(table[name], 4)
        for name in table.columns
        if name not in ("cell", "mean", "lower", "upper")
    }
    columns["places"] = _parts(places, 0)
    columns["mean"] = _parts(_units(table["mean"], places, 4), 0)
    columns["half"] = _parts(_units(half, places, 2), 0)
    for cell, start, end in zip(cells, starts, starts[1:], strict=False):
        yield str(cell), {name: part(slice(start, end)) for name, part in columns.items()}


def _places(table: pd.DataFrame) -> pd.Series:
    """Decimals of each row: three, or as many as give its panel's largest mean four digits."""
    panel = [table["cell"], *([table["panel"]] if "panel" in table else [])]
    largest = table["mean"].abs().groupby(panel, sort=False, observed=True).transform("max")
    known = largest.where(largest > 0, 1.0).to_numpy(dtype=float)
    return pd.Series(np.maximum(3, 3 - np.floor(np.log10(known))).astype(int), index=table.index)


def _units(values: pd.Series, places: pd.Series, digits: int) -> pd.Series:
    """Numbers to so many significant digits as whole numbers of 10^-places."""
    known = rounded(values.to_numpy(dtype=float, na_value=np.nan), digits)
    units = pd.Series(np.round(known * 10.0 ** places.to_numpy()), index=values.index)
    return units.astype("Int64")


def _parts(column: pd.Series, digits: int) -> Callable[[slice], list[Any]]:
    """The parts of a column as `plain` gives them, made when asked for: a list takes much room."""
    if pd.api.types.is_float_dtype(column):
        numbers = rounded(column.to_numpy(dtype=float, na_value=np.nan), digits)
        return lambda part: nulled(numbers[part])
    codes, found = pd.factorize(column)
    values = [*plain(pd.Series(found)), None]  # a missing value has the code -1
    return lambda part: [values[code] for code in codes[part].tolist()]
