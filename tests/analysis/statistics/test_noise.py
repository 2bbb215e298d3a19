"""What is known at every noise level."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Tables
from analysis.charts.noise import PANELS
from analysis.charts.panels import series_of
from analysis.statistics.noise import noise_table

SERIES = series_of(PANELS)


def test_noise_is_that_of_the_last_step(tables: Tables):
    table = noise_table(tables, SERIES)
    assert set(table["step"]) == {4096}
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["series"] == "of the grammar")]
    assert own["noise"].tolist() == pytest.approx([(10 * w + 6) / 100 for w in range(10)])
    position = table[table["panel"] == "position"]
    assert position["mean"].between(0, 1).all()


def test_a_point_by_noise_level_stands_on_half_of_the_seeds(tables: Tables):
    noise = tables["noise"].copy()
    cells = noise["training"].map(tables.trainings.set_index("training")["cell"])
    one = (cells == "L=3 · N=256 · W=64") & (noise["window"] >= 4)
    seeds = noise["training"].map(tables.trainings.set_index("training")["seed"])
    noise.loc[one & (seeds > 0), "position"] = np.nan
    noise.loc[one & (noise["window"] == 4) & (seeds == 1), "position"] = 0.5
    table = noise_table({**tables, "noise": noise}, SERIES)
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["panel"] == "position")]
    assert own["window"].tolist() == [0, 1, 2, 3, 4]
    assert own["seeds"].tolist() == [3, 3, 3, 3, 2]
