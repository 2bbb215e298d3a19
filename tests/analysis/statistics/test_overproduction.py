"""Overproduction of rules against what is expected of them."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from analysis import load
from analysis.statistics.overproduction import overproduction_table
from tests.analysis import synthetic


def test_levels_of_equal_rules_have_no_ranks_and_surplus_is_a_ratio(tmp_path):
    for seed in range(2):
        synthetic.publish(tmp_path, synthetic.config(seed=seed, grammar={"zipf": {"2": 1.0}}))
    tables = load(tmp_path)
    table = overproduction_table(tables)
    assert set(table["level"]) == {2}
    first = table[(table["rank"] == 1) & (table["step"] == 512)]["mean"].iloc[0]
    rules = tables["rules"].query("level == 2 and rank == 1 and step == 512")
    ratios = rules["generated"] / rules["true_frequency"]
    assert 2**first == pytest.approx(math.sqrt(ratios.prod()))
    assert 2**first > 1.05


def test_the_larger_frequency_is_the_expected_one_and_never_generated_is_undefined():
    rules = pd.DataFrame(
        {
            "training": "t",
            "step": 64,
            "level": 0,
            "rank": [1, 2],
            "generated": [0.8, 0.0],
            "training_frequency": [0.4, 0.6],
            "true_frequency": [0.7, 0.3],
        }
    )
    trainings = pd.DataFrame({"training": ["t"], "cell": ["c"]})
    table = overproduction_table({"rules": rules, "trainings": trainings})
    assert table["rank"].tolist() == [1]
    assert table["mean"].tolist() == pytest.approx([math.log2(0.8 / 0.7)])
