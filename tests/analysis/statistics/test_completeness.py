"""How complete each region of a phase diagram is."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.statistics.completeness import completeness
from study.store.listing import Listed

AXES = ["corpus.size", "network.width"]


def planned() -> list[Listed]:
    """Four sizes by two widths by two depths, two seeds each."""
    return [
        Listed(
            hash=f"{depth}-{size}-{width}-{seed}",
            seed=seed,
            label=f"{depth} {size} {width}",
            last_step=1000,
            cell={
                "grammar.depth": depth,
                "grammar.zipf": {str(depth): 1.5},
                "corpus.size": size,
                "network.width": width,
            },
        )
        for depth in (3, 4)
        for size in (64, 128, 256, 512)
        for width in (8, 16)
        for seed in (0, 1)
    ]


def trained(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["training", "state", "step"])


def test_a_region_is_a_quadrant_of_a_panel():
    found = completeness(
        planned(),
        trained(
            ("3-64-8-0", "finished", 1000),
            ("3-64-8-1", "unfinished", 250),
            ("3-128-8-0", "diverged", 500),
            ("4-512-16-1", "running", 500),
        ),
        AXES,
    ).set_index("region")
    assert len(found) == 8
    assert (found["trainings"] == 4).all() and (found["cells"] == 2).all()
    corner = found.loc["L = 3 · N = 64 … 128 · W = 8"]
    assert (corner["measured"], corner["finished"]) == (2, 2)
    assert corner["steps"] == pytest.approx((1000 + 250 + 1000) / 4000)
    other = found.loc["L = 4 · N = 256 … 512 · W = 16"]
    assert (other["measured"], other["finished"]) == (1, 0)
    assert other["steps"] == pytest.approx(500 / 4000)
    assert found.drop(index=[corner.name, other.name])["steps"].eq(0).all()


def test_steps_beyond_the_plan_count_no_more_than_planned():
    whole = [(each.hash, "finished", 4000) for each in planned()]
    found = completeness(planned(), trained(*whole), AXES)
    assert (found["finished"] == found["trainings"]).all()
    assert (found["steps"] == 1).all()


def test_a_sweep_of_one_cell_is_one_region_and_nothing_planned_is_none():
    (one,) = [e for e in planned() if e.hash == "3-64-8-0"]
    assert completeness([one], trained(), AXES)["trainings"].tolist() == [1]
    assert completeness([], trained(), AXES).empty
