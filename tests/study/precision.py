"""Does rounding the products change when a network memorizes? The tables of docs/precision.md.

`python -m tests.study.precision` prints them. One small cell is trained again with the same seeds,
and so from the same corpora, first weights and batches, in bfloat16. Seed by seed, what is read off
the two trainings may differ, for training amplifies any rounding, but not on the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from analysis.statistics.onsets import first_crossings
from analysis.statistics.regimes import THRESHOLDS
from analysis.statistics.seeds import Estimate, mean_over_seeds
from study.config import TrialConfig
from study.store.results import Results
from study.training.run import run_pack
from tests.study.small import small

CELL: dict[str, Any] = {
    "grammar__depth": 3,
    "grammar__zipf": {"2": 1.5},
    "corpus__size": 32,
    "network__width": 32,
    "training__steps": 3000,
    "training__batch_size": 64,
    "diffusion__num_timesteps": 50,
    "measurement__first_step": 512,
    "measurement__per_octave": 4,
    "measurement__likelihood_per_octave": 4,
    "measurement__generated": 512,
    "measurement__loss_strings": 64,
}
"""v = 6, m = 4, like all small trainings of this floor."""
SEEDS = range(32)
MORE_STRINGS = 40
"""Instead of 32: what the readings are known to react to."""
PACK = 16

ONSET, COPIES, MEMORIZED = "log2 τ_mem", "E at the end", "strings memorized"
READINGS = [ONSET, COPIES, MEMORIZED]


def float32(seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """The readings of the cell in full precision; see `trained`."""
    return trained([small(**CELL, seed=seed) for seed in seeds])


def bfloat16(seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """The same, with narrow products."""
    return trained([small(**CELL, seed=seed, training__precision="bfloat16") for seed in seeds])


def by_luck(seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """In full precision on the same corpora, with other first weights and batches."""
    return trained(
        [small(**CELL, seed=1000 + seed, grammar__seed=seed, corpus__seed=seed) for seed in seeds]
    )


def more_strings(seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """In full precision on a quarter as many strings again, the others among them."""
    return trained([small(**CELL | {"corpus__size": MORE_STRINGS}, seed=seed) for seed in seeds])


def trained(configs: Sequence[TrialConfig]) -> pd.DataFrame:
    """Train and read.

    Returns:
        One row per training, its index the seed of its corpus: log2 of the step at which E reaches
        1/2, missing where it does not; E at the last step; and the excess share of memorized
        strings, its mean over the measured steps.
    """
    packs = [configs[k : k + PACK] for k in range(0, len(configs), PACK)]
    curves = pd.DataFrame(row for pack in packs for row in _curves(pack))
    onsets = first_crossings(
        curves, by=["seed"], value="excess_copies", threshold=THRESHOLDS.memorizing
    )
    by_seed = curves.groupby("seed")
    return pd.DataFrame(
        {
            ONSET: np.log2(onsets.set_index("seed")["step"]),
            COPIES: by_seed["excess_copies"].last(),
            MEMORIZED: by_seed["memorized_excess"].mean(),
        }
    )


def _curves(configs: Sequence[TrialConfig]) -> list[dict[str, Any]]:
    """What every training of a pack reports at every measured step."""
    rows: list[dict[str, Any]] = []

    def report(step: int, measured: dict[str, dict[str, Any]]) -> None:
        rows.extend(
            {"seed": config.corpus_seed, "step": step, **measured[config.hash]}
            for config in configs
        )

    with TemporaryDirectory() as folder:
        run_pack(configs, Results.open(folder), report=report)
    return rows


def differences(of: pd.DataFrame, against: pd.DataFrame) -> dict[str, Estimate]:
    """Every reading's mean difference over the seeds that both have, with its t interval."""
    return {name: mean_over_seeds((of[name] - against[name]).dropna()) for name in READINGS}


def seed_by_seed(narrow: pd.DataFrame, full: pd.DataFrame) -> str:
    """Onsets of every pair."""
    lines = ["| seed | float32 | bfloat16 | difference of log2 |", "|---|---|---|---|"]
    pairs = pd.DataFrame({"full": full[ONSET], "narrow": narrow[ONSET]})
    for seed, one, other in pairs.itertuples():
        lines.append(f"| {seed} | {2**one:,.0f} | {2**other:,.0f} | {other - one:+.3f} |")
    return "\n".join(lines)


def summary(arms: dict[str, pd.DataFrame], full: pd.DataFrame) -> str:
    """Mean differences from full precision, against its spread over seeds."""
    lines = [
        "| reading | float32: mean, spread | instead | seeds "
        "| mean difference, 95 % interval | spread of differences |",
        "|---|---|---|---|---|---|",
    ]
    for name in READINGS:
        own = f"{full[name].mean():.3f}, {full[name].std():.3f}"
        for arm, readings in arms.items():
            mean, lower, upper, seeds = differences(readings, full)[name]
            interval = f"{mean:+.3f}, {lower:+.3f} to {upper:+.3f}"
            spread = (readings[name] - full[name]).std()
            lines.append(f"| {name} | {own} | {arm} | {seeds} | {interval} | {spread:.3f} |")
    return "\n".join(lines)


def main() -> None:
    torch.set_num_threads(1)
    full, narrow = float32(), bfloat16()
    print(seed_by_seed(narrow, full), flush=True)
    arms = {
        "bfloat16": narrow,
        "other weights and batches": by_luck(),
        f"N = {MORE_STRINGS}": more_strings(),
    }
    print("", summary(arms, full), sep="\n")


if __name__ == "__main__":
    main()
