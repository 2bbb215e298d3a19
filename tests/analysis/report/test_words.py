"""Numbers and sentences of the report."""

from __future__ import annotations

import math

import pytest

from analysis.frames.wording import counted, interval, lasting, listed, number
from analysis.report import words


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.126, "0.13"), (-0.126, "−0.13"), (-0.001, "0.00"), (None, "—"), (math.nan, "—")],
)
def test_numbers(value, said):
    assert number(value) == said


def test_intervals_only_where_there_is_one():
    assert interval(0.3, 0.2, 0.4) == "0.30 [0.20, 0.40]"
    assert interval(0.3, math.nan, math.nan) == "0.30"
    assert interval(math.nan, None, None) == "—"


@pytest.mark.parametrize(
    ("onset", "said"),
    [
        (("none", 1234.4, 1024.0, 2048.0), "1,234"),
        (("right", math.nan, 2048.0, math.nan), "> 2,048"),
        (("left", math.nan, math.nan, 64.0), "≤ 64"),
        (("undefined", math.nan, math.nan, math.nan), "—"),
    ],
)
def test_censored_onsets_are_never_numbers(onset, said):
    assert words.onset(*onset) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.309, "0.31 s"), (43.2, "43 s"), (90, "1.5 min"), (3540, "59 min"), (12_240, "3.4 h")],
)
def test_times_are_told_in_the_unit_that_fits(seconds, said):
    assert lasting(seconds) == said


def test_lists_and_counts():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert counted(1, "cell") == "1 cell"
    assert counted(1200, "cell") == "1,200 cells"
