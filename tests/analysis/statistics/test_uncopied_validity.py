"""Conditional validity without copies: against copies taken out one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.statistics.uncopied_validity import FEWEST, uncopied_validity
from study.measures import measure_strings
from tests.study.measures.conftest import world_named


def measured(world, strings) -> dict[str, pd.DataFrame]:
    found = measure_strings(world.reference, strings)
    shape = world.grammar.shape
    settings = {"measurement.generated": len(strings), "grammar.tuple_size": shape.tuple_size}
    keys = {"training": "t", "step": 64}
    levels = pd.DataFrame(found["levels"]).assign(**keys)
    return {"levels": levels, "trainings": pd.DataFrame([{"training": "t", **settings}])}


def generated(world, rng) -> np.ndarray:
    """Copies, strings of the grammar, some with two leaves redrawn, and noise."""
    near = world.from_grammar(800, rng).copy()
    near[:, :2] = world.from_noise(800, rng)[:, :2]
    copies, novel = world.from_training(900, rng), world.from_grammar(600, rng)
    return np.concatenate([copies, novel, near, world.from_noise(400, rng)])


@pytest.mark.parametrize("name", ["zipf", "ternary", "repeats"])
def test_copies_are_taken_out_exactly(name):
    world, rng = world_named(name), np.random.default_rng(0)
    strings = generated(world, rng)
    found = uncopied_validity(measured(world, strings)).set_index("level")["uncopied"]
    training = {bytes(x) for x in world.corpus.training.strings}
    others = np.array([x for x in strings if bytes(x) not in training])
    assert 900 <= len(strings) - len(others) < len(strings)
    alone = measured(world, others)["levels"].set_index("level")["conditional_validity"]
    assert list(found.index) == list(range(world.grammar.shape.depth))
    assert found.to_numpy() == pytest.approx(alone.loc[found.index].to_numpy(dtype=float))


def test_it_is_undefined_where_next_to_all_strings_are_copies():
    world, rng = world_named("zipf"), np.random.default_rng(1)
    copies = world.from_training(500, rng)
    few = np.concatenate([copies, world.from_grammar(FEWEST - 5, rng)])
    for strings in (copies, few):
        found = uncopied_validity(measured(world, strings))
        assert found.loc[found["level"] == 0, "uncopied"].isna().all()
    many = np.concatenate([copies, world.from_grammar(10 * FEWEST, rng)])
    assert (uncopied_validity(measured(world, many))["uncopied"] == 1).all()


def test_it_is_undefined_where_nothing_parses():
    world = world_named("zipf")
    made = measured(world, world.from_training(100, np.random.default_rng(2)))
    made["levels"][["validity", "conditional_validity", "copied"]] = 0.0
    assert uncopied_validity(made)["uncopied"].isna().all()
