import dataclasses

import pytest

from rhm import GrammarShape, infeasibility


def test_counts_of_the_protocol():
    shape = GrammarShape(depth=4, vocab_size=6, num_synonyms=4)
    assert shape.num_classes == 6
    assert shape.num_leaves == 16
    assert shape.num_rule_nodes == 15
    assert shape.support_size == 6 * 4**15
    assert [shape.nodes_at(level) for level in range(5)] == [1, 2, 4, 8, 16]
    assert [shape.leaves_under(level) for level in range(5)] == [16, 8, 4, 2, 1]


def test_symbols_differ_at_the_root_only():
    shape = GrammarShape(depth=2, vocab_size=4, num_synonyms=2, tuple_size=3, num_classes=9)
    assert [shape.symbols_at(level) for level in range(3)] == [9, 4, 4]


def test_support_size_does_not_overflow():
    shape = GrammarShape(depth=7, vocab_size=8, num_synonyms=8)
    assert shape.support_size == 8 * 8**127


def test_default_classes_equal_written_ones():
    written = GrammarShape(depth=2, vocab_size=4, num_synonyms=2, num_classes=4)
    default = GrammarShape(depth=2, vocab_size=4, num_synonyms=2)
    assert written == default
    assert hash(written) == hash(default)
    assert dataclasses.replace(default, depth=3).depth == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"tuple_size": 1}, "tuple_size must be at least 2, got 1"),
        ({"num_synonyms": 0}, "num_synonyms must be at least 1, got 0"),
        ({"vocab_size": 1}, "vocab_size must be at least 2, got 1"),
        ({"num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"num_synonyms": 7}, "lower num_synonyms to 6 or less"),
        ({"num_classes": 10}, "num_classes·num_synonyms = 10·4 = 40"),
    ],
)
def test_infeasible_shapes_are_refused_with_the_reason(change, message):
    sizes = {"depth": 2, "vocab_size": 6, "num_synonyms": 4, **change}
    reason = infeasibility(**sizes)
    assert reason is not None
    assert message in reason
    with pytest.raises(ValueError) as error:
        GrammarShape(**sizes)
    assert str(error.value) == reason


def test_a_single_table_needs_tuples_for_its_classes_only():
    sizes = {"vocab_size": 4, "num_synonyms": 8, "num_classes": 2}
    assert infeasibility(depth=1, **sizes) is None
    assert infeasibility(depth=2, **sizes) is not None


@pytest.mark.parametrize("depth", [2.0, "2", True, None])
def test_sizes_are_integers(depth):
    with pytest.raises(ValueError, match="depth must be an integer"):
        GrammarShape(depth=depth, vocab_size=4, num_synonyms=2)
