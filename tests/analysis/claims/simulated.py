"""Simulated tables with Gaussian effects of seeds, many sweeps at once.

A sweep is a repetition: its seeds are numbered on from those of the sweep before, so that one table
holds all of them and what is worked out by training or by seed is worked out once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from analysis.claims.verdicts import Judgement, Verdict, above_zero
from analysis.frames.tables import Tables
from analysis.statistics.seeds import CONFIDENCE, Estimate, over_seeds

REPETITIONS = 200
CLEAR = 2.5
"""A built-in effect, in standard deviations over seeds: 5 seeds find it in 98 of 100 sweeps."""

SETTINGS = {
    "grammar.depth": 3,
    "grammar.vocab_size": 3,
    "grammar.num_synonyms": 2,
    "grammar.tuple_size": 2,
    "grammar.num_classes": 3,
    "corpus.size": 256,
    "corpus.control_size": 128,
    "corpus.unique": True,
    "network.width": 64,
    "diffusion.num_timesteps": 100,
    "measurement.reverse_steps": None,
}
"""All of the 384 strings of its grammar are training or control strings."""


def trainings(seeds: int, **settings: object) -> pd.DataFrame:
    """One training per seed in one cell."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    frame = pd.DataFrame({"training": [f"t{seed}" for seed in range(seeds)], "cell": "c"})
    return frame.assign(seed=range(seeds), **{**SETTINGS, **named})


def curves(own: pd.DataFrame, excess: dict[int, float], **columns: object) -> pd.DataFrame:
    """E by step, the same for all trainings, and what else is given per training."""
    frame = pd.DataFrame({"step": list(excess), "excess_copies": list(excess.values())})
    frame = own[["training"]].merge(frame, how="cross").assign(copy_fraction=0.1, excess_fit=0.01)
    each = {name: np.repeat(values, len(excess)) for name, values in columns.items()}
    empty = dict.fromkeys(("typicality_slope", "relative_slope", "likelihood_slope"), np.nan)
    return frame.assign(**{**empty, "novel_validity": np.nan, "heldout_loss": 1.0, **each})


def effects(rng: np.random.Generator, size: int, mean: float, spread: float = 1.0) -> np.ndarray:
    """One effect per seed; `mean` in standard deviations."""
    return spread * rng.normal(mean, 1.0, size)


def part(tables: Tables, seeds: int, repetition: int) -> Tables:
    """One sweep out of all."""
    chosen = range(repetition * seeds, (repetition + 1) * seeds)
    own = tables.trainings[tables.trainings["seed"].isin(chosen)]
    frames = {"trainings": own}
    for name in tables._frames:
        frame = tables[name]
        frames[name] = frame[frame["training"].isin(own["training"])]
    return Tables.of(frames)


def estimates(by_seed: pd.Series, seeds: int) -> list[Estimate]:
    """Mean and interval of every sweep from the effect of every seed (index: seed)."""
    frame = pd.DataFrame({"repetition": by_seed.index // seeds, "value": by_seed.to_numpy()})
    table = over_seeds(frame, by=["repetition"])
    return [Estimate(*row) for row in table.drop(columns="repetition").itertuples(index=False)]


def rates(judgements: Sequence[Judgement]) -> dict[Verdict, float]:
    """Share of every verdict."""
    counts = Counter(one.verdict for one in judgements)
    return {name: count / len(judgements) for name, count in counts.items()}


def verdicts(by_seed: pd.Series, seeds: int) -> dict[Verdict, float]:
    """Shares of the verdicts on an effect above zero."""
    return rates([above_zero(one) for one in estimates(by_seed, seeds)])


def at_most(rate: float, repetitions: int = REPETITIONS) -> float:
    """The largest share that so many tries at that rate show in 99.9 of 100 cases."""
    return float(stats.binom.ppf(0.999, repetitions, rate)) / repetitions


def covers(by_seed: pd.Series, seeds: int, truth: float) -> bool:
    """Whether intervals contain the truth at the nominal rate, see `near_nominal`."""
    return near_nominal(estimates(by_seed, seeds), truth)


def near_nominal(found: Sequence[Estimate], truth: float) -> bool:
    """Whether so many intervals contain the truth as should, within 2 points and three errors."""
    covered = np.mean([lower <= truth <= upper for _, lower, upper, _ in found])  # type: ignore[operator]
    error = np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / len(found))
    return bool(abs(covered - CONFIDENCE) <= 0.02 + 3 * error)
