"""Figures: a chart for either theme, and the data it draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.charts.theme import SYMBOLIC, Theme, coloured, config

if TYPE_CHECKING:
    import altair as alt

DIGITS = 5
"""Significant digits of the numbers in a chart; the full ones are in the data files."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that can be drawn in either theme.

    Attributes:
        name: of its files.
        title, caption: what it shows, in words.
        draw: the chart in a theme's colours; it refers to the data by name.
        data: name -> table that is drawn whole, shared by both themes.
        by_cell: name -> table with a column `cell`, sorted by it, of which only the picked cell's
            rows are drawn; mean, lower and upper lie symmetrically.
        domains: signal -> cell -> what the signal is while that cell is picked.
        picked: the cell that is shown first.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Theme], alt.TopLevelMixin]
    data: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    by_cell: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    domains: Mapping[str, Mapping[str, list[float]]] = field(default_factory=dict)
    picked: str = ""

    def spec(self, theme: Theme) -> dict[str, Any]:
        """The Vega-Lite specification without its data."""
        return {**json.loads(coloured(self._drawn, theme)), "config": config(theme)}

    @cached_property
    def _drawn(self) -> str:
        """The specification with names of colours: drawing takes longer than filling them in."""
        document: dict[str, Any] = self.draw(SYMBOLIC).to_dict(validate=False)
        document.pop("datasets", None)
        return json.dumps(document, allow_nan=False)

    def datasets(self) -> dict[str, list[dict[str, Any]]]:
        """The data by name as they are shown first, undefined values as null."""
        picked = {name: table[table["cell"] == self.picked] for name, table in self.by_cell.items()}
        return {name: rows(table) for name, table in {**self.data, **picked}.items()}


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as JSON rows: undefined values are null, infinities refused by whoever writes it."""
    names = [str(name) for name in table.columns]
    columns = [plain(table[name]) for name in table.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def plain(column: pd.Series, digits: int = DIGITS) -> list[Any]:
    """A column as JSON values: undefined ones null, numbers with so many significant digits."""
    if pd.api.types.is_float_dtype(column):
        return nulled(rounded(column.to_numpy(dtype=float, na_value=np.nan), digits))
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def nulled(numbers: np.ndarray) -> list[Any]:
    """Numbers as JSON values: undefined ones null."""
    values = numbers.tolist()
    for i in np.flatnonzero(np.isnan(numbers)):
        values[i] = None
    return values


def rounded(values: np.ndarray, digits: int) -> np.ndarray:
    """Numbers to so many significant digits, with the shortest decimals that say so."""
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    places = digits - 1 - np.floor(np.log10(size)).astype(int)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.round(values * up / down) / up * down
