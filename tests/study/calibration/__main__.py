"""Prints the tables of docs/calibration.md: `python -m tests.study.calibration`.

`--repetitions 2000 --first 10000` is the long run of the statistics, on seeds of its own, and on
strings of the grammar itself in place of the exact denoiser's.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from tests.study.calibration.flags import DRIFTS, EXACT, of_likelihood
from tests.study.calibration.networks import Networks, rows
from tests.study.calibration.repetitions import (
    Summary,
    beyond,
    most_beyond,
    readings,
    summarised,
    table,
)
from tests.study.calibration.samplers import (
    of_grammar,
    of_grammar_denoiser,
    of_memorizer,
    of_mixture,
)

REPETITIONS = 200
WEIGHTS = (0.25, 0.75)


def statistics(seeds: range, *, denoised: bool) -> None:
    """The statistics of expectation 0, and the flags."""
    source, title = (
        (of_grammar_denoiser, "Exact grammar denoiser")
        if denoised
        else (of_grammar, "Strings of the grammar")
    )
    exponents = DRIFTS if denoised else EXACT
    flags = [of_likelihood(seed, exponents) for seed in seeds]
    groups: dict[str, list[Summary]] = {
        "Memorized strings under the exact grammar denoiser": summarised(
            [flag.readings for flag in flags]
        ),
        "Mixtures of strings": [
            summary
            for weight in WEIGHTS
            for summary in summarised([of_mixture(seed, weight) for seed in seeds])
        ],
        title: summarised([source(seed) for seed in seeds]),
    }
    for title, summaries in groups.items():
        print(table(title, summaries), flush=True)
    everything = [summary for summaries in groups.values() for summary in summaries]
    print(
        f"\n{len(beyond(everything))} of {len(everything)} beyond two errors; at most "
        f"{most_beyond(len(everything))} by chance (99 %): {'; '.join(beyond(everything))}"
    )
    if denoised:
        ever = np.array([flag.ever for flag in flags])
        print(f"\never with a τ_mem: {ever.mean():.4f} ± {ever.std() / np.sqrt(len(ever)):.4f}")
    low = np.mean([flag.p_value <= 0.05 for flag in flags])
    print(f"memorized excess with a p-value of at most 0.05: {low:.4f} of the repetitions")


def yardsticks() -> None:
    """Empirical Bayes and the networks."""
    for size in (256, 512, 2048):
        title = f"Empirical Bayes, N = {size} (5 repetitions)"
        print(readings(title, [of_memorizer(seed, size) for seed in range(5)]), flush=True)
    print("\nNetworks, each string seen once (8 seeds)\n")
    print(rows(Networks.once(range(8))), flush=True)
    print("\nNetworks, 64 strings, 1,500 steps (8 seeds)\n")
    print(rows(Networks.few(range(8))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--first", type=int, default=0, help="seed of the first repetition")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    few = arguments.repetitions <= REPETITIONS
    if few:
        yardsticks()
    statistics(range(arguments.first, arguments.first + arguments.repetitions), denoised=few)


if __name__ == "__main__":
    main()
