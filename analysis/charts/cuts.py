"""Intervals that go on beyond the frame: they are cut, and a triangle says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt


def cut_ends(rows: alt.Chart, limits: Sequence[float], colour: str) -> list[alt.Chart]:
    """Triangles at the ends of the horizontal axis where an interval goes on.

    Args:
        rows: with `lower`, `upper` and their vertical place.
        limits: the domain of the axis.
        colour: of the intervals.
    """
    import altair as alt

    low, high = limits
    ends = (
        ("triangle-left", f"datum.lower < {low}", low),
        ("triangle-right", f"datum.upper > {high}", high),
    )
    return [
        rows.transform_filter(beyond)
        .mark_point(shape=shape, filled=True, size=44, color=colour, opacity=1, tooltip=None)
        .encode(x=alt.XDatum(at, type="quantitative"))
        for shape, beyond, at in ends
    ]
