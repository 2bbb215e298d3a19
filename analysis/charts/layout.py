"""How many panels stand in a row, and how large they are, so that a diagram is seen whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

WIDTH, HEIGHT = 470, 380
"""Pixels that all panels of a diagram have together: half a laptop's screen."""

GAP, HEADING = 16, 26
"""Pixels between panels, and above each for its title."""

SMALLEST = 84
"""Pixels of a side below which nothing is seen: with more panels a diagram grows downwards."""

MOST_IN_A_ROW = 4

HEADROOM = 7
"""Pixels above a panel that its uppermost label, or the frame of a cell, may take."""

CELL, LINE = 84, 64
"""Pixels of the largest cell, and of the only row of a diagram with one axis."""

STRIPS, LABELS, THINNEST = 460, 25, 20
"""Pixels of all strips of such a diagram, of the labels below each, and of the thinnest strip."""


@dataclass(frozen=True)
class Layout:
    """Panels of equal size.

    Attributes:
        columns: panels in a row.
        width, height: of each, in pixels.
    """

    columns: int
    width: int
    height: int

    @property
    def whole(self) -> int:
        """Pixels from the left of the first panel to the right of the last of a row."""
        return self.columns * self.width + (self.columns - 1) * GAP

    def is_lowest(self, place: int, panels: int) -> bool:
        """Whether no panel stands below the one at a place, so that it names the axis."""
        return place + self.columns >= panels


def layout_of(panels: int, x: int, y: int) -> Layout:
    """The layout in which panels of x by y cells are largest.

    Args:
        panels: how many there are.
        x, y: cells along each axis; y = 1 where the diagram has one axis.
    """
    if y == 1:
        return _strips(panels, x)
    found = [_columns(n, panels, x, y) for n in range(1, min(panels, MOST_IN_A_ROW) + 1)]
    return max(found, key=lambda layout: (min(layout.width, 1.2 * layout.height), layout.columns))


def _strips(panels: int, x: int) -> Layout:
    columns = 1 if panels <= 3 else 2 if panels <= 10 else 3
    rows = ceil(panels / columns)
    width = min((WIDTH - (columns - 1) * GAP) // columns, max(280, CELL * x))
    height = STRIPS // rows - HEADING - LABELS
    return Layout(columns, width, max(THINNEST, min(LINE, height)))


def _columns(columns: int, panels: int, x: int, y: int) -> Layout:
    rows = ceil(panels / columns)
    width = min((WIDTH - (columns - 1) * GAP) // columns, max(150, CELL * x))
    height = min((HEIGHT - rows * HEADING) // rows, max(150, CELL * y), ceil(1.3 * width))
    return Layout(columns, max(SMALLEST, width), max(SMALLEST, height))


def headroom(height: int) -> alt.Chart:
    """Nothing that is seen: what it takes keeps the titles of neighbouring panels on one line."""
    import altair as alt

    unseen = alt.Chart(alt.sequence(1)).mark_rect(fill="transparent", aria=False)
    return unseen.encode(
        x=alt.value(0), x2=alt.value(1), y=alt.value(-HEADROOM), y2=alt.value(height)
    )
