"""When is measured what, and what that takes."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Tables
from analysis.statistics.timing import timing_table


def test_seconds_of_a_pack_are_shared_and_their_shares_add_up(tables: Tables):
    table = timing_table(tables)
    assert (table["seeds"] == 3).all()
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["step"] == 4096)]
    at = own.set_index(["panel", "series"])["mean"]
    timing = tables["timing"].query(f"training == '{tables.trainings['training'].iloc[0]}'")
    assert at["seconds", "training"] == pytest.approx(timing["training_seconds"].sum() / 2)
    assert at["seconds", "generating"] == pytest.approx(0.5 * 7 / 2)
    assert at["share"].sum() == pytest.approx(1)
    assert at["schedule", "generated strings"] == 7
    assert at["schedule", "likelihood and noise"] == len(timing) > 7


def test_time_that_was_not_recorded_is_unknown(tables: Tables):
    timing = tables["timing"].assign(measuring_seconds=np.nan)
    table = timing_table({**tables, "timing": timing})
    assert set(table[table["panel"] == "seconds"]["series"]) == {"training", "generating"}
    assert "share" not in set(table["panel"])
