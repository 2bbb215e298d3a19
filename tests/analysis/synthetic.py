"""Results with known regimes, published through the same door as real ones. For tests only."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from study import records
from study.config import TrialConfig
from study.results import Results, Status

LEVELS_CHANCE = 0.5


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


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def onsets_of(trial: TrialConfig) -> tuple[float, float]:
    """log2 of the steps at which E and V of a synthetic training reach one half."""
    rng = np.random.default_rng(trial.seed)
    jitter = float(rng.normal(0, 0.35))
    size, width = math.log2(trial.corpus.size), math.log2(trial.network.width)
    memorization = 9.5 + 1.1 * (size - 7) - 0.9 * (width - 6) + jitter
    generalization = 9.0 + 2.0 * (trial.grammar.depth - 3) - 1.0 * (width - 6) + 0.5 * jitter
    return memorization, max(generalization, 15 - size)


def tables(trial: TrialConfig, until: int | None = None) -> dict[str, pa.Table]:
    """Every table of one training up to a step."""
    steps = [t for t in trial.measured_steps if until is None or t <= until]
    tau_mem, tau_gen = onsets_of(trial)
    rng = np.random.default_rng(1000 + trial.seed)
    curves: dict[str, list] = {name: [] for name in records.SCHEMAS["curves"].names}
    levels: dict[str, list] = {name: [] for name in records.SCHEMAS["levels"].names}
    typicality: dict[str, list] = {name: [] for name in records.SCHEMAS["typicality"].names}
    for step in steps:
        octave = math.log2(step)
        excess = logistic(2.2 * (octave - tau_mem))
        valid = logistic(1.6 * (octave - tau_gen))
        slope = 0.25 * excess * (1 - excess) * (1 + float(rng.normal(0, 0.2)))
        row = dict.fromkeys(records.SCHEMAS["curves"].names)
        row |= {
            "training": trial.hash,
            "step": step,
            "batch_loss": 0.4 + 1.2 * (1 - excess) * (1 - 0.5 * valid),
            "training_loss": 0.4 + 1.2 * (1 - excess) * (1 - 0.5 * valid),
            "heldout_loss": 0.5 + 1.1 * (1 - 0.6 * valid) + 0.5 * excess,
            "copy_fraction": excess + 0.01,
            "control_copy_fraction": 0.01,
            "mass_training": 0.02,
            "mass_control": 0.02,
            "excess_copies": excess + float(rng.normal(0, 0.01)),
            "excess_copies_se": 0.01,
            "excess_fit": 0.004,
            "root_validity": excess + (1 - excess) * valid,
            "novel_validity": (1 - excess) * valid,
            "distinct_share": 1 - 0.5 * excess,
            "typicality_slope": slope,
            "typicality_slope_se": 0.01,
            "relative_slope": slope / excess if excess >= 0.1 else None,
        }
        for name, value in row.items():
            curves[name].append(value)
        _levels(levels, trial, step, tau_mem, tau_gen)
        _strata(typicality, trial, step, excess, slope)
    built = {"curves": curves, "levels": levels, "typicality": typicality}
    return {name: records.table(name, rows) for name, rows in built.items()}


def _levels(levels: dict[str, list], trial: TrialConfig, step: int, mem: float, gen: float) -> None:
    depth = trial.grammar.depth
    for level in range(depth + 1):
        inner = level < depth
        partial = (
            logistic(2.2 * (math.log2(step) - mem + 1.2 * level)) if level < depth - 1 else None
        )
        share = logistic(1.6 * (math.log2(step) - gen + 0.8 * level))
        row = dict.fromkeys(records.SCHEMAS["levels"].names)
        row |= {
            "training": trial.hash,
            "step": step,
            "level": level,
            "validity": share if inner else 1.0,
            "conditional_validity": LEVELS_CHANCE + (1 - LEVELS_CHANCE) * share if inner else 1.0,
            "chance_validity": LEVELS_CHANCE if inner else 1.0,
            "partial_memorization": partial,
            "partial_memorization_se": None if partial is None else 0.02,
            "partial_memorization_fit": None if partial is None else 0.01,
        }
        for name, value in row.items():
            levels[name].append(value)


def _strata(rows: dict[str, list], trial: TrialConfig, step: int, excess: float, slope: float):
    rng = np.random.default_rng(trial.seed)
    count = 5 if trial.corpus.size < 64 else 8
    for stratum in range(count):
        z = 1.5 - 3 * stratum / (count - 1)
        row = dict.fromkeys(records.SCHEMAS["typicality"].names)
        log_p = -14 + 3 * z + float(rng.normal(0, 0.2))
        row |= {
            "training": trial.hash,
            "step": step,
            "stratum": stratum,
            "lower": log_p - 0.5,
            "upper": log_p + 0.5,
            "mean_log_p": log_p,
            "z": z,
            "emission_excess": excess + slope * z,
            "n_training": trial.corpus.size // count,
            "n_control": trial.corpus.size // count,
        }
        for name, value in row.items():
            rows[name].append(value)


def publish(folder: Path, trial: TrialConfig, until: int | None = None) -> Status:
    """One training's results, up to a step; finished when that is its last."""
    content = tables(trial, until)
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
