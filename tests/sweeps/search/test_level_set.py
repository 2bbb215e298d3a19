"""Level-set search: surfaces of known boundary, what is asked, what bad observations do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sweeps.search.bands import stretches
from sweeps.search.gaussian_process import TrainingKernel
from sweeps.search.level_set import FALLS, OPEN, RISES, LevelSet, Surface
from sweeps.search.seed_noise import Latent, SeedNoise, summarized

STEPS = np.log([512.0, 1024, 2048, 4096])
SIZES, WIDTHS = np.arange(5, 10.01, 0.5), np.arange(3, 6.01, 0.5)
LATTICE = np.array([(n, w) for n in SIZES for w in WIDTHS])
COSTS = 2.0 ** LATTICE[:, 1]

Lead = Callable[..., float]


class Play:
    """A search played on seeds whose E is logistic in log step about a known lead."""

    def __init__(self, lead: Lead, candidates=LATTICE, costs=COSTS, seed=0, noise=0.15, **options):
        self.lead, self.noise = lead, noise
        self.search = LevelSet(candidates, costs, **options)
        self.rng = np.random.default_rng(seed)
        self.observed: list[list] = [[], [], [], []]
        self.spent = 0.0

    def train(self, candidate: int, seeds: list[int], values=None) -> None:
        for seed in seeds:
            lead = self.lead(*self.search.candidates[candidate])
            y = 2 * (lead + STEPS - STEPS[-1] + self.noise * self.rng.standard_normal())
            y = 1 / (1 + np.exp(-y)) if values is None else np.full(4, values)
            self.spent += float(self.search.costs[candidate])
            for column, own in zip(
                self.observed, ([candidate] * 4, STEPS, y, [seed] * 4), strict=True
            ):
                column.extend(own)

    def surface(self, **asked) -> Surface:
        return self.search.fit(*self.observed, **asked)

    def to_the_end(self, batch=8, rounds=30) -> Surface:
        surface = self.surface()
        for _ in range(rounds):
            if self.search.finished(surface):
                break
            for candidate, seeds in flat(self.search.ask(surface, batch)):
                first = int(surface.tried[candidate])
                self.train(candidate, list(range(first, first + seeds)))
            surface = self.surface()
        return surface


def flat(packs: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """What several packs hold together."""
    held = Counter[int]()
    for candidate, seeds in chain.from_iterable(packs):
        held[candidate] += seeds
    return list(held.items())


def straight(n: float, w: float) -> float:
    return math.log(2) * (1.1 * (w - 3) + 5.3 - n)


def two_branches(n: float, w: float) -> float:
    return math.log(2) * (0.75 * (w - 3.7) - abs(n - 7.4))


def test_finds_a_straight_boundary_at_a_fifth_of_the_grid():
    play = Play(straight)
    surface = play.to_the_end()
    assert play.search.finished(surface) and surface.width <= 1
    assert play.spent < COSTS.sum() * 4 / 5
    found = surface.boundary()
    assert set(found["direction"]) <= {FALLS, OPEN}
    for width in WIDTHS:
        truth = 1.1 * (width - 3) + 5.3
        row = found[np.isclose(found["x1"], width)].iloc[0]
        assert row["lower"] - 0.25 <= truth <= row["upper"] + 0.25
    largest = surface.largest()
    assert len(largest) == len(WIDTHS)
    assert (np.diff(largest["position"].replace(-np.inf, 4)) > 0).all()


def test_two_branches_are_two_crossings_of_a_line():
    surface = Play(two_branches).to_the_end()
    rows = surface.boundary()
    last = rows[np.isclose(rows["x1"], 6)].dropna(subset="position")
    assert last["direction"].tolist() == [RISES, FALLS]
    assert last["position"].tolist() == pytest.approx([7.4 - 1.725, 7.4 + 1.725], abs=0.4)


@pytest.mark.parametrize(("lead", "chance"), [(-3.0, 0.0), (3.0, 1.0)])
def test_no_boundary_is_said_to_be_none(lead, chance):
    play = Play(lambda n, w: lead)
    surface = play.to_the_end()
    assert play.search.finished(surface) and surface.width == 0
    assert surface.boundary().empty
    assert surface.probability == pytest.approx(np.full(len(LATTICE), chance), abs=0.03)
    assert (surface.largest()["position"] == (math.inf if chance else -math.inf)).all()


def test_an_order_parameter_without_bounds_rises_through_its_level():
    search = LevelSet(np.arange(10.0)[:, None], np.ones(10), level=2.0, bounds=None)
    rng, rows = np.random.default_rng(2), [[], [], [], []]
    for _ in range(12):
        surface = search.fit(*rows)
        if search.finished(surface):
            break
        for candidate, seeds in flat(search.ask(surface, 4)):
            for seed in range(seeds):
                loss = 0.5 * candidate - 0.4 + 0.1 * rng.standard_normal() + 0 * STEPS
                seed += int(surface.tried[candidate])
                for column, own in zip(
                    rows, ([candidate] * 4, STEPS, loss, [seed] * 4), strict=True
                ):
                    column.extend(own)
    assert search.finished(surface)
    row = surface.boundary().iloc[0]
    assert row["direction"] == RISES
    assert row["position"] == pytest.approx(4.8, abs=0.5)


@pytest.mark.parametrize("axes", [1, 3])
def test_one_and_three_axes(axes):
    sides = [np.arange(0, 5.0)] * axes if axes == 3 else [np.arange(0, 12.0)]
    lattice = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, axes)
    play = Play(lambda *x: 2.2 - x[0] + 0.4 * sum(x[1:]), lattice, np.ones(len(lattice)))
    surface = play.to_the_end(batch=8, rounds=12)
    assert play.search.finished(surface)
    above = np.array([play.lead(*x) > 0 for x in lattice])
    decided = np.abs(surface.probability - 0.5) > 0.475
    assert decided.mean() > 0.6
    assert ((surface.probability > 0.5) == above)[decided].mean() > 0.97


def test_the_same_observations_give_the_same_surface_and_wishes_in_any_order():
    play = Play(straight)
    play.to_the_end(rounds=2)
    once = play.surface()
    order = np.random.default_rng(3).permutation(len(play.observed[0]))
    again = play.search.fit(*(np.array(column)[order] for column in play.observed))
    assert again.probability.tobytes() == once.probability.tobytes()
    assert play.search.ask(again, 8) == play.search.ask(once, 8)


@pytest.mark.long
@pytest.mark.parametrize("lead", [straight, two_branches])
def test_the_band_covers_true_crossings_about_as_often_as_it_says(lead):
    fine = np.linspace(SIZES[0], SIZES[-1], 2001)
    shares = []
    for seed in range(60):
        table = Play(lead, seed=seed).to_the_end().boundary()
        for width in WIDTHS:
            bands = table[np.isclose(table["x1"], width)]
            above = np.array([lead(n, width) > 0 for n in fine])
            shares += [
                ((bands["lower"] <= x) & (x <= bands["upper"])).any()
                for x in fine[np.flatnonzero(above[:-1] != above[1:])]
            ]
    assert len(shares) >= 400
    assert 0.91 <= np.mean(shares) <= 0.995


def test_an_earlier_budget_of_steps_is_answered_by_the_same_trainings():
    """Less surely: trainings lie about the last step's boundary, so this one is drawn towards it.

    Searches for half the usual width, which train about enough. With the usual one the band held
    the earlier boundary 85 ± 4 % of the time over 40 other seeds, as the docs of searches say.
    """
    held, earlier = [], []
    for seed in range(8):
        play = Play(straight, seed=seed, width=0.5)
        play.to_the_end(rounds=60)
        late, early = play.surface().largest(), play.surface(at=STEPS[-2]).largest()
        truth = 1.1 * (early["x1"] - 3) + 5.3 - 1  # the ramp moves by one nat a nat
        inside = truth >= SIZES[0]
        held += ((early["lower"] <= truth) & (truth <= early["upper"]))[inside].tolist()
        both = np.isfinite(late["position"]) & np.isfinite(early["position"])
        assert both.sum() >= 4
        earlier.append((late["position"] - early["position"])[both].mean())
    assert np.mean(held) >= 0.8
    assert np.mean(earlier) == pytest.approx(1.0, abs=0.3)


def test_pending_trainings_are_counted():
    play = Play(straight)
    play.to_the_end(rounds=1)
    surface = play.surface()
    first = flat(play.search.ask(surface, 6))
    then = flat(play.search.ask(surface, 6, pending=first))
    whole = flat(play.search.ask(surface, 12))
    counts = dict(first)
    for candidate, seeds in then:
        counts[candidate] = counts.get(candidate, 0) + seeds
    assert counts == dict(whole)


def test_more_seeds_where_seeds_scatter():
    asked = []
    for noise in (0.02, 0.6):
        play = Play(straight, noise=noise, width=0.8)
        surface = play.to_the_end(rounds=8)
        asked.append(surface.tried[surface.tried > 0].mean())
    assert asked[1] > asked[0]


def test_failed_trainings_are_not_asked_for_ever():
    play = Play(straight, max_seeds=4)
    play.train(40, [0, 1], values=np.nan)
    surface = play.to_the_end(rounds=12)
    assert surface.without_value[40] and surface.tried[40] == 2
    assert np.isfinite(surface.probability).all()
    assert surface.tried.max() <= 4


def test_nothing_left_to_ask_ends_the_search():
    few = LATTICE[::4]
    play = Play(straight, few, np.ones(len(few)), noise=3.0, width=0.01, max_seeds=1)
    surface = play.to_the_end(batch=10, rounds=10)
    assert not play.search.finished(surface)
    assert (surface.tried == 1).all() and play.search.ask(surface, 5) == []


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 11),
            st.sampled_from([0.0, 3.0, 5.0, 6.0]),
            st.sampled_from([-0.2, 0.0, 0.3, 0.5, 0.5, 0.9, 1.0, 1.3, math.nan]),
            st.integers(0, 3),
        ),
        max_size=40,
    ),
    st.sampled_from([(0.0, 1.0), None]),
)
def test_any_observations_give_probabilities_and_bands(rows, bounds):
    lattice = np.array([(x, y) for x in range(4) for y in range(3)], dtype=float)
    search = LevelSet(lattice, np.ones(12), bounds=bounds)
    surface = search.fit(*([row[i] for row in rows] for i in range(4)))
    assert ((surface.probability >= 0) & (surface.probability <= 1)).all()
    table = surface.boundary()
    assert (table["lower"] <= table["upper"]).all()
    crossing = table.dropna()
    assert (
        (crossing["lower"] <= crossing["position"]) & (crossing["position"] <= crossing["upper"])
    ).all()
    assert sum(seeds for _, seeds in flat(search.ask(surface, 5))) <= 5
    assert search.finished(surface) == (not surface.unsettled.any())


def test_without_observations_everything_is_open():
    search = LevelSet(LATTICE, COSTS)
    surface = search.fit([], [], [], [])
    assert surface.probability == pytest.approx(np.full(len(LATTICE), 0.5))
    assert not search.finished(surface)
    assert set(surface.boundary()["direction"]) == {OPEN}
    assert sum(seeds for _, seeds in flat(search.ask(surface, 8))) == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"candidates": [1.0, 2.0]}, "candidates"),
        ({"candidates": [[1.0], [1.0]]}, "differ"),
        ({"costs": [1.0, 0.0]}, "costs"),
        ({"level": 1.0}, "level"),
        ({"width": 0.0}, "width"),
        ({"coverage": 1.0}, "coverage"),
    ],
)
def test_what_makes_no_sense_is_refused(change, said):
    given_ = {"candidates": [[0.0], [1.0]], "costs": [1.0, 1.0], **change}
    with pytest.raises(ValueError, match=said):
        LevelSet(given_.pop("candidates"), given_.pop("costs"), **given_)


class TestParts:
    def test_the_latent_scale_is_monotone_bounded_and_zero_at_the_level(self):
        values = np.linspace(-0.2, 1.3, 31)
        for bounds in ((0.0, 1.0), None):
            y = Latent.of(0.4, bounds, values)(values)
            assert (np.diff(y) >= 0).all() and np.abs(y).max() < 4
            assert Latent.of(0.4, bounds, values)(np.array(0.4)) == pytest.approx(0)

    def test_the_two_variances_of_seeds_are_found(self):
        rng = np.random.default_rng(5)
        n, k, cells = 4, 4, 300
        shared = 0.4 * rng.standard_normal((cells, n, 1))
        y = shared + 0.2 * rng.standard_normal((cells, n, k))
        index = np.indices(y.shape).reshape(3, -1)
        places = np.zeros((cells, 1))
        points, noise = summarized(
            index[0], STEPS[index[2]], y.ravel(), index[1], places, STEPS[-1]
        )
        assert len(points.cell) == cells * 2  # a large search gives fewer steps of each cell
        assert np.average(noise.shared, weights=noise.degrees) == pytest.approx(0.16, rel=0.1)
        assert np.average(noise.own, weights=noise.degrees) == pytest.approx(0.04, rel=0.15)

    def test_seeds_lend_their_noise_to_what_is_near(self):
        places = np.array([[0.0], [1.0]])
        known = np.array([0.01, 1.0])
        noise = SeedNoise(places, np.zeros(2), np.array([20.0, 20.0]), known, known)
        shared, _, _ = noise.at(places, np.zeros(2))
        assert shared[0] < 0.2 < 0.7 < shared[1]

    @settings(deadline=None, max_examples=20)
    @given(st.integers(0, 10**6))
    def test_the_kernel_is_a_covariance(self, seed):
        rng = np.random.default_rng(seed)
        cell = rng.integers(-1, 4, 30)
        rows = np.column_stack([rng.random((30, 3)), cell, rng.random(30)])
        kernel = TrainingKernel((0.3, 0.5, 1.0), 1.0)
        covariance = kernel(rows)
        assert np.linalg.eigvalsh(covariance).min() > -1e-8
        assert np.diag(covariance) == pytest.approx(kernel.diag(rows))

    def test_a_band_is_where_the_level_lies_within_the_interval(self):
        position = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
        mean = np.array([2.0, 1.0, -1.0, -2.0, 0.1])
        found = stretches(position, mean, np.full(5, 0.5))
        assert [(s.lower, s.upper) for s in found] == [
            pytest.approx((1.25, 1.75)),
            pytest.approx((3 + 1.5 / 2.1, 4.0)),
        ]
        assert [s.crossings for s in found] == [(1.5,), (pytest.approx(3 + 2 / 2.1),)]
        assert [s.rising for s in found] == [(False,), (True,)]
        assert [s.open_above for s in found] == [False, True]

    def test_a_straight_lines_band_covers_as_it_says(self):
        rng = np.random.default_rng(1)
        position, deviation = np.linspace(-3, 3, 25), 0.4
        half = np.full(25, stats.norm.ppf(0.975) * deviation)
        hits = [
            any(s.lower <= 0 <= s.upper for s in stretches(position, position + error, half))
            for error in deviation * rng.standard_normal(2000)
        ]
        assert np.mean(hits) == pytest.approx(0.95, abs=0.015)
