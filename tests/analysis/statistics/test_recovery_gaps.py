"""Gaps in recovery at equal steps and at equal epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.recovery_gaps import (
    MEDIUM,
    TOO_EARLY,
    UNMEASURED,
    gaps_by_step,
    recovery_gaps,
)
from analysis.statistics.slopes import ALONE
from study.processes.uniform import Uniform
from tests.analysis.claims.test_simulated_learning import over_sizes


@pytest.mark.parametrize("steps", [50, 200, 1000])
def test_medium_noise_keeps_a_tenth_to_nine_tenths_of_the_leaves(steps):
    kept = Uniform.build(steps, 4).alpha_bar.numpy()
    middles = [kept[round(steps * (window + 0.5) / 10)] for window in range(10)]
    inside = [window for window, share in enumerate(middles) if 0.1 <= share <= 0.9]
    assert inside == list(MEDIUM)


def sweep(steps_by_size: dict[int, list[int]]) -> dict[str, pd.DataFrame]:
    """A gap that is log2 of the step, in every window of medium noise."""
    own = over_sizes(tuple(steps_by_size), 1)
    rows = [
        (training, step, window)
        for training, size in zip(own["training"], own["corpus.size"], strict=True)
        for step in steps_by_size[size]
        for window in range(10)
    ]
    noise = pd.DataFrame(rows, columns=["training", "step", "window"])
    noise["heldout_recovery"] = 0.0
    noise["training_recovery"] = np.where(
        noise["window"].isin(MEDIUM), np.log2(noise["step"]), 99.0
    )
    return {"trainings": own, "noise": noise}


def test_equal_steps_are_the_last_common_one_and_epochs_those_of_the_largest():
    found = recovery_gaps(sweep({64: [32, 64, 128, 512], 256: [64, 128, 256], 512: [64, 128]}))
    found = found.set_index("x").sort_index()
    assert found["step_at_steps"].tolist() == [128] * 3
    assert found["at_steps"].tolist() == pytest.approx([7.0] * 3)
    # The largest corpus has 128·32/512 = 8 epochs behind it: step 16 of 64 strings, unmeasured.
    assert found["step_at_epochs"].tolist() == pytest.approx([16, 64, 128])
    assert found["at_epochs"].tolist() == pytest.approx([np.nan, 6, 7], nan_ok=True)
    assert found["left_out_at_epochs"].tolist() == [TOO_EARLY, None, None]
    assert found["left_out"].isna().all()


def test_between_steps_the_gap_is_interpolated_in_log_step():
    found = recovery_gaps(sweep({64: [16, 256], 256: [16, 256]})).sort_values("x")
    assert found["step_at_epochs"].tolist() == pytest.approx([64, 256])
    assert found["at_epochs"].tolist() == pytest.approx([6, 8])


def test_a_single_size_is_compared_with_nothing():
    found = recovery_gaps(sweep({64: [16, 256]}))
    assert found["left_out"].tolist() == [ALONE]


def test_undefined_recovery_is_no_zero():
    made = sweep({64: [16, 256], 256: [16, 256]})
    window = made["noise"]["window"] == MEDIUM[0]
    large = made["noise"]["training"] == made["trainings"]["training"].iloc[1]
    made["noise"].loc[window & large, "training_recovery"] = np.nan
    assert set(gaps_by_step(made["noise"])["training"]) == {made["trainings"]["training"].iloc[0]}
    assert recovery_gaps(made)["left_out"].tolist() == [ALONE, UNMEASURED]
