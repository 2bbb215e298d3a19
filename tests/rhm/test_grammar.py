import json
import subprocess
import sys

import numpy as np
import pytest

from rhm import Grammar, GrammarShape

SHAPE = GrammarShape(depth=3, vocab_size=6, num_synonyms=4)
RULES = [
    [[[0, 1], [1, 2]], [[2, 0], [1, 1]]],
    [[[0, 0], [0, 1]], [[1, 0], [1, 1]], [[2, 2], [2, 0]]],
]


def test_tables_depend_on_shape_and_seed_alone():
    plain = Grammar.random(SHAPE, seed=7)
    zipf = Grammar.random(SHAPE, {0: 1.0, 2: 0.5}, seed=7)
    for one, other in zip(plain.rules, zipf.rules, strict=True):
        np.testing.assert_array_equal(one, other)
    assert plain != zipf
    assert plain == Grammar.random(SHAPE, seed=7)
    assert hash(plain) == hash(Grammar.random(SHAPE, seed=7))
    assert plain != Grammar.random(SHAPE, seed=8)


def test_tables_hold_every_tuple_at_most_once():
    for table in Grammar.random(GrammarShape(depth=3, vocab_size=4, num_synonyms=4)).rules:
        assert len(np.unique(table.reshape(-1, 2), axis=0)) == 16


def test_all_tuples_are_equally_likely_in_a_random_table():
    shape = GrammarShape(depth=1, vocab_size=3, num_synonyms=1, num_classes=2)
    counts = np.zeros((3, 3))
    for seed in range(1800):
        np.add.at(counts, tuple(Grammar.random(shape, seed=seed).rules[0][:, 0].T), 1)
    assert counts.sum() == 3600
    assert ((counts - 400) ** 2 / 400).sum() < 26.1  # chi-square, 8 degrees, p = 0.001


def test_more_tuples_than_an_integer_can_number():
    shape = GrammarShape(depth=2, vocab_size=256, num_synonyms=3, tuple_size=8)
    grammar = Grammar.random(shape, {1: 1.0}, seed=1)
    strings = grammar.sample(20, np.random.default_rng(0))
    assert strings.shape == (20, 64)
    assert strings.dtype == np.uint8
    assert np.isfinite(grammar.log_likelihood(strings)).all()


def test_zipf_probabilities():
    grammar = Grammar.random(SHAPE, {1: 1.5})
    k = np.arange(1, 5)
    np.testing.assert_allclose(grammar.rule_probabilities[0], 0.25)
    np.testing.assert_allclose(grammar.rule_probabilities[1], k**-1.5 / (k**-1.5).sum())


@pytest.mark.parametrize(
    ("zipf", "message"),
    [
        ({3: 1.0}, "zipf level 3 is not a table of this grammar: use levels 0 .root. to 2"),
        ({-1: 1.0}, "zipf level -1"),
        ({0: -0.5}, "exponent -0.5 at level 0 must be finite and at least 0"),
        ({0: float("inf")}, "exponent inf"),
        ({0: float("nan")}, "exponent nan"),
    ],
)
def test_bad_zipf_is_refused(zipf, message):
    with pytest.raises(ValueError, match=message):
        Grammar.random(SHAPE, zipf)


def test_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be a non-negative integer, got -1"):
        Grammar.random(SHAPE, seed=-1)


def test_from_rules_reads_the_shape_off_the_tables():
    grammar = Grammar.from_rules(RULES)
    assert grammar.shape == GrammarShape(depth=2, vocab_size=3, num_synonyms=2, num_classes=2)
    single = Grammar.from_rules(RULES[:1], vocab_size=5)
    assert single.shape.vocab_size == 5
    assert Grammar.from_rules(RULES[:1]).shape.vocab_size == 3


def test_tables_cannot_be_changed():
    grammar = Grammar.from_rules(RULES)
    with pytest.raises(ValueError, match="read-only"):
        grammar.rules[0][0, 0, 0] = 1


@pytest.mark.parametrize(
    ("rules", "more", "message"),
    [
        ([], {}, "at least one table"),
        ([[[0, 1]]], {}, r"rules\[0\] must be an integer array"),
        ([[[[0.0, 1.0]]]], {}, r"rules\[0\] must be an integer array"),
        ([[[[0, 1]], [[0, 1], [1, 0]]]], {}, r"rules\[0\] has rows of different lengths"),
        ([RULES[0], [[[0, 0]], [[1, 0]], [[2, 2]]]], {}, r"rules\[1\] has shape \(3, 1, 2\)"),
        (RULES, {"vocab_size": 4}, r"rules\[1\] has shape \(3, 2, 2\), expected \(4, 2, 2\)"),
        ([[[[0, 5]], [[1, 0]]]], {"vocab_size": 3}, r"rules\[0\] has symbols outside 0 … 2"),
        ([[[[0, -1]], [[1, 0]]]], {}, "symbols outside"),
        ([[[[0, 1]], [[0, 1]]]], {}, r"rules\[0\] writes a tuple twice"),
        (RULES, {"rule_probabilities": [[0.5, 0.5]]}, "has 1 levels, rules has 2"),
        (RULES, {"rule_probabilities": [[0.5, 0.5], [1.0]]}, r"rule_probabilities\[1\] has shape"),
        (RULES, {"rule_probabilities": [[0.5, 0.6], [0.5, 0.5]]}, r"\[0\] must be non-negative"),
        (RULES, {"rule_probabilities": [[1.5, -0.5], [0.5, 0.5]]}, r"\[0\] must be non-negative"),
        (RULES, {"class_probabilities": [float("nan"), 1.0]}, "class_probabilities must be"),
        (RULES, {"class_probabilities": [1.0]}, "class_probabilities has shape"),
    ],
)
def test_bad_tables_are_refused(rules, more, message):
    with pytest.raises(ValueError, match=message):
        Grammar.from_rules(rules, **more)


def test_json_round_trip(small):
    text = json.dumps(small.to_json(), allow_nan=False)
    assert Grammar.from_json(text) == small
    assert Grammar.from_json(small.to_json()) == small
    assert json.dumps(Grammar.from_json(text).to_json()) == text


def test_json_with_other_fields_is_refused():
    with pytest.raises(ValueError, match="a grammar has the fields"):
        Grammar.from_json({"rules": RULES})


def test_other_probabilities_keep_the_tables(small):
    ones = [[1.0] + [0.0] * (small.shape.num_synonyms - 1)] * small.shape.depth
    first = small.with_rule_probabilities(ones)
    for one, other in zip(first.rules, small.rules, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.support_size == (small.class_probabilities > 0).sum()
    np.testing.assert_array_equal(first.class_probabilities, small.class_probabilities)


def test_level_below_the_tables_is_refused(small):
    with pytest.raises(ValueError, match="has no table"):
        small.below(small.shape.depth)


def test_importing_rhm_does_not_import_torch():
    code = "import sys, rhm; sys.exit('torch' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
