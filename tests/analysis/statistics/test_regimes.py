"""Regimes against hand-made tables."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis import load
from analysis.statistics.regimes import (
    GENERALIZING,
    MEMORIZING,
    PARTIAL,
    REGIMES,
    THRESHOLDS,
    UNDERFIT,
    cell_regimes,
    last_steps,
    regimes,
)

NONE = np.nan


def tables(excess, excess_se, validity, levels=()):
    curves = pd.DataFrame(
        {
            "training": ["a"],
            "step": [64],
            "copy_fraction": [0.2],
            "excess_copies": [excess],
            "excess_copies_se": [excess_se],
            "novel_validity": [validity],
        }
    )
    columns = ["level", "partial_memorization", "partial_memorization_fit"]
    columns.append("partial_memorization_se")
    rows = pd.DataFrame(list(levels), columns=columns)
    return {"curves": curves, "levels": rows.assign(training="a", step=64)}


@pytest.mark.parametrize(
    ("expected", "excess", "excess_se", "validity", "levels"),
    [
        (MEMORIZING, 0.5, 0.01, 0.9, []),
        (MEMORIZING, 0.5, NONE, NONE, []),
        (UNDERFIT, 0.499, 0.2, 0.0, []),  # E - 2.33·SE is not above 0.1
        (PARTIAL, 0.49, 0.01, 0.9, []),
        (GENERALIZING, 0.11, 0.01, 0.5, []),
        (UNDERFIT, 0.0, 0.01, 0.4999, []),
        (PARTIAL, 0.0, 0.01, 0.9, [(1, 0.4, 0.1, 0.05)]),
        (GENERALIZING, 0.0, 0.01, 0.9, [(1, 0.4, 0.3, 0.01)]),  # a rule learner does the same
        (GENERALIZING, 0.0, 0.01, 0.9, [(1, 0.4, 0.1, 0.1)]),  # within its standard errors
        (GENERALIZING, 0.0, 0.01, 0.9, [(0, 0.9, 0.0, 0.01)]),  # level 0 is E itself
        (GENERALIZING, 0.0, 0.01, 0.9, [(1, NONE, 0.1, NONE)]),  # undefined is no evidence
        (PARTIAL, 0.0, 0.01, NONE, [(1, NONE, NONE, NONE), (2, 0.9, 0.1, 0.01)]),
        (None, NONE, NONE, 0.9, []),
        (None, 0.0, 0.01, NONE, []),
    ],
)
def test_regimes_by_hand(expected, excess, excess_se, validity, levels):
    found = regimes(tables(excess, excess_se, validity, levels))["regime"].iloc[0]
    assert found == expected if expected is not None else found is None


def test_the_level_that_decides_is_named():
    levels = [(1, 0.3, 0.0, 0.01), (2, 0.8, 0.1, 0.02), (3, NONE, NONE, NONE)]
    row = regimes(tables(0.0, 0.01, 0.2, levels)).iloc[0]
    assert row["partial_level"] == 2
    assert row["partial_margin"] == pytest.approx(0.8 - 0.1 - 2.33 * 0.02)


def test_thresholds_are_the_published_ones_and_can_be_changed():
    assert (THRESHOLDS.memorizing, THRESHOLDS.partial, THRESHOLDS.generalizing) == (0.5, 0.1, 0.5)
    assert THRESHOLDS.standard_errors == 2.33
    strict = dataclasses.replace(THRESHOLDS, memorizing=0.9)
    assert regimes(tables(0.6, 0.01, 0.0), strict)["regime"].iloc[0] == PARTIAL


def votes(*names):
    return pd.DataFrame(
        {
            "cell": "c",
            "step": 64,
            "seed": range(len(names)),
            "regime": list(names),
            "provisional": False,
        }
    )


def test_the_majority_names_the_cell_and_the_second_the_dot():
    row = cell_regimes(votes(MEMORIZING, PARTIAL, MEMORIZING, UNDERFIT, MEMORIZING)).iloc[0]
    assert (row["regime"], row["share"], row["runner_up_share"]) == (MEMORIZING, 0.6, 0.2)
    assert row["runner_up"] == UNDERFIT


def test_equal_counts_go_to_the_regime_that_claims_less():
    row = cell_regimes(votes(MEMORIZING, GENERALIZING)).iloc[0]
    assert (row["regime"], row["runner_up"]) == (GENERALIZING, MEMORIZING)
    assert row["share"] == row["runner_up_share"] == 0.5
    assert REGIMES.index(GENERALIZING) < REGIMES.index(MEMORIZING)


def test_undefined_seeds_do_not_vote():
    row = cell_regimes(votes(None, PARTIAL, None)).iloc[0]
    assert (row["regime"], row["share"], row["seeds"]) == (PARTIAL, 1.0, 1)
    assert row["runner_up"] is None
    nobody = cell_regimes(votes(None, None)).iloc[0]
    assert nobody["regime"] is None
    assert nobody["seeds"] == 0


def test_seeds_that_lag_behind_do_not_vote_and_the_cell_is_provisional():
    trainings = pd.DataFrame(
        {
            "training": ["a", "b"],
            "cell": "c",
            "seed": [0, 1],
            "step": [128, 64],
            "last_step": [256, 256],
        }
    )
    regime = pd.DataFrame(
        {
            "training": ["a", "a", "b"],
            "step": [64, 128, 64],
            "regime": [UNDERFIT, MEMORIZING, UNDERFIT],
        }
    )
    last = last_steps(regime, trainings)
    assert list(last["training"]) == ["a"]
    assert bool(last["provisional"].all())
    assert cell_regimes(last)["regime"].tolist() == [MEMORIZING]


def test_a_step_without_generated_strings_has_no_regime_and_does_not_vote(grid):
    tables = load(grid)
    found = regimes(tables)
    curves = tables["curves"]
    emitted = curves[curves["copy_fraction"].notna()]
    assert len(found) == len(emitted) < len(curves)
    assert found["regime"].notna().all()
    before = tables.trainings.assign(step=4096, last_step=5792)  # its last measured step has none
    assert last_steps(found, before)["provisional"].all()
    assert not last_steps(found, before.assign(step=5792))["provisional"].any()
