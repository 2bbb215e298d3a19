"""Sweep files: how axes multiply out, what replicas share, what options change."""

import json
from math import prod

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps import presets
from sweeps.faults import UsageError
from sweeps.files import documents, spec
from sweeps.space import axes
from tests.sweeps.tiny import TINY

FEW = settings(max_examples=30, deadline=None)


def sweep_of(changes: dict, *options: str) -> spec.Sweep:
    return spec.loads(json.dumps(yaml.safe_load(TINY) | changes), options)


@FEW
@given(low=st.integers(-10, 12), more=st.integers(0, 12))
def test_log2_holds_every_power_and_both_ends(low: int, more: int):
    found = axes.values("training.learning_rate", {"log2": [low, low + more]})
    assert found == [2.0**k for k in range(low, low + more + 1)]
    assert all(isinstance(x, int) for x in found if x >= 1)


@FEW
@given(a=st.integers(-50, 50), step=st.integers(1, 9), n=st.integers(2, 20))
def test_linspace_is_even_and_holds_both_ends(a: int, step: int, n: int):
    found = axes.values("training.learning_rate", {"linspace": [a, a + step * (n - 1), n]})
    assert found == [a + step * i for i in range(n)]


@FEW
@given(
    sizes=st.lists(st.integers(1, 16), min_size=1, max_size=4, unique=True),
    widths=st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
    coupled=st.lists(st.floats(0.125, 4), min_size=1, max_size=3, unique=True),
    seeds=st.integers(1, 3),
)
def test_a_grid_is_the_product_of_its_axes(sizes, widths, coupled, seeds):
    found = sweep_of(
        {
            "grid": {"corpus.size": sizes, "network.width": widths},
            "zip": {
                "grammar.zipf.1": coupled,
                "training.learning_rate": [x / 8 for x in coupled],
            },
            "seeds": seeds,
        }
    )
    assert len(found.cells) == prod(map(len, (sizes, widths, coupled)))
    assert len({t.hash for t in found.trainings}) == len(found.cells) * seeds
    for training in found.trainings:
        config, point = training.config, training.cell.coordinates
        assert config.corpus.size == point["corpus.size"]
        assert config.network.width == point["network.width"]
        assert config.grammar.zipf == {1: point["grammar.zipf.1"]}
        assert config.training.learning_rate == point["grammar.zipf.1"] / 8
    assert [t.config.seed for t in found.trainings] == list(range(seeds)) * len(found.cells)


def test_coordinates_and_base_make_the_configuration():
    found = sweep_of({"grid": {"corpus.size": [4]}})
    (cell,) = found.cells
    assert cell.label == "size=4"
    assert cell.config.network.width == 8
    assert cell.config.training.steps == 32
    assert found.trainings[1].config.seed == 1


def test_axes_over_whole_dictionaries_and_single_levels():
    whole = sweep_of({"grid": {"corpus.size": [4], "grammar.zipf": [{}, {0: 1}, {1: 2.0}]}})
    assert [cell.config.grammar.zipf for cell in whole.cells] == [{}, {0: 1.0}, {1: 2.0}]
    base = {**yaml.safe_load(TINY)["base"]}
    base["grammar"] = {**base["grammar"], "zipf": {0: 3.0, 1: 3.0}}
    levels = sweep_of({"base": base, "grid": {"corpus.size": [4], "grammar.zipf.0": [0, 1]}})
    assert [cell.config.grammar.zipf for cell in levels.cells] == [{1: 3.0}, {0: 1.0, 1: 3.0}]


def test_several_groups_of_coupled_axes():
    found = sweep_of(
        {
            "grid": {},
            "zip": [
                {"corpus.size": [4, 8], "training.batch_size": [4, 8]},
                {"network.width": [8, 16], "training.learning_rate": [0.1, 0.1]},
            ],
        }
    )
    points = [tuple(cell.coordinates.values()) for cell in found.cells]
    assert points == [(4, 4, 8, 0.1), (4, 4, 16, 0.1), (8, 8, 8, 0.1), (8, 8, 16, 0.1)]


def test_infeasible_cells_are_left_out_where_asked():
    found = sweep_of({"grid": {"corpus.size": [4, 16, 17]}, "skip_infeasible": True})
    assert [cell.coordinates["corpus.size"] for cell in found.cells] == [4, 16]
    assert found.skipped == ("size=17",)


def test_options_change_parts_settings_and_axes():
    found = spec.loads(
        TINY,
        [
            "name=other",
            "seeds=3",
            "training.steps=64",
            "corpus.size=[4, 5, 6]",
            "grid.network.width={log2: [3, 4]}",
            "resources.members_per_pack=2",
            "grammar.zipf.0=1.5",
        ],
    )
    assert (found.name, found.file.seeds, len(found.cells)) == ("other", 3, 6)
    assert found.file.resources.members_per_pack == 2
    assert found.cells[0].config.training.steps == 64
    assert found.cells[0].config.grammar.zipf == {0: 1.5}
    assert len(spec.loads(TINY, ["corpus.size=4"]).cells) == 1


def test_raising_the_steps_keeps_every_identity():
    short, long = spec.loads(TINY), spec.loads(TINY, ["training.steps=128"])
    assert [t.hash for t in short.trainings] == [t.hash for t in long.trainings]


@pytest.mark.parametrize("count", [1, 4, 9])
def test_random_cells_are_different_repeatable_and_continue_fewer(count: int):
    changes = {
        "grid": {
            "corpus.size": {"loguniform": [2, 16]},
            "training.learning_rate": {"uniform": [0.01, 0.1]},
            "network.width": [8, 16],
        },
        "search": {"kind": "random", "num_samples": count, "seed": 5},
    }
    found, again = sweep_of(changes), sweep_of(changes)
    more = sweep_of(changes, "search.num_samples=12")
    assert [c.coordinates for c in found.cells] == [c.coordinates for c in again.cells]
    assert [c.coordinates for c in found.cells] == [c.coordinates for c in more.cells[:count]]
    assert len({t.hash for t in found.trainings}) == 2 * count
    assert all(2 <= c.config.corpus.size <= 16 for c in found.cells)
    assert all(0.01 <= c.config.training.learning_rate <= 0.1 for c in found.cells)


def test_a_random_search_can_exhaust_its_grid():
    found = sweep_of({"search": {"kind": "random", "num_samples": 2}})
    assert {c.coordinates["corpus.size"] for c in found.cells} == {4, 8}


def test_the_report_is_laid_out_by_the_numeric_axes_unless_told():
    changes = {"grid": {"network.width": [8, 16], "corpus.size": [4, 8], "grammar.zipf.0": [0, 1]}}
    assert sweep_of(changes).report_axes == ["network.width", "corpus.size"]
    assert sweep_of(changes).facet == "grammar.zipf.0"
    told = sweep_of(changes | {"report": {"axes": ["corpus.size"], "facet": "network.width"}})
    assert (told.report_axes, told.facet) == (["corpus.size"], "network.width")
    with pytest.raises(UsageError, match=r"grammar\.zipf\.0"):
        sweep_of(
            {
                "grid": {"corpus.size": [4], "grammar.zipf": [{}]},
                "report": {"facet": "grammar.zipf"},
            }
        )


def test_the_normalised_document_is_the_same_sweep():
    found = spec.loads(TINY)
    again = spec.loads(json.dumps(found.document))
    assert [t.hash for t in again.trainings] == [t.hash for t in found.trainings]
    assert again.document == found.document


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_is_a_sweep_of_its_name(name: str):
    found = spec.load(name)
    assert found.name == name
    assert presets.summary(name).endswith(".")
    if name == "atlas-small":
        assert len(found.trainings) >= 100


scalars = st.none() | st.booleans() | st.integers() | st.floats(-1e30, 1e30) | st.text(max_size=30)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=30), inner, max_size=3)
    ),
    max_leaves=8,
)


@FEW
@given(document=values)
def test_json_reads_as_itself(document):
    text = json.dumps(document)
    found = documents.parse(text, source="x").value
    assert json.dumps(found) == text or found == document


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.sampled_from("ab:-[]{},#&*!|>'\"%@`? \n\t0.e"), max_size=40))
def test_no_text_is_a_traceback(text: str):
    try:
        spec.loads(text)
    except UsageError as error:
        assert error.faults
        assert all(fault.place.startswith("sweep.yaml") for fault in error.faults)
