"""Overproduction of rules against what is expected of them."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from analysis import load
from analysis.charts.overproduction import overproduction_title
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


def of_source(source: str) -> pd.DataFrame:
    """Two ranks of one training."""
    rules = pd.DataFrame(
        {
            "training": source,
            "step": 64,
            "level": 2,
            "rank": [1, 2],
            "generated": [0.6, 0.4],
            "training_frequency": [0.5, 0.5],
            "true_frequency": [0.6, 0.4],
        }
    )
    trainings = {"training": [source], "cell": [source], "corpus.source": [source]}
    return overproduction_table({"trainings": pd.DataFrame(trainings), "rules": rules})


def test_without_a_grammar_pairs_of_neighbours_are_named():
    rules, pairs = of_source("grammar"), of_source("words")
    assert rules["series"].tolist() == ["rule 1", "rule 2"]
    assert pairs["series"].tolist() == ["pairs 1", "pairs 2"]
    assert overproduction_title(rules) == "Overproduction of rules"
    assert overproduction_title(pairs) == "Overproduction of pairs of neighbours"
    both = pd.concat([rules, pairs])
    assert overproduction_title(both) == "Overproduction of rules and pairs of neighbours"
    assert overproduction_title(rules.iloc[:0]) == "Overproduction of rules"
