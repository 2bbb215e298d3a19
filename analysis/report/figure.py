"""Figures: a chart for either theme, the data it draws, and its files."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.charts.theme import SYMBOLIC, Theme, coloured, config

if TYPE_CHECKING:
    import altair as alt

LARGE = 400_000
"""Bytes of an SVG beyond which a page holds a PNG instead."""

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
        column = pd.Series(rounded(column.to_numpy(dtype=float, na_value=np.nan), digits))
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def rounded(values: np.ndarray, digits: int) -> np.ndarray:
    """Numbers to so many significant digits, with the shortest decimals that say so."""
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    places = digits - 1 - np.floor(np.log10(size)).astype(int)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.round(values * up / down) / up * down


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


def svg(figure: Figure, theme: Theme) -> str:
    """The figure as an SVG image; nothing is fetched from anywhere."""
    import vl_convert

    spec = {**figure.spec(theme), "datasets": figure.datasets()}
    image = vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version(), allowed_base_urls=[])
    return _renumbered(image)


def _renumbered(image: str) -> str:
    """Clip paths counted from 1: the renderer counts them over all images of a process."""
    names = dict.fromkeys(re.findall(r"\bclip\d+\b", image))
    numbers = {name: f"clip{i}" for i, name in enumerate(names, start=1)}
    return re.sub(r"\bclip\d+\b", lambda match: numbers[match[0]], image)


def write_images(name: str, image: str, folder: Path, *, magnification: float = 2.0) -> list[Path]:
    """`<name>.svg` and `<name>.png` of an SVG image, in a folder that exists."""
    import vl_convert

    vector, raster = folder / f"{name}.svg", folder / f"{name}.png"
    vector.write_text(image, encoding="utf-8")
    raster.write_bytes(packed(vl_convert.svg_to_png(image, scale=magnification)))
    return [vector, raster]


def packed(png: bytes) -> bytes:
    """The same PNG image, deflated well: the renderer prefers speed and takes thrice the room.

    A file is a signature of 8 bytes and chunks of length, name, content and checksum; the contents
    of its IDAT chunks, one after the other, are one zlib stream.
    """
    head, pixels, rest, at = png[:8], b"", b"", 8
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            pixels += png[at + 8 : end - 4]
        elif pixels:
            rest += png[at:end]
        else:
            head += png[at:end]
        at = end
    named = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
    return head + _integer(len(named) - 4) + named + _integer(zlib.crc32(named)) + rest


def _integer(value: int) -> bytes:
    return value.to_bytes(4, "big")


def data_uri(image: str) -> str:
    """An SVG image as an address that needs no file; a large one as a PNG."""
    import vl_convert

    media, data = "image/svg+xml", image.encode()
    if len(data) > LARGE:
        media, data = "image/png", packed(vl_convert.svg_to_png(image, scale=1.0))
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


def vega_lite_version() -> str:
    """The Vega-Lite version that altair writes, as vl-convert counts them, e.g. `6.4`."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
