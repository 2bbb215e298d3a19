"""The columns: they fit the tables, agree with each other and depend on the strings alone."""

import numpy as np
import pytest

from study.measures import Reference, measure_strings, string_columns
from study.measures.registry import needs_generated
from study.measures.tables import SAMPLES
from study.store import records


def as_table(name, columns):
    """The table that the caller would write: its keys and what strings do not decide added."""
    rows = len(next(iter(columns.values())))
    added = {"training": ["0" * 16] * rows, "step": [64] * rows}
    unsampled = set(records.SCHEMAS[name].names) - needs_generated(name)
    others = unsampled - {*columns, *added}
    added |= {other: [None] * rows for other in others}
    if name == "strings":
        del added["step"]
    return records.table(name, {**columns, **added})


def mixed(world, rng, size=300):
    draws = (world.from_mixture, world.from_noise)
    return rng.permutation(np.concatenate([draw(size // 2, rng) for draw in draws]))


def test_columns_fit_the_tables(world, rng):
    for strings in (mixed(world, rng), world.from_noise(30, rng), world.from_training(1, rng)):
        tables = measure_strings(world.reference, strings)
        assert set(tables) == {"curves", "levels", "rules", "typicality", "emissions", "samples"}
        for name, columns in tables.items():
            as_table(name, columns)
    as_table("strings", string_columns(world.reference))


def test_tables_have_their_rows(world, rng):
    tables = measure_strings(world.reference, mixed(world, rng))
    shape = world.grammar.shape
    assert tables["levels"]["level"] == list(range(shape.depth + 1))
    assert len(tables["rules"]["rank"]) == shape.depth * shape.num_synonyms
    assert set(tables["rules"]["rank"]) == set(range(1, shape.num_synonyms + 1))
    assert len(tables["typicality"]["stratum"]) == len(world.reference.strata)
    assert tables["levels"]["rule_kl"][-1] is None


def test_tables_agree_with_each_other(world, rng):
    strings = mixed(world, rng)
    tables = measure_strings(world.reference, strings)
    curves = {name: value[0] for name, value in tables["curves"].items()}
    strata = tables["typicality"]
    assert sum(strata["copies_training"]) == pytest.approx(curves["copy_fraction"])
    assert sum(strata["copies_control"]) == pytest.approx(curves["control_copy_fraction"])
    assert sum(strata["mass_training"]) == pytest.approx(curves["mass_training"])
    assert sum(strata["mass_control"]) == pytest.approx(curves["mass_control"])
    assert curves["root_validity"] == tables["levels"]["validity"][0]
    side = string_columns(world.reference)
    counted = {"training": 0, "control": 0}
    for row, count in zip(*tables["emissions"].values(), strict=True):
        assert count > 0
        if side["stratum"][row] is not None:
            counted[side["side"][row]] += count
    assert counted["training"] == round(curves["copy_fraction"] * len(strings))
    assert counted["control"] == round(curves["control_copy_fraction"] * len(strings))


def test_order_of_generated_strings_does_not_matter(world, rng):
    strings = mixed(world, rng)
    tables = measure_strings(world.reference, strings)
    shuffled = measure_strings(world.reference, rng.permutation(strings))
    for name in tables.keys() - {"samples"}:
        for column, values in tables[name].items():
            others = shuffled[name][column]
            assert [x is None for x in values] == [x is None for x in others]
            numbers = [x for x in values if x is not None]
            assert numbers == pytest.approx([x for x in others if x is not None], abs=1e-12)


def test_measuring_twice_gives_the_same_bytes(zipf, rng):
    strings = mixed(zipf, rng)
    again = Reference.build(zipf.corpus)
    for name, columns in measure_strings(zipf.reference, strings).items():
        other = measure_strings(again, strings)[name]
        assert records.to_bytes(as_table(name, columns)) == records.to_bytes(as_table(name, other))


def test_emissions_are_listed_in_the_order_of_the_strings(world, rng):
    rows = measure_strings(world.reference, mixed(world, rng))["emissions"]["string"]
    assert rows == sorted(set(rows))


def test_typicality_is_undefined_where_all_strings_are_equally_typical(uniform, rng):
    tables = measure_strings(uniform.reference, mixed(uniform, rng))
    assert tables["typicality"]["z"] == [None]
    assert tables["curves"]["typicality_slope"] == [None]
    assert tables["levels"]["typicality_shift"] == [None] * 4


def test_memorizer_is_not_novel_even_of_strings_on_both_sides(repeats, rng):
    curves = measure_strings(repeats.reference, repeats.from_training(500, rng))["curves"]
    assert curves["copy_fraction"][0] < 0.9
    assert curves["novel_validity"] == [0.0]


def test_samples_are_the_first_strings(world, rng):
    strings = mixed(world, rng)
    samples = measure_strings(world.reference, strings)["samples"]
    training = {bytes(x) for x in world.corpus.training.strings}
    assert samples["tokens"] == strings[:SAMPLES].tolist()
    for x, tree, valid, copied in zip(
        strings, samples["parse"], samples["valid"], samples["copied"], strict=False
    ):
        assert tree[-1] == x.tolist()
        assert [len(level) for level in tree] == [
            world.grammar.shape.nodes_at(level) for level in range(len(tree))
        ]
        assert valid == np.isfinite(world.grammar.log_likelihood(x[None]))[0]
        assert valid == (tree[0][0] >= 0)
        assert copied == (bytes(x) in training)


def test_distinct_share(zipf, rng):
    strings = np.repeat(zipf.from_grammar(10, rng), 5, axis=0)
    distinct = len({bytes(x) for x in strings})
    curves = measure_strings(zipf.reference, strings)["curves"]
    assert curves["distinct_share"] == [distinct / 50]


def test_string_columns_list_training_then_control(repeats):
    columns = string_columns(repeats.reference)
    training, control = repeats.corpus.training, repeats.corpus.control
    assert columns["side"] == ["training"] * len(training) + ["control"] * len(control)
    assert columns["tokens"][: len(training)] == training.strings.tolist()
    assert columns["tokens"][len(training) :] == control.strings.tolist()
    both = {bytes(x) for x in training.strings} & {bytes(x) for x in control.strings}
    for tokens, stratum in zip(columns["tokens"], columns["stratum"], strict=True):
        assert (stratum is None) == (bytes(tokens) in both)


def test_strings_that_cannot_be_measured_are_refused(zipf):
    with pytest.raises(ValueError, match="no generated strings"):
        measure_strings(zipf.reference, np.zeros((0, 8), dtype=np.uint8))
    with pytest.raises(ValueError, match="shape"):
        measure_strings(zipf.reference, np.zeros((5, 7), dtype=np.uint8))
    with pytest.raises(ValueError, match="outside"):
        measure_strings(zipf.reference, np.full((5, 8), 6, dtype=np.uint8))
