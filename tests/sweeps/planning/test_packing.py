"""Packing: everyone exactly once, only equals together, no slot idle."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from study.config import TrialConfig
from sweeps.files import spec
from sweeps.files.schema import Resources
from sweeps.planning import memory, packing
from sweeps.space import cost
from sweeps.space.cells import Cell, Training
from tests.sweeps.tiny import TINY

TINY_BASE = yaml.safe_load(TINY)["base"]


def config(width: int = 8, size: int = 4, batch: int = 8, seed: int = 0, **more) -> TrialConfig:
    return TrialConfig.from_dict(
        {
            "grammar": {"depth": 2, "vocab_size": 4, "num_synonyms": 2},
            "corpus": {"size": size},
            "network": {"width": width},
            "training": {"steps": 256, "batch_size": batch},
            "measurement": {"budget": None},
            "seed": seed,
        }
        | more
    )


def training(*args: int) -> Training:
    made = config(*args)
    return Training(made.hash, Cell({}, made, ""), made)


trainings = st.lists(
    st.tuples(
        st.sampled_from([8, 32, 256, 1024]),
        st.integers(1, 16),
        st.sampled_from([8, 16]),
        st.integers(0, 3),
    ),
    max_size=40,
    unique=True,
).map(lambda rows: [training(*row) for row in rows])


@settings(max_examples=40, deadline=None)
@given(
    trainings=trainings,
    slots=st.integers(1, 8),
    members=st.none() | st.integers(1, 5),
    on_gpu=st.booleans(),
    steps=st.randoms(use_true_random=False),
)
def test_packs_hold_everyone_once_and_only_equals(trainings, slots, members, on_gpu, steps):
    at = {t.hash: steps.choice([0, 64, 128]) for t in trainings}
    packs = packing.packed(trainings, at, slots=slots, members=members, on_gpu=on_gpu)
    packed = [t.hash for pack in packs for t in pack.trainings]
    assert sorted(packed) == sorted(t.hash for t in trainings)
    for pack in packs:
        assert len({t.config.pack_key for t in pack.trainings}) == 1
        assert {at[t.hash] for t in pack.trainings} == {pack.step}
        limit = members or packing.members_limit(pack.trainings[0].config, on_gpu=on_gpu)
        assert 1 <= len(pack.trainings) <= limit
    costs = [pack.flop for pack in packs]
    if packs:
        ends = packing.ends(costs, slots)
        assert max(ends) <= packing.makespan(costs, slots) * (1 + packing.PATIENCE)
    assert len({p.name for p in packs}) == len(packs)


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 40), slots=st.integers(1, 8))
def test_no_slot_is_idle_while_packs_can_be_split(count: int, slots: int):
    alike = [training(512, 1 + i % 16, 8, i // 16) for i in range(count)]
    packs = packing.packed(alike, {}, slots=slots, members=count)
    shares = [len(pack.trainings) for pack in packs]
    assert max(shares) - min(shares) <= 1
    assert max(shares) <= -(-count // slots)


def test_groups_of_equal_cost_are_all_split():
    many = [training(512, 4, batch, seed) for batch in (8, 16) for seed in range(4)]
    packs = packing.packed(many, {}, slots=8, members=4)
    assert len(packs) == 8


def test_small_networks_share_large_packs_and_wide_ones_do_not():
    widths = (8, 32, 64, 128, 512, 4096)
    limits = [packing.members_limit(config(width), on_gpu=False) for width in widths]
    assert limits == [16, 16, 8, 4, 1, 1]


@settings(max_examples=40, deadline=None)
@given(trainings=trainings, room=st.floats(0.5, 50), slots=st.integers(1, 4))
def test_packs_fit_into_the_memory_that_they_may_use(trainings, room, slots):
    memory = room * cost.of(config(1024)).memory_bytes
    packs = packing.packed(trainings, {}, slots=slots, memory=memory, on_gpu=True)
    assert sorted(t.hash for p in packs for t in p.trainings) == sorted(t.hash for t in trainings)
    assert all(pack.memory <= memory or len(pack.trainings) == 1 for pack in packs)


@pytest.mark.parametrize(
    ("resources", "gib"),
    [
        ({}, (100 * 0.9) / 8 - 600 / 1024),
        ({"cpus_per_pack": 4}, 100 * 0.9 / 2 - 600 / 1024),
        ({"max_concurrent": 1}, 100 * 0.9 - 600 / 1024),
        ({"gpus_per_pack": 0.25}, 20),
        ({"gpus_per_pack": 2}, 160),
        ({"memory_gib_per_pack": 3, "gpus_per_pack": 0.25}, 3),
    ],
)
def test_memory_is_shared_by_the_packs_of_a_machine_unless_told(resources, gib, monkeypatch):
    monkeypatch.setattr(memory.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(memory, "installed", lambda: 100 * 2**30)
    assert memory.per_pack(Resources(**resources)) == pytest.approx(gib * 2**30)


def test_a_container_with_less_memory_than_its_machine_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CONTAINER", tmp_path / "memory.max")
    whole = memory.installed()
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.installed() == whole > 2**28
    (tmp_path / "memory.max").write_text(f"{2**28}\n")
    assert memory.installed() == 2**28


@pytest.mark.parametrize(
    ("grid", "seeds", "labels"),
    [
        ({"corpus.size": [4]}, range(1), ["size=4 seed 0"]),
        ({"corpus.size": [4]}, range(3), ["size=4 ×3 seeds"]),
        ({"corpus.size": [4]}, range(5, 8), ["size=4 seeds 5…7"]),
        ({"corpus.size": [4, 8]}, range(3), ["2 cells × 3 seeds: size=4…8"]),
        ({"corpus.size": [4, 8]}, range(1), ["2 cells × seed 0: size=4…8"]),
        (
            {"corpus.size": [8, 4], "network.width": [8, 16]},
            range(2),
            ["2 cells × 2 seeds: size=4…8 width=16", "2 cells × 2 seeds: size=4…8 width=8"],
        ),
        ({}, range(2), ["×2 seeds"]),
    ],
)
def test_packs_are_called_by_their_cells_and_seeds(grid, seeds, labels):
    base = {"base": TINY_BASE | ({} if grid else {"corpus": {"size": 4}})}
    sweep = spec.loads(json.dumps({"name": "x", **base, "grid": grid, "seeds": 10}))
    some = [t for t in sweep.trainings if t.config.seed in seeds]
    packs = packing.packed(some, {}, slots=1)
    assert sorted(pack.label for pack in packs) == labels


def test_a_pack_of_uneven_cells_says_so():
    sweep = spec.loads(
        json.dumps({"name": "x", "base": TINY_BASE, "grid": {"corpus.size": [4, 8]}, "seeds": 2})
    )
    (pack,) = packing.packed(sweep.trainings[:3], {}, slots=1)
    assert pack.label == "3 trainings of 2 cells: size=4…8"


def test_packs_are_the_same_whenever_they_are_made():
    many = [training(8, size, 8, seed) for size in range(1, 17) for seed in range(2)]
    first, again = (packing.packed(many, {}, slots=2) for _ in range(2))
    assert [p.name for p in first] == [p.name for p in again]


def test_members_whose_bits_depend_on_their_pack_stay_in_it():
    many = [training(8, size, 8, 0) for size in range(1, 9)]
    together = tuple(t.hash for t in many[:5])
    packs = packing.packed(
        many, {}, slots=4, members=2, compositions=dict.fromkeys(together, together)
    )
    (kept,) = [p for p in packs if many[0] in p.trainings]
    assert {t.hash for t in kept.trainings} == set(together)


@pytest.mark.parametrize("width", [16, 64, 256])
def test_operations_are_those_of_the_matrix_products(width: int):
    """540·W² a string and step at L=4, s=2 where the W² products are all that counts."""
    made = TrialConfig.from_dict(
        {
            "grammar": {"depth": 4, "vocab_size": 6, "num_synonyms": 4},
            "corpus": {"size": 64},
            "network": {"width": width},
            "training": {"steps": 64, "batch_size": 1},
            "measurement": {"budget": None},
        }
    )
    ends = cost.BACKWARD * cost.FLOP_PER_MAC * 16 * 3 * 6 * width
    assert cost.of(made).training_flop == 64 * (540 * width**2 + ends)


def test_weights_are_those_of_the_network():
    from study.models.unet import NetworkShape

    grammar = {"depth": 3, "vocab_size": 8, "num_synonyms": 2, "tuple_size": 3}
    made = config(width=24, grammar=grammar)
    assert cost.weights(made) == NetworkShape.of(made).numel  # v = 8 needs no padding


def test_costs_are_of_what_is_left():
    made = config()
    half = cost.of(made, 128)
    assert half.training_flop == cost.of(made).training_flop / 2
    assert half.generating_flop == cost.of(made).generating_flop / 3  # 64, 128, 256
    assert cost.of(made, 256).flop == 0
    both = cost.total([half, half])
    assert both.flop == 2 * half.flop
    assert both.memory_bytes == half.memory_bytes
    assert cost.total([]).flop == 0
