"""Contenders in turns within one process, timed by its processor, the quickest turn of each."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

import numpy as np
import torch

from benchmarks.crew import Run
from benchmarks.work import Trained
from study.config import TrialConfig
from study.training.pack import PackTrainer

VOCAB, STRINGS = 6, 1024


def asked(parser: argparse.ArgumentParser, **defaults: int) -> argparse.Namespace:
    """What is asked for on the command line: whole numbers, `turns` and `steps` among them."""
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="of a turn")
    return parser.parse_args()


def trials(options: argparse.Namespace, kind: str, process: str) -> list[TrialConfig]:
    """The trainings of a pack."""
    document = {
        "grammar": {"depth": options.depth, "vocab_size": VOCAB, "num_synonyms": 4},
        "corpus": {"size": STRINGS},
        "network": {"kind": kind, "width": options.width},
        "training": {"steps": 1 << 20, "batch_size": options.batch},
        "diffusion": {"process": process},
    }
    return [TrialConfig.from_dict({**document, "seed": seed}) for seed in range(options.members)]


def pack_step(configs: list[TrialConfig]) -> Run:
    """A step of a pack."""
    d = configs[0].shape.num_leaves
    strings = np.random.default_rng(0).integers(0, VOCAB, (STRINGS, d)).astype(np.uint8)
    trainer = PackTrainer([Trained(config, strings) for config in configs], torch.device("cpu"))
    return lambda: trainer.train(trainer.step + 1)


def quickest(
    contenders: Mapping[str, tuple[Run, int]], options: argparse.Namespace
) -> dict[str, float]:
    """Processor seconds of a step of one model, by the contender's name.

    Args:
        contenders: a step, and of how many models it is.
        options: with `turns`, and `steps` of each.
    """
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(options.turns):
        for name, (run, models) in contenders.items():
            best[name] = min(best[name], _seconds(run, options.steps) / models)
    return best


def _seconds(run: Run, steps: int) -> float:
    start = time.process_time()
    for _ in range(steps):
        run()
    return (time.process_time() - start) / steps
