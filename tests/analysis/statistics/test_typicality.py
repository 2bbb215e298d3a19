"""Memorization by typicality: strata of several seeds, matched."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis import Tables
from analysis.statistics.typicality import typicality_table


def test_strata_of_different_seeds_are_matched_by_rank(tables: Tables):
    table = typicality_table(tables)
    assert (table["seeds"] == 3).all()
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["step"] == 4096)]
    for reading in ("emission", "likelihood"):
        strata_of = own[own["reading"] == reading]
        assert len(strata_of) == 8
        assert strata_of["log_p"].is_monotonic_decreasing


def strata(seed, counts, excess, log_p):
    return pd.DataFrame(
        {
            "training": f"t{seed}",
            "step": 64,
            "stratum": range(len(counts)),
            "n_training": counts,
            "mean_log_p": log_p,
            "emission_excess": excess,
            "memorized_excess": excess,
        }
    ).astype({"n_training": "Int64"})


def two_seeds(*parts):
    trainings = pd.DataFrame({"training": ["t0", "t1"], "cell": "c", "seed": [0, 1]})
    table = typicality_table({"typicality": pd.concat(parts), "trainings": trainings})
    return table[table["reading"] == "emission"].reset_index(drop=True)


def test_unequal_numbers_of_strata_are_merged_by_quantile_and_weighted():
    fine = strata(0, [30, 10, 20, 20], [1.0, 0.2, 0.5, 0.1], [-1.0, -2.0, -3.0, -4.0])
    coarse = strata(1, [40, 40], [0.6, 0.2], [-1.5, -3.5])
    table = two_seeds(fine, coarse)
    assert list(table["bin"]) == [0, 1]
    assert table["mean"].tolist() == pytest.approx([(0.8 + 0.6) / 2, (0.3 + 0.2) / 2])
    assert table["log_p"].tolist() == pytest.approx([(-1.25 - 1.5) / 2, -3.5])


def test_an_undefined_stratum_is_a_gap():
    one = strata(0, [10, 10], [0.4, np.nan], [-1.0, -2.0])
    other = strata(1, [10, 10], [0.6, np.nan], [-1.0, -2.0])
    table = two_seeds(one, other)
    assert table["mean"].iloc[0] == pytest.approx(0.5)
    assert math.isnan(table["mean"].iloc[1])
    assert table["seeds"].tolist() == [2, 0]
