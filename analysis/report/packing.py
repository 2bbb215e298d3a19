"""What a page holds of its figures: their drawings and their data, as compact as they come."""

from __future__ import annotations

import base64
import json
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analysis.charts.figure import Figure, nulled, plain, rounded


def script(document: Any) -> str:
    """JSON that cannot leave its script element, whatever text is in it."""
    return _json(document).replace("<", "\\u003c")


class Data:
    """All data of a page, packed one figure after the other: JSON, deflated, in base64.

    `by_cell` is of one cell at a time, `whole` drawn whole, `signals` follow the picked cell. What
    is packed already need not stay in memory.

    Args:
        more: name -> what else the page shows, as JSON values.
    """

    def __init__(self, more: Mapping[str, Any]) -> None:
        self._packer = zlib.compressobj(6)
        self._packed: list[bytes] = []
        self._by_cell: set[str] = set()
        self._whole: dict[str, str] = {}
        self._signals: dict[str, Any] = {}
        self._put("{")
        for name, value in more.items():
            self._put(_json(name), ":", _json(value), ",")
        self._put('"by_cell":')

    def add(self, figure: Figure) -> None:
        """Pack what a figure draws, unless another one draws it too."""
        for name, table in figure.data.items():
            if name not in self._whole:
                self._whole[name] = _json(_columns(table))
        self._signals.update(figure.domains)
        for name, table in figure.by_cell.items():
            if name not in self._by_cell:
                self._put("," if self._by_cell else "{", _json(name), ":")
                self._stream(_cells(table))
                self._by_cell.add(name)

    def packed(self) -> str:
        """Everything; only once."""
        self._put("}" if self._by_cell else "{}", ',"whole":')
        self._stream(_members((name, [text]) for name, text in self._whole.items()))
        self._put(f',"signals":{_json(self._signals)}}}')
        return base64.b64encode(b"".join([*self._packed, self._packer.flush()])).decode()

    def _put(self, *parts: str) -> None:
        self._stream(parts)

    def _stream(self, parts: Iterable[str]) -> None:
        """JSON in parts: as objects of Python it takes many times its room."""
        self._packed.extend(self._packer.compress(part.encode()) for part in parts)


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


ROWS = 50_000
"""Rows of a table that are made ready together, with those left of the last of their cells."""


def cells_columns(table: pd.DataFrame) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """Every cell with its column -> values: `by_cell` data as compact as a page needs them.

    The ends of an interval are replaced by its half width, to two digits. Means and half widths are
    whole numbers of 10^-places, which deflate to two thirds of what decimals do.
    """
    starts = np.flatnonzero(np.diff(pd.factorize(table["cell"])[0], prepend=-1)).tolist()
    starts.append(len(table))
    while len(starts) > 1:
        end = max(1, bisect_right(starts, starts[0] + ROWS) - 1)
        rows = table.iloc[starts[0] : starts[end]]
        yield from _ready(rows, [start - starts[0] for start in starts[: end + 1]])
        starts = starts[end:]


def _ready(table: pd.DataFrame, starts: list[int]) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """The cells of a table, by the rows at which they start and the last one ends."""
    places = _places(table)
    half = (table["upper"] - table["lower"]) / 2
    columns = {
        str(name): _parts(table[name], 4)
        for name in table.columns
        if name not in ("cell", "mean", "lower", "upper")
    }
    columns["places"] = _parts(places, 0)
    columns["mean"] = _parts(_units(table["mean"], places, 4), 0)
    columns["half"] = _parts(_units(half, places, 2), 0)
    cells = table["cell"].iloc[starts[:-1]].tolist()
    for cell, (start, end) in zip(cells, pairwise(starts), strict=True):
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
