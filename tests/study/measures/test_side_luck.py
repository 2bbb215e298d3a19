"""The luck of sides: what is stated of a difference between substrings, and how it spreads."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest

from rhm import TreeShape
from study.measures.side_luck import side_variance
from study.measures.substrings import CONTROL, TRAINING, Sample, Substrings

SHAPE = TreeShape(depth=2, vocab_size=12, tuple_size=2)
SIDE, GENERATED = 40, 200


def dealt(strings: np.ndarray, rng: np.random.Generator) -> Substrings:
    """Halves of strings that a coin deals to two sides of one size."""
    order = rng.permutation(len(strings))
    law = Sample(shape=SHAPE, strings=strings, exchangeable=True)
    return Substrings.of(SHAPE, law, 1, strings[order[:SIDE]], strings[order[SIDE:]])


def strings_of(halves: int, rng: np.random.Generator) -> np.ndarray:
    """Distinct strings made of so few halves that several hold the same."""
    pairs = rng.permutation(144)[:halves]
    both = np.unique(rng.choice(pairs, size=(6 * SIDE, 2)), axis=0)
    both = both[rng.permutation(len(both))][: 2 * SIDE]
    return np.stack([both // 12, both % 12], axis=2).reshape(len(both), 4).astype(np.uint8)


@pytest.mark.parametrize("halves", [30, 60, 140])
def test_its_mean_is_the_variance_over_deals(halves):
    rng = np.random.default_rng(halves)
    strings = strings_of(halves, rng)
    weights = rng.dirichlet(np.full(2 * SIDE, 0.3))
    differences, stated = [], []
    for _ in range(1500):
        found = dealt(strings, rng)
        sides = found.sides_at(found.places(strings))
        each = (sides == TRAINING).mean(axis=1) - (sides == CONTROL).mean(axis=1)
        differences.append(weights @ each)
        generated = strings[rng.choice(2 * SIDE, size=GENERATED, p=weights)]
        stated.append(side_variance(found, found.places(generated)))
    assert np.mean(stated) == pytest.approx(np.var(differences), rel=0.12)


def test_it_is_the_sum_over_pairs_of_different_strings():
    rng = np.random.default_rng(1)
    found = dealt(strings_of(60, rng), rng)
    generated = strings_of(60, np.random.default_rng(1))[rng.integers(2 * SIDE, size=60)]
    places = found.places(generated)
    exclusive = found.sides == CONTROL
    held = [{u for u in row if exclusive[u]} for row in found.of_control]
    total = 0.0
    for i, j in product(range(60), repeat=2):
        for u, other in product(places[i], places[j]):
            if i == j or u < 0 or other < 0 or not (exclusive[u] and exclusive[other]):
                continue
            h, more = (sum(x in row for row in held) for x in (u, other))
            close = any({u, other} <= row for row in held)
            apart, same = comb(SIDE, h) * comb(SIDE, more), comb(SIDE, h + more)
            total += 1.0 if close else 1 - apart / (same * comb(h + more, h))
    assert total != 0
    assert side_variance(found, places) == pytest.approx(2 * total / (60 * 59 * 4))


def test_without_exclusive_substrings_there_is_no_luck():
    rng = np.random.default_rng(2)
    found = dealt(strings_of(60, rng), rng)
    nothing = np.full((5, 2), -1)
    assert side_variance(found, nothing) == 0
    assert side_variance(found, nothing[:1]) == 0


def test_what_training_strings_show_takes_no_part():
    """A memorizer copies D, and has no luck for it."""
    rng = np.random.default_rng(3)
    found = dealt(strings_of(140, rng), rng)
    places = np.arange(len(found.keys))[found.sides == TRAINING]
    assert side_variance(found, rng.choice(places, size=(50, 2))) == 0
