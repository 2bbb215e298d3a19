"""Runs of searches whose trainings follow a known law instead of being trained. For tests only."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from study.config import TrialConfig
from sweeps.files import spec
from sweeps.running import run as running
from sweeps.running.progress import Progress
from sweeps.running.run import Outcome
from sweeps.running.tuner import Trials
from sweeps.running.watcher import Watcher
from tests.analysis import synthetic
from tests.sweeps.running.stand_in import More, StandIn, given

SWEEP = """\
name: line
base:
  grammar: {depth: 3, vocab_size: 6, num_synonyms: 4}
  diffusion: {num_timesteps: 50}
  training: {steps: 4096}
  measurement: {first_step: 64, budget: null}
grid:
  corpus.size: {log2: [4, 12]}
  network.width: {log2: [3, 8]}
seeds: 4
search: {kind: boundary}
"""


def boundary_of(width: float) -> float:
    """log2 N at which half of the seeds of a width memorize within 4,096 steps, by the law."""
    import math

    return 7 + (12 - 9.5 + 0.9 * (math.log2(width) - 6)) / 1.1


def following(
    told: list[str],
    until: Callable[[str], int | None] = lambda hash_: None,
    asked: list[int] | None = None,
) -> Callable[[StandIn, Trials, Watcher, More], None]:
    """Publishes what the law says of every training, and tells which.

    until: at which step a training is left unfinished and Ray dies.
    asked: how many were told each time when the search was asked; added to.
    """

    def train(_: StandIn, trials: Trials, watcher: Watcher, more: More) -> None:
        def noted() -> list[dict[str, Any]] | None:
            if asked is not None:
                asked.append(len(told))
            return more()

        for pack in given(noted):
            watcher.started(pack["name"])
            for document in pack["trainings"]:
                config = TrialConfig.from_dict(document)
                told.append(config.hash)
                synthetic.publish(Path(pack["results"]), config, until(config.hash))
            watcher.completed(pack["name"])

    return train


def run(folder: Path, *options: str, text: str = SWEEP) -> tuple[Outcome, str]:
    """Outcome of a run, and what was shown."""
    sink = io.StringIO()
    sweep = spec.loads(text, options)
    with Progress(Console(file=sink), sweep.name) as progress:
        outcome = running.run(sweep, str(folder), address="local", progress=progress)
    return outcome, sink.getvalue()
