"""Validity by level, against naive parsing, chance and the two extremes."""

from math import sqrt

import numpy as np
import pytest

from rhm import Grammar, GrammarShape
from study.measures.validity import (
    chance_validity,
    novel_validity,
    tells_generalization,
    untold,
    validity,
)


def naive_parse(grammar, x):
    """Symbols per level from the leaves up, None where no rule fits; root first."""
    levels = [list(map(int, x))]
    for table in reversed(grammar.rules):
        written = {
            tuple(rule): a for a, rules in enumerate(table.tolist()) for rule in map(tuple, rules)
        }
        s = grammar.shape.tuple_size
        below = levels[0]
        levels.insert(0, [written.get(tuple(below[i : i + s])) for i in range(0, len(below), s)])
    return levels


def test_validity_equals_naive_parsing(world, rng):
    grammar, shape = world.grammar, world.grammar.shape
    strings = np.concatenate([world.from_noise(150, rng), world.from_grammar(20, rng)])
    parses = [naive_parse(grammar, x) for x in strings]
    for level, result in enumerate(validity(grammar.parse(strings), shape)):
        per_string = [np.mean([a is not None for a in tree[level]]) for tree in parses]
        assert result.validity == pytest.approx(np.mean(per_string))
        assert result.validity_se == pytest.approx(np.std(per_string) / sqrt(len(strings)))
        if level == shape.depth:
            assert (result.validity, result.conditional, result.chance) == (1, None, None)
            continue
        s = shape.tuple_size
        complete = [
            tree[level][j] is not None
            for tree in parses
            for j in range(len(tree[level]))
            if None not in tree[level + 1][j * s : j * s + s]
        ]
        assert result.conditional == pytest.approx(np.mean(complete))


def test_uniform_leaves_parse_at_chance(world, rng):
    shape = world.grammar.shape
    result = validity(world.grammar.parse(world.from_noise(4000, rng)), shape)[shape.depth - 1]
    assert abs(result.validity - result.chance) <= 3.5 * result.validity_se


def test_chance_is_the_share_of_tuples_that_a_table_writes(world):
    shape = world.grammar.shape
    tuples = shape.vocab_size**shape.tuple_size
    for level, table in enumerate(world.grammar.rules):
        written = {tuple(rule) for rules in table.tolist() for rule in rules}
        assert chance_validity(shape, level) == len(written) / tuples


def test_conditional_validity_is_null_without_parsed_children(zipf):
    shape = zipf.grammar.shape
    broken = next(
        x
        for x in np.random.default_rng(0).integers(6, size=(500, shape.num_leaves))
        if set(naive_parse(zipf.grammar, x)[2]) == {None}
    )
    results = validity(zipf.grammar.parse(broken[None]), shape)
    assert [x.conditional for x in results] == [None, None, 0.0, None]
    assert [x.validity for x in results] == [0, 0, 0, 1]


def test_error_of_validity_is_its_spread(zipf, rng, spread):
    half = [
        np.where(rng.random((300, 1)) < 0.5, zipf.from_noise(300, rng), zipf.from_grammar(300, rng))
        for _ in range(200)
    ]
    for level in range(3):
        results = [validity(zipf.grammar.parse(x), zipf.grammar.shape)[level] for x in half]
        _, error, true_spread = spread([(x.validity, x.validity_se) for x in results])
        assert error == pytest.approx(true_spread, rel=0.2)


def test_novel_validity_of_the_extremes(zipf, repeats, rng):
    for world in (zipf, repeats):
        for draw, expected in ((world.from_training, 0.0), (world.from_grammar, 1.0)):
            measured = world.measured(draw(20_000, rng))
            copied, mass = measured.partial[0].copied, world.reference.mass_strings
            found = novel_validity(1.0, copied, mass, world.grammar.shape)
            assert found == pytest.approx(expected, abs=0.03)


def test_novel_validity_is_null_where_nothing_is_novel():
    shape = GrammarShape(depth=2, vocab_size=6, num_synonyms=2)
    assert novel_validity(1.0, 1.0, 1.0, shape) is None
    assert novel_validity(0.5, 0.25, 0.0, shape) == 0.25


@pytest.mark.parametrize(("synonyms", "share"), [(4, 1.0), (3, 0.75**3), (2, 0.125), (1, 1 / 64)])
def test_novel_validity_is_null_where_noise_is_grammatical(synonyms, share):
    """κ is the share of all strings that are grammatical, and nothing is told by V beyond 0.25."""
    shape = GrammarShape(depth=2, vocab_size=4, num_synonyms=synonyms)
    strings = np.stack(np.meshgrid(*[np.arange(4)] * 4), -1).reshape(-1, 4)
    parsed = Grammar.random(shape, seed=1).parse(strings).grammatical
    assert shape.grammatical_share == parsed.mean() == share
    assert tells_generalization(shape) == (share <= 0.25)
    found = novel_validity(1.0, 0.0, 0.5, shape)
    assert found == (2.0 if share <= 0.25 else None)


def test_deep_grammars_have_a_share_too_small_for_floating_point_and_no_error():
    assert GrammarShape(depth=10, vocab_size=32, num_synonyms=2).grammatical_share == 0.0


def test_cells_whose_generalization_cannot_be_told_are_counted():
    shapes = [GrammarShape(depth=2, vocab_size=4, num_synonyms=m) for m in (1, 2, 3, 4)]
    assert untold(shapes[:2]) is None
    said = "generalization cannot be told in 2 of 4 cells: κ = 0.42 to 1.00 of all strings are"
    assert untold(shapes) == f"{said} grammatical"
