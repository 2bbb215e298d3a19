"""Generated strings: which, and what of them is copied."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.frames.grammars import config_of, grammar_of
from analysis.frames.tables import Tables
from analysis.statistics.generated_strings import (
    COPIED,
    INVALID,
    NOVEL,
    STRINGS,
    copied_nodes,
    generated_strings,
    strings_of,
)
from rhm import Grammar
from study.config import TrialConfig
from study.corpus.building import build_corpus
from tests.analysis import synthetic


@pytest.mark.parametrize(
    ("string", "marks"),
    [
        ([0, 1, 2, 3], [(0, 0)]),  # a training string
        ([2, 3, 2, 3], [(1, 0), (1, 1)]),  # 2 3 at any aligned place
        ([4, 2, 3, 4], []),  # 2 3 across two nodes is no substring of one
        ([4, 5, 0, 1], []),  # a control has 4 5, and 0 1 is on both sides
    ],
)
def test_the_topmost_exclusive_substrings_are_marked(string, marks):
    training, control = np.array([[0, 1, 2, 3]]), np.array([[4, 5, 0, 1]])
    assert copied_nodes(np.array([string]), training, control, 2) == [marks]


def published(trial: TrialConfig) -> Tables:
    """Strings of a real corpus, as a training holds them: a copy, an unseen and a broken one."""
    corpus = build_corpus(trial)
    training, control = corpus.training.strings, corpus.control.strings
    seen = {tuple(string) for string in training.tolist()}
    drawn = corpus.grammar.sample(50, np.random.default_rng(0))
    novel = next(string for string in drawn if tuple(string) not in seen)
    broken = novel.copy()
    while np.isfinite(corpus.grammar.log_likelihood(broken[None]))[0]:
        broken = np.random.default_rng(1).permutation(broken) * 5 % 6
        broken[0] = (broken[0] + 1) % 6
    generated = np.stack([training[0], novel, broken])
    levels = corpus.grammar.parse(generated).symbols
    row = {"training": trial.hash, "cell": "all", "seed": trial.seed, "step": 64, **trial.flat()}
    samples = pd.DataFrame(
        {
            "training": trial.hash, "step": 64, "sample": range(3), "tokens": list(generated),
            "parse": [[level[i].tolist() for level in levels] for i in range(3)],
            "valid": [True, True, False], "copied": [True, False, False],
        }
    )  # fmt: skip
    sides = ["training"] * len(training) + ["control"] * len(control)
    tokens = [*training, *control]
    strings = pd.DataFrame({"training": trial.hash, "side": sides, "tokens": tokens})
    return Tables.of({"trainings": pd.DataFrame([row]), "samples": samples, "strings": strings})


def test_strings_are_told_apart_and_a_copy_is_marked_whole():
    (found,) = generated_strings(published(synthetic.config(size=32)), ["all"], first="all")
    assert [one.kind for one in found.strings] == [COPIED, NOVEL, INVALID]
    assert found.strings[0].marks == [(0, 0)]
    assert found.strings[1].marks != [(0, 0)]
    text = strings_of([found])
    assert text["kind"].tolist() == [COPIED, NOVEL, INVALID]
    assert text["copied_nodes"].tolist()[0] == "0:0"
    assert len(text) <= STRINGS


def test_the_derivation_shown_uses_rules_of_the_grammar_shown():
    (found,) = generated_strings(published(synthetic.config(size=32)), ["all"], first="all")
    assert found.grammar is not None
    parse = found.strings[0].parse
    assert parse is not None
    for level, rules in enumerate(found.grammar.rules):
        for node, symbol in enumerate(parse[level]):
            children = parse[level + 1][2 * node : 2 * node + 2]
            assert children in rules[symbol].tolist()


def test_the_grammar_is_the_training_s_own():
    trial = synthetic.config(seed=3, grammar={"zipf": {"2": 1.5}})
    row = trial.flat() | {"seed": trial.seed}
    assert config_of(row).hash == trial.hash
    own = Grammar.random(trial.grammar.shape, zipf=trial.grammar.zipf, seed=trial.grammar_seed)
    assert grammar_of(row) == own
    assert grammar_of(row | {"corpus.source": "strings"}) is None


def test_a_large_sweep_shows_cells_evenly_and_the_first_among_them():
    one = published(synthetic.config(size=32))
    cells = [f"cell {i:03}" for i in range(200)]
    trainings = pd.concat([one.trainings.assign(cell=cell) for cell in cells], ignore_index=True)
    tables = Tables.of({**{n: one[n] for n in ("samples", "strings")}, "trainings": trainings})
    found = generated_strings(tables, cells, first="cell 101", at_most=10)
    names = [shown.cell for shown in found]
    assert len(names) == 10
    assert {"cell 000", "cell 101", "cell 199"} <= set(names)
    assert names == sorted(names)
    assert dataclasses.replace(found[0], cell="") == dataclasses.replace(found[1], cell="")
