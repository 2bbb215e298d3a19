"""First crossings, with what was not reached carried as censored."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Tables
from analysis.statistics.onsets import first_crossings, onsets, onsets_by_cell


def crossing(steps, values, threshold=0.5):
    curve = pd.DataFrame({"training": "a", "step": steps, "y": values}).astype({"y": float})
    return first_crossings(curve, by=["training"], value="y", threshold=threshold).iloc[0]


def test_a_crossing_is_interpolated_in_the_logarithm_of_the_step():
    found = crossing([64, 256], [0.0, 1.0])
    assert found["step"] == pytest.approx(128)
    assert (found["after"], found["by"], found["censoring"]) == (64, 256, "none")


def test_the_first_crossing_counts_even_if_the_curve_falls_again():
    assert crossing([1, 2, 4, 8], [0.0, 1.0, 0.0, 1.0])["by"] == 2


@pytest.mark.parametrize(
    ("values", "censoring", "after", "by"),
    [
        ([0.1, 0.2, 0.4], "right", 4, None),
        ([0.7, 0.2, 0.9], "left", None, 1),
        ([None, None, None], "undefined", None, None),
        ([0.1, None, None], "right", 1, None),
        ([None, 0.6, 0.9], "left", None, 2),
    ],
)
def test_censored_onsets_have_no_step(values, censoring, after, by):
    found = crossing([1, 2, 4], values)
    assert found["censoring"] == censoring
    assert math.isnan(found["step"])
    for name, expected in (("after", after), ("by", by)):
        assert math.isnan(found[name]) if expected is None else found[name] == expected


def test_undefined_points_widen_the_bracket_and_are_never_zero():
    found = crossing([1, 2, 4, 8], [0.25, None, None, 0.75])
    assert (found["after"], found["by"]) == (1, 8)
    assert found["step"] == pytest.approx(math.sqrt(8))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0.05, 0.95))
def test_the_onset_lies_on_the_curve(values, threshold):
    steps = [2**i for i in range(len(values))]
    found = crossing(steps, values, threshold)
    if found["censoring"] == "none":
        assert found["after"] <= found["step"] <= found["by"] * (1 + 1e-12)
        at = np.interp(math.log(found["step"]), np.log(steps), values)
        assert at == pytest.approx(threshold, abs=1e-6)
        reached = [t for t, y in zip(steps, values, strict=True) if y >= threshold]
        assert found["by"] == reached[0]
    elif found["censoring"] == "right":
        assert max(values) < threshold
    else:
        assert values[0] >= threshold


def test_onsets_of_a_sweep(tables: Tables):
    found = onsets(tables)
    assert set(found["onset"]) == {
        "memorization",
        "partial memorization",
        "generalization",
        "generalization by loss",
        "validity",
    }
    partial = found[found["onset"] == "partial memorization"]
    assert (partial["level"] == 1).all()
    both = found[found["onset"] == "memorization"].merge(partial, on="training")
    known = both[both["step_x"].notna() & both["step_y"].notna()]
    assert len(known) > 5
    assert (known["step_y"] < known["step_x"]).all()
    validity = found[(found["onset"] == "validity") & found["step"].notna()]
    order = validity.pivot_table(index="training", columns="level", values="step")
    both_known = order[[0, 2]].dropna()
    assert len(both_known) > 5
    assert (both_known[2] < both_known[0]).all()  # made so: learned from the leaves up


def test_trainings_without_a_defined_level_keep_a_row(tables: Tables):
    levels = tables["levels"].assign(partial_memorization=np.nan)
    found = onsets({**tables, "levels": levels})
    partial = found[found["onset"] == "partial memorization"]
    assert len(partial) == len(tables.trainings)
    assert set(partial["censoring"]) == {"undefined"}


def onset_rows(*rows):
    frame = pd.DataFrame(rows, columns=["censoring", "step", "after", "by"]).astype(
        {"step": float, "after": float, "by": float}
    )
    level = pd.Series([pd.NA] * len(frame), dtype="Int64")
    return frame.assign(cell="c", onset="memorization", level=level)


OBSERVED_100 = ("none", 100, 64, 128)
OBSERVED_200 = ("none", 200, 128, 256)
BEYOND = ("right", None, 4096, None)
BEFORE = ("left", None, None, 64)
NO_CURVE = ("undefined", None, None, None)


def test_the_median_is_known_while_fewer_than_half_are_censored():
    (row,) = onsets_by_cell(onset_rows(OBSERVED_100, OBSERVED_200, BEYOND)).to_dict("records")
    assert row["step"] == pytest.approx(200)
    assert (row["censoring"], row["seeds"], row["reached"]) == ("none", 3, 2)


def test_the_median_is_a_bound_when_half_are_censored():
    (row,) = onsets_by_cell(onset_rows(OBSERVED_100, BEYOND)).to_dict("records")
    assert row["censoring"] == "right"
    assert math.isnan(row["step"])
    assert row["after"] == pytest.approx(math.sqrt(100 * 4096))
    (row,) = onsets_by_cell(onset_rows(BEFORE, BEFORE, OBSERVED_100)).to_dict("records")
    assert (row["censoring"], row["by"]) == ("left", pytest.approx(64))


def test_seeds_without_a_curve_take_no_part():
    (row,) = onsets_by_cell(onset_rows(OBSERVED_100, NO_CURVE, NO_CURVE)).to_dict("records")
    assert (row["step"], row["seeds"]) == (pytest.approx(100), 1)
    (row,) = onsets_by_cell(onset_rows(NO_CURVE)).to_dict("records")
    assert (row["censoring"], row["seeds"]) == ("undefined", 0)


@pytest.mark.parametrize(
    ("losses", "at"),
    [
        ([2.0, 1.8, 1.6, 1.4, 1.2, 1.0], 4.5),
        ([2.0, 1.5, 1.0, 1.4, 1.9, 2.0], 1.8),
        ([1.0, 1.2, 1.4, 1.6, 1.8, 2.0], None),
    ],
)
def test_generalization_by_loss_is_nine_tenths_of_the_fall(tables: Tables, losses, at):
    name = tables.trainings["training"].iloc[0]
    curves = tables["curves"][tables["curves"]["training"] == name].iloc[:6]
    found = onsets({**tables, "curves": curves.assign(heldout_loss=losses)})
    (row,) = found[found["onset"] == "generalization by loss"].to_dict("records")
    if at is None:
        assert row["censoring"] == "undefined"
    else:
        place = np.interp(math.log(row["step"]), np.log(curves["step"]), range(6))
        assert place == pytest.approx(at)
