"""Colours, type and spacing of every figure, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from analysis.statistics.regimes import REGIMES

FONT = "Inter, Helvetica Neue, Helvetica, Arial, DejaVu Sans, sans-serif"
"""Ends with the generic family: without one, PNG files come out without any text."""


STEP_LABEL = "datum.value < 1e5 ? format(datum.value, ',') : format(datum.value, '.3~s')"
"""Vega expression of a tick at a training step: 4,096 but 1.05M."""


PICKED_CELL = "picked_cell"
"""Name of the signal that holds the picked cell, in every figure that shows which one it is."""

REGIME_COLOURS = ("#a8afb6", "#2f7fb8", "#f7cb46", "#b5224a")
"""In the order of `REGIMES`, one for both themes: each stands out from white and from the dark
ground, and any two differ under protanopia, deuteranopia, tritanopia and in grey."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of a figure.

    Attributes:
        regimes: in the order of `REGIMES`.
        halo: under the dashed boundary, so that it shows on every regime.
        series: for lines that are told apart by name.
        steps, levels: colours along rising steps, and of levels, root first.
    """

    name: Literal["light", "dark", "symbolic"]
    background: str
    ink: str
    muted: str
    grid: str
    regimes: tuple[str, str, str, str]
    line: str
    halo: str
    series: tuple[str, ...]
    steps: tuple[str, ...]
    levels: tuple[str, ...]


LIGHT = Theme(
    name="light",
    background="#ffffff",
    ink="#1c1f23",
    muted="#626a73",
    grid="#e9ebee",
    regimes=REGIME_COLOURS,
    line="#111418",
    halo="#ffffff",
    series=("#8c1d40", "#2b7bba", "#b07d00", "#626a73"),
    steps=("#fde725", "#addc30", "#5ec962", "#21918c", "#31688e", "#443983", "#440154"),
    levels=("#3b0f52", "#7a2a78", "#bb3f6b", "#e0694a", "#d99413", "#8a8f1c"),
)

DARK = Theme(
    name="dark",
    background="#14181d",
    ink="#e8eaed",
    muted="#9aa4af",
    grid="#272d34",
    regimes=REGIME_COLOURS,
    line="#ffffff",
    halo="#14181d",
    series=("#ff8a3d", "#56b4e9", "#f0e442", "#9aa4af"),
    steps=("#5a4a9c", "#3f6fae", "#2c92a5", "#2fb489", "#74d055", "#c2df23", "#fde725"),
    levels=("#f7d6a8", "#f3a683", "#e2708b", "#b45fb5", "#7f74d6", "#5b9be0"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

BAND = 0.17
"""Opacity of an interval over seeds."""


def _symbolic() -> Theme:
    """A theme whose colours are names, such as `theme:series-0;`."""
    names: dict[str, Any] = {"name": "symbolic"}
    for field in fields(Theme)[1:]:
        value = getattr(LIGHT, field.name)
        many = isinstance(value, tuple)
        own = [f"theme:{field.name}-{i};" for i in range(len(value))] if many else ""
        names[field.name] = tuple(own) if many else f"theme:{field.name};"
    return Theme(**names)


SYMBOLIC = _symbolic()
"""What charts are drawn in, once; a theme then fills in its colours."""


def coloured(document: str, theme: Theme) -> str:
    """A text with the colours of a theme in the place of their names."""
    for field in fields(Theme)[1:]:
        names, colours = getattr(SYMBOLIC, field.name), getattr(theme, field.name)
        pairs = [(names, colours)] if isinstance(names, str) else zip(names, colours, strict=True)
        for name, colour in pairs:
            document = document.replace(name, colour)
    return document


def regime_colours(theme: Theme) -> dict[str, str]:
    """Regime -> colour."""
    return dict(zip(REGIMES, theme.regimes, strict=True))


def level_colours(theme: Theme, count: int) -> list[str]:
    """Colours of levels 0 … count-1, spread over the theme's range."""
    colours = theme.levels
    if count <= 1:
        return list(colours[:1])
    last = len(colours) - 1
    return [colours[round(i * last / (count - 1))] for i in range(count)]


def config(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite configuration of a theme."""
    words = {"labelColor": theme.ink, "titleColor": theme.ink, "labelFont": FONT, "titleFont": FONT}
    return {
        "background": theme.background,
        "font": FONT,
        "padding": 6,
        "view": {"stroke": None},
        "axis": {
            **words,
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "domainColor": theme.muted,
            "tickColor": theme.muted,
            "gridColor": theme.grid,
            "tickSize": 4,
        },
        "legend": {
            **words,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titleColor": theme.muted,
            "titleLimit": 400,
            "symbolStrokeWidth": 2,
        },
        "title": {
            "color": theme.ink,
            "subtitleColor": theme.muted,
            "font": FONT,
            "subtitleFont": FONT,
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleFontSize": 11,
            "subtitlePadding": 4,
            "anchor": "start",
            "frame": "group",
            "offset": 10,
        },
        "rule": {"color": theme.muted},
        "text": {"color": theme.ink, "font": FONT},
    }


def spaced(values: Sequence[int], at_most: int) -> list[int]:
    """The last value and those at equal distances before it, so many that they stay readable."""
    every = max(1, -(-len(values) // at_most))
    return list(values[::-1][::every][::-1])
