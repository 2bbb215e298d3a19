"""From how many strings a level is learned: what takes part, and what stands for what is beyond."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.sample_complexity import NARROW, enough_strings, learned_sizes, positions
from tests.analysis.claims.test_simulated_learning import over_sizes, uncopied

V, M, DEPTH = 4, 2, 2


def learned(sizes: tuple[int, ...], onset: float, level: int = 0) -> pd.DataFrame:
    """Levels whose share of the way from chance is a straight line in log N; one of them."""
    shape = {"grammar__vocab_size": V, "grammar__num_synonyms": M, "grammar__depth": DEPTH}
    own = over_sizes(sizes, 2, **shape)
    share = np.clip(0.5 + 0.02 * np.log(own["corpus.size"] / onset), 0, 1)
    own = own.assign(value=0.25 + 0.75 * share)
    rows = own[["training", "value"]].merge(pd.DataFrame({"level": range(DEPTH)}), how="cross")
    levels = uncopied(rows.assign(step=64), rows["value"])
    found = learned_sizes({"trainings": own.drop(columns="value"), "levels": levels})
    return found[found["level"] == level]


def test_levels_nearer_the_root_need_more_strings():
    settings = {"grammar.depth": [3], "grammar.vocab_size": [4], "grammar.num_synonyms": [3]}
    row = pd.DataFrame(settings)
    assert [enough_strings(row, level).item() for level in range(3)] == [324, 108, 36]


@pytest.mark.parametrize(("level", "enough"), [(0, 32), (1, 16)])
def test_the_position_is_that_of_the_crossing(level, enough):
    found = learned((2, 512), 64, level)
    assert np.exp(found["log_size"]).tolist() == pytest.approx([64, 64])
    assert positions(found).tolist() == pytest.approx([np.log10(64 / enough)] * 2)
    assert not found["bound"].any()


@pytest.mark.parametrize(("onset", "expected"), [(1, np.log10(4 / 32)), (9000, np.log10(512 / 32))])
def test_beyond_the_corpora_their_end_stands_for_it(onset, expected):
    found = learned((4, 512), onset)
    assert positions(found).tolist() == pytest.approx([expected] * 2)
    assert found["bound"].all()
    assert found["log_size"].isna().all()


@pytest.mark.parametrize("sizes", [(16, 512), (4, 64), (32, 33)])
@pytest.mark.parametrize("onset", [1, 32.5, 9000])
def test_whether_a_level_takes_part_does_not_depend_on_when_it_is_learned(sizes, onset):
    found = learned(sizes, onset)
    assert found["left_out"].tolist() == [NARROW] * 2
    assert positions(found).empty


def test_a_single_size_takes_no_part():
    assert learned((32,), 32)["left_out"].tolist() == [NARROW] * 2
