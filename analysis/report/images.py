"""Figures as images: their files, and what a page shows to readers without scripts."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from analysis.charts.figure import Figure
from analysis.charts.theme import Theme

LARGE = 400_000
"""Bytes of an SVG beyond which a page holds a PNG instead."""


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
    raster.write_bytes(vl_convert.svg_to_png(image, scale=magnification))
    return [vector, raster]


def data_uri(image: str) -> str:
    """An SVG image as an address that needs no file; a large one as a PNG."""
    import vl_convert

    media, data = "image/svg+xml", image.encode()
    if len(data) > LARGE:
        media, data = "image/png", vl_convert.svg_to_png(image, scale=1.0)
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


def vega_lite_version() -> str:
    """The Vega-Lite version that altair writes, as vl-convert counts them, e.g. `6.4`."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
