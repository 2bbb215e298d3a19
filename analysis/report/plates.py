"""Figures as a page shows them: words and specifications, without their data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.charts.figure import Figure
from analysis.charts.theme import THEMES


@dataclass(frozen=True)
class Plate:
    """A figure of a page.

    Attributes:
        title, caption: as of the figure.
        spec: in both themes, and what changes in it with the picked cell.
    """

    title: str
    caption: str
    spec: dict[str, Any]

    @classmethod
    def of(cls, figure: Figure) -> Plate:
        """The plate of a figure."""
        themes = {name: figure.spec(theme) for name, theme in THEMES.items()}
        changing = {"data": list(figure.by_cell), "signals": list(figure.domains)}
        return cls(figure.title, figure.caption, {**themes, **changing})
