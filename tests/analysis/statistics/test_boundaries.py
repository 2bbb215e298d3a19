"""P(memorized) = 0.5 on the slices of a phase diagram."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.boundaries import Slice, boundary, seed_crossing

NONE = math.nan


@pytest.mark.parametrize(
    ("excess", "expected"),
    [
        ([1.0, 0.0, 0.0], 0.5),
        ([0.0, 0.0, 1.0], 1.5),
        ([1.0, NONE, 0.0], 1.0),
        ([1.0, 0.9, 0.8], math.inf),
        ([0.1, 0.2, 0.3], -math.inf),
        ([1.0, 0.0, 1.0], None),
        ([NONE, NONE, 1.0], None),
    ],
)
def test_where_one_seed_crosses(excess, expected):
    assert seed_crossing(Slice([0.0, 1.0, 2.0], excess), 0.5) == expected


def seeds(rows, size=(64, 256, 1024)):
    parts = [
        pd.DataFrame({"x": size, "y": 16.0, "seed": seed, "excess_copies": row})
        for seed, row in enumerate(rows)
    ]
    return pd.concat(parts, ignore_index=True)


def test_the_line_is_the_median_over_seeds_between_the_geometric_midpoints():
    rows = [[1, 0, 0], [1, 1, 0], [1, 0.75, 0.25]]
    (found,) = boundary(seeds(rows), along="x", across=["y"], log=True).to_dict("records")
    assert found["position"] == pytest.approx(512)
    assert (found["lower"], found["upper"]) == (pytest.approx(128), pytest.approx(512))
    assert (found["coverage"], found["seeds"]) == (0.75, 3)


def test_seeds_that_never_cross_keep_their_side():
    rows = [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    (found,) = boundary(seeds(rows), along="x", across=["y"], log=True).to_dict("records")
    assert found["position"] == pytest.approx(128)
    assert (found["lower"], found["upper"]) == (0.0, math.inf)


def test_no_line_where_the_median_seed_does_not_cross():
    rows = [[1, 1, 1], [1, 1, 1], [1, 0, 0]]
    assert boundary(seeds(rows), along="x", across=["y"], log=True).empty


def test_memorization_that_grows_along_the_axis_has_its_ends_the_other_way_round():
    rows = [[1, 1, 1], [0, 0, 1], [0, 1, 1]]
    (found,) = boundary(seeds(rows), along="x", across=["y"], log=True).to_dict("records")
    assert found["position"] == pytest.approx(128)
    assert (found["lower"], found["upper"]) == (0.0, pytest.approx(512))


def test_half_of_the_seeds_memorize_on_each_side_of_the_line():
    rng = np.random.default_rng(3)
    sizes = 2.0 ** np.arange(4, 13)
    turns = rng.uniform(6, 11, size=9)
    rows = [1 / (1 + np.exp(3 * (np.log2(sizes) - turn))) for turn in turns]
    table = seeds(rows, size=sizes)
    (found,) = boundary(table, along="x", across=["y"], log=True).to_dict("records")
    for size, share in (
        table.assign(m=table["excess_copies"] >= 0.5).groupby("x")["m"].mean().items()
    ):
        assert (share > 0.5) == (size < found["position"])
