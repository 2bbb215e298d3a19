"""Cells from coarse to fine: a whole picture at every resolution."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.files import spec
from sweeps.planning import packing
from sweeps.search import order
from tests.sweeps.files.test_spec import sweep_of


def sizes_in_order(sizes: list[int]) -> list[int]:
    cells = sweep_of({"grid": {"corpus.size": sizes}}).cells
    return [cell.coordinates["corpus.size"] for cell in order.coarse_to_fine(cells)]


def test_ends_come_first_then_middles_then_quarters():
    assert sizes_in_order([1, 2, 3, 4, 5, 6, 7, 8, 9]) == [1, 9, 5, 3, 7, 2, 4, 6, 8]
    assert sizes_in_order([8, 2, 4]) == [8, 2, 4]
    assert sizes_in_order([4]) == [4]


def test_each_finer_lattice_is_whole_before_the_next_begins():
    grid = {"corpus.size": [1, 2, 3, 4, 5], "network.width": [8, 16, 24]}
    cells = order.coarse_to_fine(sweep_of({"grid": grid}).cells)
    points = [tuple(cell.coordinates.values()) for cell in cells]
    assert set(points[:4]) == {(1, 8), (1, 24), (5, 8), (5, 24)}
    assert set(points[:9]) == {(a, b) for a in (1, 3, 5) for b in (8, 16, 24)}
    assert len(set(points)) == 15


def test_between_two_words_lies_nothing():
    grid = {
        "corpus.size": [1, 2, 3],
        "diffusion.process": ["uniform", "absorbing"],
        "grammar.zipf": [{}, {0: 1.0}, {1: 1.0}],
    }
    cells = order.coarse_to_fine(sweep_of({"grid": grid}).cells)
    assert {cell.coordinates["corpus.size"] for cell in cells[:12]} == {1, 3}
    assert {cell.coordinates["corpus.size"] for cell in cells[12:]} == {2}


@settings(max_examples=20, deadline=None)
@given(
    widths=st.lists(st.sampled_from([8, 16, 64, 256, 1024]), min_size=1, unique=True),
    count=st.integers(1, 9),
    slots=st.integers(1, 6),
)
def test_an_early_picture_costs_hardly_any_time(widths, count, slots):
    sizes = list(range(1, count + 1))
    sweep = sweep_of({"grid": {"corpus.size": sizes, "network.width": widths}})
    cells = order.coarse_to_fine(sweep.cells)
    wanted = [t for cell in cells for t in sweep.search.space.replicas(cell)]
    packs = packing.packed(wanted, {}, slots=slots)
    costs = [pack.flop for pack in packs]
    longest_first = packing.makespan(costs, slots)
    assert max(packing.ends(costs, slots)) <= longest_first * (1 + packing.PATIENCE)


def test_the_demo_starts_at_its_corners():
    demo = spec.load("demo")
    cells = order.coarse_to_fine(demo.cells)
    corners = {(c.coordinates["corpus.size"], c.coordinates["network.width"]) for c in cells[:8]}
    assert corners == {(64, 8), (64, 64), (512, 8), (512, 64)}
    wanted = [t for cell in cells for t in demo.search.space.replicas(cell)]
    packs = packing.packed(wanted, {}, slots=2)
    assert {t.config.network.width for pack in packs[:4] for t in pack.trainings} == {8, 64}
