"""Panels of a diagram: equal, and so large that the whole is seen at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts.layout import (
    GAP,
    HEADING,
    HEIGHT,
    LABELS,
    MOST_IN_A_ROW,
    SMALLEST,
    STRIPS,
    WIDTH,
    layout_of,
)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(2, 50))
def test_rows_are_never_wider_than_half_a_screen(panels, x, y):
    found = layout_of(panels, x, y)
    assert found.columns <= min(panels, MOST_IN_A_ROW)
    assert found.whole <= WIDTH
    assert min(found.width, found.height) >= SMALLEST


@pytest.mark.parametrize("panels", [1, 2, 3, 4, 6, 8])
def test_some_panels_are_seen_whole(panels):
    found = layout_of(panels, 5, 5)
    rows = -(-panels // found.columns)
    assert rows * found.height + (rows - 1) * GAP <= HEIGHT


def test_one_axis_makes_a_strip():
    assert layout_of(3, 4, 1).columns == 1


@pytest.mark.parametrize("panels", [1, 3, 4, 8, 18])
def test_strips_are_seen_whole_and_the_lowest_name_their_axis(panels):
    found = layout_of(panels, 2, 1)
    rows = -(-panels // found.columns)
    assert rows * (found.height + HEADING + LABELS) <= STRIPS
    assert found.whole <= WIDTH
    lowest = [i for i in range(panels) if found.is_lowest(i, panels)]
    assert lowest == list(range(max(0, panels - found.columns), panels))
