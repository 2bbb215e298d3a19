"""Exponents of equal string entropy."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.claims import tails as claims
from analysis.statistics.tails import equal_entropy, string_entropy, tail_level
from sweeps.files import spec
from tests.analysis import synthetic


@pytest.mark.parametrize(("m", "s"), [(2, 2), (4, 2), (3, 3)])
def test_strings_of_both_grammars_have_equal_entropy(m, s):
    deep = equal_entropy(m, 1.3, at=0, level=2, tuple_size=s)
    rules = {"depth": 3, "vocab_size": 12, "num_synonyms": m, "tuple_size": s}
    trials = [synthetic.config(grammar={**rules, "zipf": z}) for z in ({"0": 1.3}, {"2": deep})]
    root, leaf = string_entropy(pd.DataFrame([trial.flat() for trial in trials]))
    assert root == pytest.approx(leaf, abs=1e-9)
    assert equal_entropy(m, deep, at=2, level=0, tuple_size=s) == pytest.approx(1.3)


def test_a_tail_at_the_root_cannot_take_what_many_nodes_lose():
    with pytest.raises(ValueError, match="no exponent at level 0 takes as much"):
        equal_entropy(4, 3.0, at=3, level=0)


def test_the_preset_has_two_sets_of_three_levels_with_equal_entropy():
    sweep = spec.load("claims-tails", [])
    trials = [training.config for training in sweep.trainings]
    assert claims.equal_entropies(trials) is None
    trainings = pd.DataFrame([trial.flat() for trial in trials]).assign(
        entropy=lambda frame: string_entropy(frame).round(3), level=tail_level
    )
    levels = trainings.groupby("entropy")["level"].nunique()
    assert sorted(levels) == [0, 1, 3, 3]
