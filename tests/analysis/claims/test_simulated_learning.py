"""C11 to C15 on simulated sweeps: power, false verdicts, coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.claims import (
    enough_strings,
    gap_first,
    level_by_level,
    partial_generalization,
    recovery_merges,
)
from analysis.claims.verdicts import CONTRADICTED, SUPPORTED, all_of, below_zero
from analysis.frames.tables import Tables
from analysis.statistics.lags import gap_lags, lag_by_seed, level_lags
from analysis.statistics.recovery_gaps import recovery_gaps
from analysis.statistics.root_validity import before_memorizing
from analysis.statistics.sample_complexity import (
    learned_sizes,
    positions,
    synonym_slopes,
    vocabulary_slopes,
)
from analysis.statistics.slopes import slopes
from tests.analysis.claims import simulated
from tests.analysis.claims.simulated import CLEAR, REPETITIONS

SPREAD = 0.02
CHANCE, COMPLETE, COPIES = 0.25, 0.5, 0.05
WIDE = (1, 2**30)
"""Measured steps between which a straight line is interpolated exactly."""


def trainings(size: int, **settings: object) -> pd.DataFrame:
    measured = {"measurement__generated": 1000, "training__batch_size": 32}
    return simulated.trainings(size, **{**measured, **settings})


def over_sizes(sizes: tuple[int, ...], seeds: int, **settings: object) -> pd.DataFrame:
    """One training per corpus size and seed."""
    arms = []
    for size in sizes:
        own = trainings(seeds, corpus__size=size, **settings)
        arms.append(own.assign(training=own["training"] + f"-{size}", cell=f"N={size}"))
    return pd.concat(arms, ignore_index=True)


def crossing(log_step: pd.Series | np.ndarray, onset: pd.Series | np.ndarray) -> Any:
    """A curve that is 1/2 at an onset, straight in the logarithm of the step."""
    return 0.5 + 0.01 * (np.asarray(log_step) - np.asarray(onset))


def uncopied(levels: pd.DataFrame, value: Any) -> pd.DataFrame:
    """Columns of `levels` from which the conditional validity of non-copied strings is `value`."""
    validity = value * (COMPLETE - COPIES) + COPIES
    return levels.assign(
        validity=validity,
        conditional_validity=validity / COMPLETE,
        chance_validity=CHANCE,
        copied=COPIES,
    )


def levelled_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    """Three levels, each an effect behind the next deeper one."""
    own = trainings(size)
    lag = simulated.effects(rng, size, effect, SPREAD)
    parts = []
    for level in range(3):
        table = own[["training"]].assign(level=level, onset=6 + (2 - level) * lag)
        table = table.merge(pd.DataFrame({"step": WIDE}), how="cross")
        parts.append(table)
    levels = pd.concat(parts, ignore_index=True)
    share = crossing(np.log(levels["step"]), levels["onset"])
    levels["conditional_validity"] = CHANCE + (1 - CHANCE) * share
    levels = levels.assign(chance_validity=CHANCE, partial_memorization=np.nan)
    curves = simulated.curves(own, dict.fromkeys(WIDE, 0.0))
    return Tables.of({"trainings": own, "curves": curves, "levels": levels})


def parting_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    """Copies an effect behind the gap."""
    own = trainings(size)
    lag = simulated.effects(rng, size, effect, SPREAD)
    curves = simulated.curves(own, dict.fromkeys(WIDE, 0.0), lag=lag)
    log_step = np.log(curves["step"])
    curves["gap_fraction"] = 0.5 + 0.05 * (log_step - 12)
    curves["excess_copies"] = 0.5 + 0.05 * (log_step - 12 - curves["lag"])
    return Tables.of({"trainings": own, "curves": curves})


def ruled_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    """Root validity that rises with log N before copies appear, and other rows after."""
    own = over_sizes((64, 128, 256), size)
    slope = pd.Series(simulated.effects(rng, size, effect, SPREAD))
    level = rng.normal(0.5, 0.02, size)[own["seed"]]
    value = level + own["seed"].map(slope) * np.log(own["corpus.size"] / 128)
    curves = simulated.curves(own, {64: 0.02, 128: 0.5})
    levels = curves[["training", "step"]].assign(level=0)
    at = np.repeat(value.to_numpy(), 2)
    levels = uncopied(levels, np.where(levels["step"] == 64, at, 0.9))
    return Tables.of({"trainings": own, "curves": curves, "levels": levels})


def recovering_sweeps(
    rng: np.random.Generator, size: int, effect: float, growth: float = 0.0
) -> Tables:
    """A gap that falls with log N, and by a growth with log step; `effect` is how it falls."""
    own = over_sizes((64, 128, 256), size)
    slope = pd.Series(-simulated.effects(rng, size, effect, SPREAD))
    own_gap = own["seed"].map(slope) * np.log(own["corpus.size"] / 64)
    table = own[["training"]].assign(gap=own_gap)
    table = table.merge(pd.DataFrame({"step": (64, 256, 1024)}), how="cross")
    table["gap"] += growth * np.log(table["step"])
    table = table.merge(pd.DataFrame({"window": range(6)}), how="cross")
    inside = table["window"].between(1, 4)
    table = table.assign(heldout_recovery=0.4, training_recovery=0.4 + inside * table["gap"])
    return Tables.of({"trainings": own, "noise": table})


SIZES, SYNONYMS, VOCABULARIES = (2, 256, 2**14), (2, 4), (4, 8)


def sized_sweeps(
    rng: np.random.Generator,
    size: int,
    *,
    position: float = 0.0,
    vocabulary: float = 1.0,
    synonyms: float = 1.0,
) -> Tables:
    """Two levels, learned from N*_l strings but for a position and other exponents."""
    arms = [
        over_sizes(
            SIZES,
            size,
            grammar__depth=2,
            grammar__vocab_size=v,
            grammar__num_classes=v,
            grammar__num_synonyms=m,
        ).assign(v=v, m=m)
        for v in VOCABULARIES
        for m in SYNONYMS
    ]
    own = pd.concat(arms, ignore_index=True)
    own["training"] += "-" + own["v"].astype(str) + "-" + own["m"].astype(str)
    at, v_exponent, m_exponent = (
        pd.Series(rng.normal(mean, 0.05, size)) for mean in (position, vocabulary, synonyms)
    )
    parts = []
    for level in (0, 1):
        log_v, log_m = np.log(own["v"]), (3 - level) * np.log(own["m"])
        extra_v = (own["seed"].map(v_exponent) - 1) * (log_v - np.log(VOCABULARIES).mean())
        middle = (3 - level) * np.log(SYNONYMS).mean()
        extra_m = (own["seed"].map(m_exponent) - 1) * (log_m - middle)
        onset = log_v + log_m + np.log(10) * own["seed"].map(at) + extra_v + extra_m
        share = crossing(np.log(own["corpus.size"]), onset)
        rows = own[["training"]].assign(level=level, step=64)
        parts.append(uncopied(rows, CHANCE + (1 - CHANCE) * share))
    return Tables.of({"trainings": own.drop(columns=["v", "m"]), "levels": pd.concat(parts)})


def epochs_slopes(tables: Tables, column: str = "at_epochs") -> pd.Series:
    """How the gap falls with log N, by seed."""
    gaps = recovery_gaps(tables)
    return -slopes(gaps.assign(y=gaps[column]))


@dataclass(frozen=True)
class Simulation:
    """How a claim is simulated, how its effects by seed come about, and how it is tested."""

    draw: Callable[[np.random.Generator, int, float], Tables]
    effects: Callable[[Tables], pd.Series]
    test: Callable[[Tables], Any]
    sign: int = 1


SIMULATIONS = {
    "C11": Simulation(
        levelled_sweeps, lambda tables: lag_by_seed(level_lags(tables)), level_by_level.test
    ),
    "C13": Simulation(
        ruled_sweeps,
        lambda tables: slopes(before_memorizing(tables)),
        partial_generalization.test,
    ),
    "C14": Simulation(
        parting_sweeps, lambda tables: lag_by_seed(gap_lags(tables, 0.5)), gap_first.test
    ),
    "C15": Simulation(recovering_sweeps, epochs_slopes, recovery_merges.test, sign=-1),
}

each = pytest.mark.parametrize("name", SIMULATIONS)


def stream(name: str, *purpose: int) -> np.random.Generator:
    """Random numbers of a claim's own."""
    return np.random.default_rng([list(SIMULATIONS).index(name), *purpose])


def verdicts(name: str, effect: float, seeds: int) -> dict:
    one = SIMULATIONS[name]
    tables = one.draw(stream(name, 0, seeds), seeds * REPETITIONS, effect)
    return simulated.verdicts(one.effects(tables), seeds)


@each
def test_an_effect_is_found(name):
    assert verdicts(name, CLEAR, 5)[SUPPORTED] >= 0.9


@each
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_without_an_effect_little_is_supported(name, seeds):
    found = verdicts(name, 0.0, seeds)
    assert found.get(SUPPORTED, 0) <= simulated.at_most(0.05)
    assert found.get(CONTRADICTED, 0) <= simulated.at_most(0.05)


@each
def test_a_reversed_effect_contradicts(name):
    assert verdicts(name, -CLEAR, 5)[CONTRADICTED] >= 0.9


@each
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_cover(name, seeds):
    one, effect = SIMULATIONS[name], 3.0
    tables = one.draw(stream(name, 1, seeds), seeds * 1000, effect)
    assert simulated.covers(one.effects(tables), seeds, effect * SPREAD)


@each
@pytest.mark.parametrize("effect", [CLEAR, -CLEAR, 0.0])
def test_one_sweep_alone_says_what_all_together_say(name, effect):
    one, seeds = SIMULATIONS[name], 4
    tables = one.draw(stream(name, 2), 3 * seeds, effect)
    together = simulated.estimates(one.sign * one.effects(tables), seeds)
    for repetition, estimate in enumerate(together):
        found = one.test(simulated.part(tables, seeds, repetition))
        assert found.estimate == pytest.approx(estimate)
        mean, lower, upper, _ = (one.sign * x for x in estimate)
        decided = {True: SUPPORTED, False: CONTRADICTED}[mean > 0]
        assert found.verdict == (decided if lower * upper > 0 else "inconclusive")


def censored_sweeps(rng: np.random.Generator, size: int, effect: float) -> Tables:
    """Copies an effect behind the gap; two of five onsets lie beyond what was measured."""
    own = trainings(size)
    onsets = {name: rng.normal(6, 1, size) for name in ("gap_fraction", "excess_copies")}
    onsets["excess_copies"] += effect
    curves = simulated.curves(own, dict.fromkeys((round(np.exp(5.16)), round(np.exp(6.84))), 0.0))
    for name, onset in onsets.items():
        curves[name] = crossing(np.log(curves["step"]), np.repeat(onset, 2))
    return Tables.of({"trainings": own, "curves": curves})


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_censored_lags_support_nothing_where_neither_comes_first(seeds):
    lags = gap_lags(censored_sweeps(stream("C14", 3, seeds), seeds * REPETITIONS, 0.0), 0.5)
    assert 0.3 < lags["bound"].mean() < 0.7
    found = simulated.verdicts(lag_by_seed(lags), seeds)
    assert found.get(SUPPORTED, 0) <= simulated.at_most(0.05)
    assert found.get(CONTRADICTED, 0) <= simulated.at_most(0.05)


@pytest.mark.parametrize(("effect", "verdict"), [(3.0, SUPPORTED), (-3.0, CONTRADICTED)])
def test_censored_lags_show_the_order_and_less_than_its_size(effect, verdict):
    seeds = 8
    lags = gap_lags(censored_sweeps(stream("C14", 4), seeds * REPETITIONS, effect), 0.5)
    by_seed = lag_by_seed(lags)
    assert simulated.verdicts(by_seed, seeds)[verdict] >= 0.9
    assert 0 < by_seed.mean() / effect < 1


@pytest.mark.parametrize(
    ("fall", "growth", "verdict", "least", "most"),
    [
        # At equal epochs larger corpora have more steps: what grows with them is added there.
        (CLEAR, 0.0, SUPPORTED, 0.9, 1.0),
        (CLEAR, CLEAR, SUPPORTED, 0.0, simulated.at_most(0.05)),
        (0.0, -CLEAR, SUPPORTED, 0.0, simulated.at_most(0.05)),
        (CLEAR, 2 * CLEAR, CONTRADICTED, 0.9, 1.0),
    ],
)
def test_c15_takes_equal_steps_and_equal_epochs(fall, growth, verdict, least, most):
    seeds, rng = 5, np.random.default_rng(2)
    tables = recovering_sweeps(rng, seeds * REPETITIONS, fall, growth * SPREAD)
    halves = [
        [below_zero(one) for one in simulated.estimates(-epochs_slopes(tables, column), seeds)]
        for column in ("at_epochs", "at_steps")
    ]
    judged = [all_of(*both) for both in zip(*halves, strict=True)]
    assert least <= simulated.rates(judged).get(verdict, 0.0) <= most
    for repetition in range(3):
        found = recovery_merges.test(simulated.part(tables, seeds, repetition))
        assert found.judgement == pytest.approx(judged[repetition])


READINGS = (positions, vocabulary_slopes, synonym_slopes)


@pytest.mark.parametrize(
    ("truth", "verdict", "least", "most"),
    [
        ({}, SUPPORTED, 0.9, 1.0),
        ({"position": 0.5}, SUPPORTED, 0.0, simulated.at_most(0.05)),
        ({"vocabulary": 1.2}, SUPPORTED, 0.0, simulated.at_most(0.05)),
        ({"synonyms": 0.8}, SUPPORTED, 0.0, simulated.at_most(0.05)),
        ({"vocabulary": 0.0}, SUPPORTED, 0.0, 0.0),
        ({"position": -0.7}, CONTRADICTED, 0.9, 1.0),
        ({"vocabulary": 0.0}, CONTRADICTED, 0.9, 1.0),
        ({"synonyms": 0.0}, CONTRADICTED, 0.9, 1.0),
    ],
)
def test_c12_takes_position_and_exponents(truth, verdict, least, most):
    seeds, rng = 5, np.random.default_rng(4)
    tables = sized_sweeps(rng, seeds * REPETITIONS, **truth)
    sizes = learned_sizes(tables)
    found = [simulated.estimates(reading(sizes), seeds) for reading in READINGS]
    judged = [enough_strings.conjunction(*three) for three in zip(*found, strict=True)]
    assert least <= simulated.rates(judged).get(verdict, 0.0) <= most
    for repetition in range(2):
        alone = enough_strings.test(simulated.part(tables, seeds, repetition))
        assert alone.estimate == pytest.approx(found[0][repetition])
        assert alone.vocabulary == pytest.approx(found[1][repetition])
        assert alone.synonyms == pytest.approx(found[2][repetition])
        assert alone.verdict == judged[repetition].verdict


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_intervals_of_c12_cover(seeds):
    truth = {"position": 0.2, "vocabulary": 0.7, "synonyms": 1.1}
    sizes = learned_sizes(sized_sweeps(np.random.default_rng(seeds), seeds * 300, **truth))
    for reading, value in zip(READINGS, truth.values(), strict=True):
        assert simulated.covers(reading(sizes), seeds, value)
