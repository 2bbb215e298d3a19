"""Results with known regimes, published through the same door as real ones. For tests only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from study.config import TrialConfig
from study.store import records
from study.store.results import Results
from study.store.status import Status

Array = NDArray[Any]

LEVELS_CHANCE = 0.5

EACH_SIDE = 40
"""Single strings of a side: so many that strata have the 19 controls that they need."""


def config(*, seed: int = 0, depth: int = 3, size: int = 128, width: int = 64, **other: Any):
    document = {
        "grammar": {"depth": depth, "vocab_size": 6, "num_synonyms": 4, **other.get("grammar", {})},
        "corpus": {"size": size, **other.get("corpus", {})},
        "network": {"width": width},
        "diffusion": {"num_timesteps": 50},
        "training": {"steps": other.get("steps", 4096)},
        "measurement": {"first_step": 64, "budget": None, **other.get("measurement", {})},
        "seed": seed,
    }
    return TrialConfig.from_dict(document)


def onsets_of(trial: TrialConfig) -> tuple[float, float]:
    """log2 of the steps at which E and V of a synthetic training reach one half."""
    rng = np.random.default_rng(trial.seed)
    jitter = float(rng.normal(0, 0.35))
    size, width = math.log2(trial.corpus.size), math.log2(trial.network.width)
    memorization = 9.5 + 1.1 * (size - 7) - 0.9 * (width - 6) + jitter
    generalization = 9.0 + 2.0 * (trial.grammar.depth - 3) - 1.0 * (width - 6) + 0.5 * jitter
    return memorization, max(generalization, 15 - size)


def tables(trial: TrialConfig, until: int | None = None) -> dict[str, pa.Table]:
    """Every table in the index of one training up to a step.

    At steps without generated strings whatever they decide is NaN, which the tables hold as null.
    """
    steps = np.array([t for t in trial.measured_steps if until is None or t <= until])
    course = Course.of(trial, steps)
    content = {
        "curves": _curves(course),
        "levels": _levels(course),
        "rules": _rules(course),
        "typicality": _strata(course),
        "noise": _noise(course),
        "timing": _timing(course),
    }
    return {name: _table(name, trial.hash, columns) for name, columns in content.items()}


def _table(name: str, training: str, columns: dict[str, Any]) -> pa.Table:
    schema = records.SCHEMAS[name]
    length = len(next(iter(columns.values())))
    assert set(columns) <= set(schema.names)
    columns = {"training": [training] * length, **columns}
    arrays = [
        pa.array(columns[f.name], type=f.type, from_pandas=True)
        if f.name in columns
        else pa.nulls(length, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@dataclass(frozen=True)
class Course:
    """What happens to a synthetic training: (S,) arrays over its measured steps."""

    trial: TrialConfig
    steps: Array
    octave: Array
    strings: Array  # 1 where strings were generated, NaN elsewhere
    memorization: float
    generalization: float
    excess: Array
    valid: Array
    slope: Array

    @classmethod
    def of(cls, trial: TrialConfig, steps: Array) -> Course:
        memorization, generalization = onsets_of(trial)
        octave = np.log2(steps)
        excess = logistic(2.2 * (octave - memorization))
        noise = np.random.default_rng(1000 + trial.seed).normal(0, 0.2, len(steps))
        return cls(
            trial=trial,
            steps=steps,
            octave=octave,
            strings=np.where(np.isin(steps, trial.generated_steps), 1.0, np.nan),
            memorization=memorization,
            generalization=generalization,
            excess=excess,
            valid=logistic(1.6 * (octave - generalization)),
            slope=0.25 * excess * (1 - excess) * (1 + noise),
        )

    def each(self, count: int) -> tuple[Array, Array, Array]:
        """Steps, strings and 0 … count-1 for tables with so many rows per step."""
        repeated = np.repeat(self.steps, count), np.repeat(self.strings, count)
        return *repeated, np.tile(np.arange(count), len(self.steps))


def _curves(course: Course) -> dict[str, Array]:
    excess, valid, strings = course.excess, course.valid, course.strings
    noise = np.random.default_rng(2000 + course.trial.seed).normal(0, 0.01, len(excess))
    fitted = 0.4 + 1.2 * (1 - excess) * (1 - 0.5 * valid)
    copied = {
        "copy_fraction": excess + 0.01,
        "control_copy_fraction": np.full(len(excess), 0.01),
        "excess_copies": excess + noise,
        "excess_copies_se": np.full(len(excess), 0.01),
        "root_validity": excess + (1 - excess) * valid,
        "novel_validity": (1 - excess) * valid,
        "distinct_share": 1 - 0.5 * excess,
        "typicality_slope": course.slope,
        "typicality_slope_se": np.full(len(excess), 0.01),
        "relative_slope": np.where(excess >= 0.1, course.slope / excess, np.nan),
    }
    return {
        "step": course.steps,
        "batch_loss": fitted,
        "training_loss": fitted,
        "heldout_loss": 0.5 + 1.1 * (1 - 0.6 * valid) + 0.5 * excess,
        "memorizer_loss": np.full(len(excess), 0.2),
        "gap_fraction": excess,
        "position": excess,
        "memorized_excess": excess,
        "likelihood_slope": -2 * course.slope,
        "excess_fit": np.full(len(excess), 0.004),
        **{name: values * strings for name, values in copied.items()},
    }


def _levels(course: Course) -> dict[str, Array]:
    depth = course.trial.grammar.depth
    steps, strings, level = course.each(depth + 1)
    octave, inner = np.log2(steps), level < depth
    partial = logistic(2.2 * (octave - course.memorization + 1.2 * level))
    partial = np.where(level < depth - 1, partial, np.nan)
    share = logistic(1.6 * (octave - course.generalization + 0.8 * level))
    chance = np.where(inner, LEVELS_CHANCE, 1.0)
    slope = np.where(level == depth - 1, np.repeat(course.slope, depth + 1), np.nan)
    emitted = {
        "validity": np.where(inner, share, 1.0),
        "conditional_validity": chance + (1 - chance) * share,
        "chance_validity": chance,
        "partial_memorization": partial,
        "partial_memorization_se": np.where(np.isnan(partial), np.nan, 0.02),
        "partial_memorization_fit": np.where(np.isnan(partial), np.nan, 0.01),
        "rule_kl": np.where(inner, 0.3 * (1 - share), np.nan),
        "typicality_shift": slope,
        "typicality_slope": slope,
    }
    columns = {name: values * strings for name, values in emitted.items()}
    return {"step": steps, "level": level, **columns, "likelihood_slope": -2 * slope}


def _rules(course: Course) -> dict[str, Array]:
    """Zipf rules at the deepest table; the commonest is generated too often, then relaxes."""
    depth, synonyms = course.trial.grammar.depth, course.trial.grammar.num_synonyms
    steps, strings, row = course.each(depth * synonyms)
    level, rank = row // synonyms, row % synonyms + 1
    zipf = 1 / np.arange(1, synonyms + 1)
    common = zipf[rank - 1] / zipf.sum()
    true = np.where(level == depth - 1, common, 1 / synonyms)
    excess = np.repeat(course.excess, depth * synonyms)
    surplus = np.where(rank == 1, 1 + excess * (1 - excess), 1.0)
    columns = {
        "step": steps,
        "level": level,
        "rank": rank,
        "generated": np.minimum(true * surplus, 1.0),
        "training_frequency": true,
        "true_frequency": true,
        "count": np.full(len(steps), 500),
    }
    emitted = ~np.isnan(strings)
    return {name: values[emitted] for name, values in columns.items()}


def _strata(course: Course) -> dict[str, Array]:
    trial = course.trial
    count = 5 if trial.corpus.size < 64 else 8
    steps, strings, stratum = course.each(count)
    z = 1.5 - 3 * stratum / (count - 1)
    shift = np.random.default_rng(trial.seed).normal(0, 0.2, count)
    log_p = -14 + 3 * z + np.tile(shift, len(course.steps))
    excess, slope = (np.repeat(x, count) for x in (course.excess, course.slope))
    return {
        "step": steps,
        "stratum": stratum,
        "lower": log_p - 0.5,
        "upper": log_p + 0.5,
        "mean_log_p": log_p,
        "z": z,
        "emission_excess": (excess + slope * z) * strings,
        "memorized_excess": excess - 2 * slope * z,
        "n_training": np.full(len(z), trial.corpus.size // count),
        "n_control": np.full(len(z), trial.corpus.size // count),
    }


def _noise(course: Course) -> dict[str, Array]:
    steps, _, window = course.each(10)
    excess = np.repeat(course.excess, 10)
    width = course.trial.diffusion.num_timesteps // 10
    return {
        "step": steps,
        "window": window,
        "first_t": window * width + 1,
        "last_t": (window + 1) * width,
        "training_loss": 0.1 * (10 - window) * (1 - 0.8 * excess),
        "heldout_loss": 0.1 * (10 - window),
        "memorizer_loss": 0.02 * (10 - window),
        "training_recovery": 0.3 + 0.6 * excess,
        "heldout_recovery": np.full(len(steps), 0.3),
        "training_entropy": 0.17 * window,
        "heldout_entropy": 0.18 * window,
        "kl_memorizer": 0.5 * (1 - excess),
        "kl_grammar": 0.5 * excess,
        "position": excess,
    }


def string_tables(trial: TrialConfig, until: int | None = None) -> dict[str, pa.Table]:
    """The tables of single strings: two strata, at the deepest level and in all; half memorized."""
    steps = np.array([t for t in trial.measured_steps if until is None or t <= until])
    course = Course.of(trial, steps)
    number = np.arange(2 * EACH_SIDE)
    training = number < EACH_SIDE
    parts = np.zeros((len(number), trial.grammar.depth))
    parts[:, -1] = np.where(number % 2, -3.0, -1.0)
    step, string = np.repeat(steps, len(number)), np.tile(number, len(steps))
    flagged = np.repeat(course.excess, len(number)) > 0.5
    p = np.where(flagged & (string % 4 < 2), 1 / (EACH_SIDE // 2 + 1), 0.5)
    content = {
        "strings": {
            "string": number,
            "side": np.where(training, "training", "control"),
            "log_p": parts.sum(1),
            "stratum": number % 2,
            "tokens": [[i % 6, i // 6] for i in number.tolist()],
            "log_p_by_level": list(parts),
        },
        "likelihood": {
            "step": step,
            "string": string,
            "loss": 5 + 3 * p + 0.1 * (string % 7),
            "p_value": np.where(string < EACH_SIDE, p, np.nan),
        },
        "emissions": {
            "step": np.repeat(trial.generated_steps, EACH_SIDE),
            "string": np.tile(number[training], len(trial.generated_steps)),
            "count": np.full(EACH_SIDE * len(trial.generated_steps), 3),
        },
    }
    return {name: _table(name, trial.hash, columns) for name, columns in content.items()}


def _timing(course: Course) -> dict[str, Array]:
    steps = course.steps
    return {
        "step": steps,
        "training_seconds": steps / 1000,
        "generating_seconds": 0.5 * course.strings,
        "measuring_seconds": np.full(len(steps), 0.25),
        "members": np.full(len(steps), 2),
    }


def publish(folder: Path, trial: TrialConfig, until: int | None = None) -> Status:
    """One training's results, up to a step; finished when that is its last."""
    content = {**tables(trial, until), **string_tables(trial, until)}
    step = content["curves"]["step"].to_pylist()[-1]
    state = "finished" if step == trial.last_step else "running"
    return Results.open(folder).publish(trial, state, step, content, b"weights")


def sweep(
    folder: Path, *, depths=(3,), sizes=(32, 128, 512, 2048), widths=(16, 64, 256), seeds=3
) -> Path:
    """A whole grid."""
    for depth in depths:
        for size in sizes:
            for width in widths:
                for seed in range(seeds):
                    publish(folder, config(seed=seed, depth=depth, size=size, width=width))
    return folder
