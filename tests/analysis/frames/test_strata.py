"""Why memorization by typicality is a single point, and what to set."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.frames.strata import FEW, UNIFORM, single_stratum, why_single_by_cell, why_single_of
from tests.analysis import synthetic

ZIPF = {"grammar": {"zipf": {"2": 1.5}}}
CASES = [
    (synthetic.config(size=256), UNIFORM),
    (synthetic.config(size=32, **ZIPF), FEW),
    (synthetic.config(size=32, corpus={"control_size": 64}, **ZIPF), None),
]


@pytest.mark.parametrize(("trial", "why"), CASES)
def test_the_reason_is_told_from_a_configuration_and_from_a_row_of_the_frames(trial, why):
    assert why_single_of(trial) == why
    row = pd.DataFrame([{"cell": "a"} | trial.flat(), {"cell": "b"} | CASES[0][0].flat()])
    assert why_single_by_cell(row).get("a") == why


def test_a_sweep_says_in_how_many_cells():
    trials = [trial for trial, _ in CASES]
    assert single_stratum(trials[2:]) is None
    assert single_stratum(trials[:2]).startswith(
        "memorization by typicality is a single point in 2 of 2 cells: all rules are equally"
    )
    assert "1 of 2 cells: fewer than 38 controls" in single_stratum(trials[1:])
