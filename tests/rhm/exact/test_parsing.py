import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhm import Grammar, GrammarShape, infeasibility, rule_index


@st.composite
def grammars(draw) -> Grammar:
    sizes = {
        "depth": draw(st.integers(1, 4)),
        "vocab_size": draw(st.integers(2, 7)),
        "num_synonyms": draw(st.integers(1, 6)),
        "tuple_size": draw(st.integers(2, 3)),
        "num_classes": draw(st.integers(1, 9)),
    }
    while infeasibility(**sizes):
        sizes["num_synonyms"] -= 1
        if sizes["num_synonyms"] == 0:
            sizes.update(num_synonyms=1, num_classes=sizes["vocab_size"])
    exponents = draw(st.lists(st.floats(0, 3), max_size=sizes["depth"]))
    return Grammar.random(
        GrammarShape(**sizes), dict(enumerate(exponents)), draw(st.integers(0, 99))
    )


def parse_by_hand(
    grammar: Grammar, string: list[int], level: int = 0
) -> dict[tuple[int, int], tuple]:
    """(level, node) -> (symbol, rank) of every node that parses, by plain recursion."""
    found = {}

    def visit(level: int, node: int, leaves: list[int]) -> int | None:
        if len(leaves) == 1:
            return leaves[0]
        s = grammar.shape.tuple_size
        width = len(leaves) // s
        children = [
            visit(level + 1, s * node + c, leaves[c * width : (c + 1) * width]) for c in range(s)
        ]
        for symbol, synonyms in enumerate(grammar.rules[level].tolist()):
            for rank, tuple_ in enumerate(synonyms):
                if tuple_ == children:
                    found[level, node] = symbol, rank
                    return symbol
        return None

    visit(0, 0, string)
    return found


@settings(max_examples=60, deadline=None)
@given(grammars(), st.integers(0, 99))
def test_a_derivation_parsed_gives_itself_back(grammar, seed):
    derivations = grammar.sample_derivations(20, np.random.default_rng(seed))
    parsed = grammar.parse(derivations.strings)
    assert parsed.grammatical.all()
    for level in range(grammar.shape.depth):
        np.testing.assert_array_equal(parsed.symbols[level], derivations.symbols[level])
        np.testing.assert_array_equal(parsed.ranks[level], derivations.ranks[level])
        assert parsed.parses[level].all()
        assert parsed.children_parse[level].all()


@settings(max_examples=40, deadline=None)
@given(grammars(), st.integers(0, 99), st.floats(0, 0.5), st.booleans())
def test_corrupted_strings_parse_as_by_hand(grammar, seed, noise, dense):
    rng = np.random.default_rng(seed)
    strings = grammar.sample(8, rng)
    redrawn = rng.integers(grammar.shape.vocab_size, size=strings.shape)
    strings = np.where(rng.random(strings.shape) < noise, redrawn, strings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule_index, "DENSE_TUPLES", 2**20 if dense else 0)
        parsed = grammar.parse(strings)
    by_hand = [parse_by_hand(grammar, string) for string in strings.tolist()]
    for level in range(grammar.shape.depth):
        for row, found in enumerate(by_hand):
            nodes = range(grammar.shape.nodes_at(level))
            expected = [found.get((level, node), (-1, -1)) for node in nodes]
            np.testing.assert_array_equal(parsed.symbols[level][row], [a for a, _ in expected])
            np.testing.assert_array_equal(parsed.ranks[level][row], [k for _, k in expected])
    np.testing.assert_array_equal(parsed.grammatical, [(0, 0) in found for found in by_hand])


@settings(max_examples=30, deadline=None)
@given(grammars(), st.integers(0, 99))
def test_a_node_parses_only_above_children_that_do(grammar, seed):
    shape = grammar.shape
    strings = np.random.default_rng(seed).integers(shape.vocab_size, size=(50, shape.num_leaves))
    parsed = grammar.parse(strings)
    assert parsed.parses[-1].all()
    assert len(parsed.parses) == shape.depth + 1
    for level, children_parse in enumerate(parsed.children_parse):
        below = parsed.parses[level + 1].reshape(50, -1, shape.tuple_size).all(axis=-1)
        np.testing.assert_array_equal(children_parse, below)
        assert not (parsed.parses[level] & ~children_parse).any()


def test_chance_of_a_random_tuple_to_parse_is_its_share_of_the_table():
    grammar = Grammar.random(GrammarShape(depth=1, vocab_size=5, num_synonyms=3, num_classes=4))
    everything = np.indices((5, 5)).reshape(2, -1).T
    assert grammar.parse(everything).grammatical.mean() == 4 * 3 / 25


@pytest.mark.parametrize(
    ("strings", "message"),
    [
        (np.zeros((2, 3), int), r"shape \(2, 3\), expected \(any number, 4\)"),
        (np.zeros(4, int), r"shape \(4,\)"),
        (np.zeros((2, 4)), "must be integers, got float64"),
        (np.full((2, 4), 3), "symbols outside 0 … 2"),
        (np.full((2, 4), -1), "symbols outside 0 … 2"),
    ],
)
def test_what_is_no_string_is_refused(strings, message):
    grammar = Grammar.random(GrammarShape(depth=2, vocab_size=3, num_synonyms=2))
    for method in (grammar.parse, grammar.log_likelihood, grammar.log_likelihood_by_level):
        with pytest.raises(ValueError, match=message):
            method(strings)


def test_no_strings_are_no_error(small):
    nothing = small.sample(0, np.random.default_rng(0))
    assert nothing.shape == (0, small.shape.num_leaves)
    parsed = small.parse(nothing)
    assert parsed.grammatical.shape == (0,)
    assert parsed.children_parse[0].shape == (0, 1)
    assert small.log_likelihood(nothing).shape == (0,)
