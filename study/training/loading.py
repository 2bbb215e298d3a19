"""A published training brought back: its configuration, corpus and denoiser, ready to generate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from study.config import TrialConfig
from study.corpus import Corpus, build_corpus
from study.kernels.threads import on_threads
from study.models.kinds import kind_of, model_of
from study.models.model import Networks
from study.processes import chunks
from study.processes.generation import generate
from study.processes.process import Diffusion
from study.processes.registry import process_of
from study.store.results import FOLDER, Results
from study.store.status import DamagedTraining, Status
from study.training.checkpoints import NotKept, read_checkpoint

SMALL_WORK = 1 << 30
"""Multiply-accumulates of a chunk's forward pass, some 20 ms of a core, up to which one thread is
enough: several wait for one another at every one of its short operations, which beside other
programs takes far longer than the work."""


@dataclass(frozen=True)
class LoadedTraining:
    """One training at a published step.

    Attributes:
        config: its configuration.
        step: optimizer steps behind the weights.
        corpus: training and control strings, with their grammar.
        denoiser: the network, a `study.processes.process.Denoiser` of one member.
        diffusion: its noise process.
    """

    config: TrialConfig
    step: int
    corpus: Corpus
    denoiser: Networks
    diffusion: Diffusion

    def generate(self, count: int, *, seed: int = 0) -> np.ndarray:
        """New strings, (count, d) uint8; equal seeds give equal strings.

        Small networks generate on one thread, whatever torch is set to.
        """
        leaves = self.config.shape.num_leaves
        work = kind_of(self.config).forward_macs(self.config) * max(chunks.sizes(count), default=0)
        with on_threads(1 if work <= SMALL_WORK else torch.get_num_threads()):
            return generate(self.denoiser, self.diffusion, [seed], count=count, leaves=leaves)[0]


def load_training(
    folder: str | Path, *, step: int | None = None, device: str = "cpu"
) -> LoadedTraining:
    """Load a training from its folder, `<results>/trainings/<hash>`.

    Args:
        folder: path or URI.
        step: a step whose checkpoint was kept (`training.keep: log2`), or the last published one,
            which None stands for.
        device: of torch.

    Raises:
        DamagedTraining: when nothing is published there or a file is not the published one.
        NotKept: a ValueError, when there is no checkpoint of the step; it names those there are.
        ConfigError: when the training's kind of network is unknown here.
    """
    root, training = _located(str(folder))
    results = Results.open(root)
    status = results.status(training)
    if status is None:
        raise DamagedTraining(f"'{folder}' holds no published training")
    config = results.config(training)
    checkpoint = read_checkpoint(results.read(status, _checkpoint(status, step)))
    diffusion = process_of(config.diffusion, config.shape.vocab_size, device)
    model = model_of(config, diffusion)
    networks = model.networks(checkpoint["weights"].to(torch.device(device)))
    corpus = build_corpus(config, results.pool(config))
    return LoadedTraining(config, checkpoint["step"], corpus, networks, diffusion)


def _located(folder: str) -> tuple[str, str]:
    """The results that a training's folder is in, and its hash."""
    parent, _, training = folder.rstrip("/").rpartition("/")
    root, slash, name = parent.rstrip("/").rpartition("/")
    if name != FOLDER:
        raise DamagedTraining(f"'{folder}' is not a training: expected <results>/{FOLDER}/<hash>")
    return root + slash or ".", training


def _checkpoint(status: Status, step: int | None) -> str:
    """The name, in the status, of the checkpoint of a step."""
    if step is None or step == status.step:
        return "checkpoint"
    if step not in status.kept_checkpoints:
        steps = ", ".join(map(str, sorted({*status.kept_checkpoints, status.step})))
        raise NotKept(
            f"training {status.training} has no checkpoint of step {step}; it kept {steps}"
        )
    return status.kept_checkpoints[step]
