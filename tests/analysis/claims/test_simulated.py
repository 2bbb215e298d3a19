"""C1, C2, C5, C16 and C19 on simulated sweeps: power, false verdicts, coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.claims import (
    common_rules,
    deduplicated,
    outlier_first,
    reverse_steps,
    typical_first,
)
from analysis.claims.verdicts import CONTRADICTED, SUPPORTED, above_zero, all_of
from analysis.frames.tables import Tables
from analysis.statistics.deduplication import deduplicated_slopes
from analysis.statistics.partial_window import partial_windows
from analysis.statistics.reverse_step_slopes import reverse_step_slopes
from analysis.statistics.typicality_slopes import slope_over_seeds, typicality_slopes, with_both
from tests.analysis.claims import simulated
from tests.analysis.claims.simulated import CLEAR, REPETITIONS

SPREAD = 0.02


def copying_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    """T_E that differs from seed to seed; T_L of the other sign, as far and as often."""
    own = simulated.trainings(size)
    slope, knowledge = (simulated.effects(rng, size, sign * effect, SPREAD) for sign in (1, -1))
    curves = simulated.curves(
        own, {64: 0.02, 128: 0.3, 256: 0.6}, typicality_slope=slope, likelihood_slope=knowledge
    )
    return Tables.of({"trainings": own, "curves": curves})


def deduplicated_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    own = simulated.trainings(size)
    slope = simulated.effects(rng, size, effect, SPREAD)
    curves = simulated.curves(own, {64: 0.02, 128: 0.3, 256: 0.6}, typicality_slope=slope)
    return Tables.of({"trainings": own, "curves": curves})


PARTIAL, LATE = (128, 256), 4096
COURSE = {64: 0.0, 128: 0.2, 256: 0.4, 1024: 0.8, LATE: 1.0}


def overproducing_sweeps(
    rng: np.random.Generator, size: int, effect: float, relaxing: float | None = None
) -> Tables:
    """Q in the window and what of it is gone at the end, each with an effect of its own."""
    own = simulated.trainings(size)
    window = simulated.effects(rng, size, effect, SPREAD)
    gone = simulated.effects(rng, size, effect if relaxing is None else relaxing, SPREAD)
    steps = np.array(list(COURSE))
    table = own[["training"]].merge(pd.DataFrame({"step": steps}), how="cross")
    q = np.where(table["step"].isin(PARTIAL), np.repeat(window, len(steps)), 0.0)
    q = np.where(table["step"] == LATE, np.repeat(window - gone, len(steps)), q)
    table["q"] = q
    levels = table.assign(level=1, conditional_validity=np.nan, chance_validity=1.0)
    levels["partial_memorization"] = np.where(levels["step"] < PARTIAL[0], 0.0, 0.5)
    ranks = pd.DataFrame({"rank": [1, 2], "true_frequency": [0.6, 0.4]})
    rules = table.merge(ranks, how="cross").assign(level=2)
    rules["training_frequency"] = rules["true_frequency"] - 0.05
    surplus = np.where(rules["rank"] == 1, rules["q"], 0.0)
    rules["generated"] = rules["true_frequency"] * np.exp(surplus)
    frames = {"curves": simulated.curves(own, COURSE), "levels": levels, "rules": rules}
    return Tables.of({"trainings": own, **frames})


REVERSE = (25, 50, 100)


def reversing_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    """Three numbers of reverse steps for every network; all of the schedule are 100."""
    slope = simulated.effects(rng, size, effect, SPREAD)
    arms, curves = [], []
    for octave, steps in enumerate(REVERSE):
        own = simulated.trainings(
            size, measurement__reverse_steps=None if steps == REVERSE[-1] else steps
        )
        own["training"] += f"-{steps}"
        rows = simulated.curves(own, {64: 0.0, 128: 0.4, 256: 0.6})
        copies = rows["excess_copies"] > 0
        rows["excess_copies"] += copies * np.repeat(slope * (octave - 1), 3)
        arms.append(own)
        curves.append(rows)
    return Tables.of({"trainings": pd.concat(arms), "curves": pd.concat(curves)})


def by_seed(frame: pd.DataFrame, column: str) -> pd.Series:
    tested = frame[frame["left_out"].isna()]
    assert slope_over_seeds(frame, column) == tested.groupby("seed")[column].mean().tolist()
    return tested.groupby("seed")[column].mean()


@dataclass(frozen=True)
class Simulation:
    """How a claim is simulated, how its effects by seed come about, and their size per `effect`."""

    draw: Callable[[np.random.Generator, int, float], Tables]
    effects: Callable[[Tables, int], pd.Series]
    test: Callable[[Tables], Any]
    sign: int = 1


SIMULATIONS = {
    "C1": Simulation(
        copying_sweeps,
        lambda tables, _: by_seed(typicality_slopes(tables), "typicality_slope"),
        typical_first.test,
    ),
    "C2": Simulation(
        deduplicated_sweeps,
        lambda tables, _: by_seed(deduplicated_slopes(tables), "typicality_slope"),
        deduplicated.test,
    ),
    "C5": Simulation(
        overproducing_sweeps,
        lambda tables, _: by_seed(partial_windows(tables), "overproduction"),
        common_rules.test,
    ),
    "C16": Simulation(
        copying_sweeps,
        lambda tables, _: -by_seed(with_both(typicality_slopes(tables)), "likelihood_slope"),
        outlier_first.test,
        sign=-1,
    ),
    "C19": Simulation(
        reversing_sweeps,
        lambda tables, _: by_seed(reverse_step_slopes(tables), "slope"),
        reverse_steps.test,
    ),
}

each = pytest.mark.parametrize("name", SIMULATIONS)


def verdicts(name: str, effect: float, seeds: int, repetitions: int = REPETITIONS) -> dict:
    one = SIMULATIONS[name]
    tables = one.draw(np.random.default_rng(seeds), seeds * repetitions, effect)
    return simulated.verdicts(one.effects(tables, seeds), seeds)


@each
def test_an_effect_is_found(name):
    assert verdicts(name, CLEAR, 5)[SUPPORTED] >= 0.9


@each
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_without_an_effect_little_is_supported(name, seeds):
    found = verdicts(name, 0.0, seeds)
    assert found.get(SUPPORTED, 0) <= simulated.at_most(0.05)
    assert found.get(CONTRADICTED, 0) <= simulated.at_most(0.05)


@pytest.mark.parametrize("name", ["C1", "C2", "C5", "C16", "C19"])
def test_a_reversed_effect_contradicts(name):
    assert verdicts(name, -CLEAR, 5)[CONTRADICTED] >= 0.9


@each
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_cover(name, seeds):
    one, effect = SIMULATIONS[name], 6.0
    tables = one.draw(np.random.default_rng(10 + seeds), seeds * 1000, effect)
    assert simulated.covers(one.effects(tables, seeds), seeds, effect * SPREAD)


@each
def test_one_sweep_alone_gives_what_all_together_gave(name):
    one, seeds = SIMULATIONS[name], 4
    tables = one.draw(np.random.default_rng(0), 3 * seeds, 1.0)
    together = simulated.estimates(one.sign * one.effects(tables, seeds), seeds)
    for repetition, estimate in enumerate(together):
        found = one.test(simulated.part(tables, seeds, repetition))
        assert found.estimate == pytest.approx(estimate)


def test_c16_takes_both_signs():
    seeds, rng = 5, np.random.default_rng(4)
    alone = [
        {"typicality_slope": sign * CLEAR, "likelihood_slope": -sign * CLEAR} for sign in (1, -1)
    ]
    both, typical = dict(alone[0]), {**alone[0], "likelihood_slope": CLEAR}
    for means, verdict in ((both, SUPPORTED), (alone[1], CONTRADICTED), (typical, CONTRADICTED)):
        own = simulated.trainings(seeds * 10)
        slopes = {n: simulated.effects(rng, len(own), m, SPREAD) for n, m in means.items()}
        curves = simulated.curves(own, {64: 0.3}, **slopes)
        tables = Tables.of({"trainings": own, "curves": curves})
        found = [outlier_first.test(simulated.part(tables, seeds, r)) for r in range(10)]
        assert sum(one.verdict == verdict for one in found) >= 8


@pytest.mark.parametrize(
    ("produced", "relaxing", "verdict", "least", "most"),
    [
        (CLEAR, CLEAR, SUPPORTED, 0.9, 1.0),
        (CLEAR, 0.0, SUPPORTED, 0.0, simulated.at_most(0.05)),
        (0.0, CLEAR, SUPPORTED, 0.0, simulated.at_most(0.05)),
        (CLEAR, -CLEAR, CONTRADICTED, 0.9, 1.0),
    ],
)
def test_c5_takes_both_halves(produced, relaxing, verdict, least, most):
    seeds, rng = 5, np.random.default_rng(3)
    tables = overproducing_sweeps(rng, seeds * REPETITIONS, produced, relaxing)
    windows = partial_windows(tables)
    halves = [
        [above_zero(one) for one in simulated.estimates(by_seed(windows, column), seeds)]
        for column in ("overproduction", "relaxation")
    ]
    judged = [all_of(*both) for both in zip(*halves, strict=True)]
    assert least <= simulated.rates(judged).get(verdict, 0.0) <= most
    for repetition in range(3):
        found = common_rules.test(simulated.part(tables, seeds, repetition))
        assert found.verdict == judged[repetition].verdict
        assert found.judgement.p_value == pytest.approx(judged[repetition].p_value)
