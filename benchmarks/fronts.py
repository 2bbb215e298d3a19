"""Optuna against random search at equal budget: the Pareto front after as many trainings.

    python -m benchmarks.fronts OUT [--repetitions 5]

Each search asks and trains in this process, one cell with its seeds after the other, into a results
folder of its own in OUT, and goes on where it was interrupted.
What is compared is the hypervolume of novel validity V (largest) and excess copies E (smallest), as
means over seeds at the last step: the area of the points that the front beats, of V from 0 and E up
to 1. Higher is better; both are between 0 and 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import load
from analysis.statistics.seeds import mean_over_seeds
from study.config import TrialConfig
from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.search.search import Answer, Evidence, Search

SWEEP = """\
name: fronts
base:
  grammar: {depth: 3, vocab_size: 6, num_synonyms: 3, zipf: {2: 1.5}}
  corpus: {size: 48, control_size: 96}
  diffusion: {num_timesteps: 24}
  training: {steps: 512}
  measurement: {first_step: 512, per_octave: 1, likelihood_per_octave: 1, generated: 192,
                loss_strings: 48, noise_strings: 24}
grid:
  network.width: [8, 16, 24, 32, 48]
  training.batch_size: [8, 16, 32, 64]
  training.learning_rate: {loguniform: [0.0005, 0.1]}
seeds: 2
"""
SEARCHES = {
    "random": "search={kind: random, num_samples: 24, seed: %d}",
    "tpe": "search={kind: optuna, objectives: {novel_validity: max, excess_copies: min}, "
    "num_samples: 24, seed: %d}",
}


def hypervolume(points: np.ndarray) -> float:
    """The share of 0 ≤ V ≤ 1, 0 ≤ E ≤ 1 that points beat.

    Args:
        points: (n, 2) V and E.
    """
    area, lowest = 0.0, 1.0
    for validity, copies in sorted(points.clip(0, 1).tolist(), reverse=True):
        if copies < lowest:
            area += validity * (lowest - copies)
            lowest = copies
    return area


def train(search: Search, results: Results) -> None:
    """Train what a search asks for until it asks no more."""
    done: dict[str, None] = {}
    while not isinstance(batches := search.ask(Evidence(results, done), 1), Answer):
        cells: dict[str, list[TrialConfig]] = {}
        for training in (t for batch in batches for t in batch):
            cells.setdefault(training.cell.label, []).append(training.config)
        for configs in cells.values():
            run_pack(configs, results)
            done |= dict.fromkeys(config.hash for config in configs)


def searched(kind: str, seed: int, out: Path) -> float:
    """The hypervolume that a search reaches."""
    search = spec.loads(SWEEP, [SEARCHES[kind] % seed]).search
    location = str(out / f"{kind}-{seed}")
    train(search, Results.open(location))
    tables = load(location)
    last = tables["curves"].merge(tables.trainings[["training", "cell"]], on="training")
    last = last[last["step"] == last.groupby("training")["step"].transform("max")]
    cells = last.groupby("cell")[["novel_validity", "excess_copies"]].mean().dropna()
    return hypervolume(cells.to_numpy())


def rows(repetitions: int, out: Path) -> Iterator[dict[str, float]]:
    """A row of hypervolumes for each repetition; both searches have its seed."""
    for seed in range(repetitions):
        row = {kind: searched(kind, seed, out) for kind in SEARCHES}
        print(seed, *(f"{kind}={value:.4f}" for kind, value in row.items()), flush=True)
        yield row


def main() -> None:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    table = pd.DataFrame(rows(given.repetitions, given.out))
    for kind in SEARCHES:
        print(kind, mean_over_seeds(table[kind].tolist()))
    print("difference", mean_over_seeds((table["tpe"] - table["random"]).tolist()))


if __name__ == "__main__":
    main()
