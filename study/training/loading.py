"""A published training brought back: its configuration, corpus and denoiser, ready to generate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from study.config import TrialConfig
from study.corpus import Corpus
from study.models.unet import PackedUNet
from study.models.weights import NetworkShape
from study.processes.generation import generate
from study.processes.uniform import Diffusion
from study.store.results import FOLDER, DamagedTraining, Results
from study.training.member import build_corpus
from study.training.pack import read_checkpoint


@dataclass(frozen=True)
class LoadedTraining:
    """One training at its last published step.

    Attributes:
        config: its configuration.
        step: optimizer steps behind the weights.
        corpus: training and control strings, with their grammar.
        denoiser: the network, a `study.processes.uniform.Denoiser` of one member.
        diffusion: its noise schedule.
    """

    config: TrialConfig
    step: int
    corpus: Corpus
    denoiser: PackedUNet
    diffusion: Diffusion

    def generate(self, count: int, *, seed: int = 0) -> np.ndarray:
        """New strings, (count, d) uint8; equal seeds give equal strings."""
        leaves = self.config.grammar.shape.num_leaves
        return generate(self.denoiser, self.diffusion, [seed], count=count, leaves=leaves)[0]


def load_training(folder: str | Path, *, device: str = "cpu") -> LoadedTraining:
    """Load a training from its folder, `<results>/trainings/<hash>`.

    Raises:
        DamagedTraining: when nothing is published there or a file is not the published one.
    """
    path = PurePosixPath(str(folder).rstrip("/"))
    if path.parent.name != FOLDER:
        raise DamagedTraining(f"'{folder}' is not a training: expected <results>/{FOLDER}/<hash>")
    root = str(folder).rstrip("/")[: -len(f"/{FOLDER}/{path.name}")] or "."
    results = Results.open(root)
    status = results.status(path.name)
    if status is None:
        raise DamagedTraining(f"'{folder}' holds no published training")
    config = results.config(path.name)
    shape = NetworkShape.of(config)
    checkpoint = read_checkpoint(results.read(status, "checkpoint"))
    diffusion = Diffusion.build(config.diffusion.num_timesteps, shape.vocab_size, device)
    weights = checkpoint["weights"].to(torch.device(device))
    network = PackedUNet(shape, diffusion, weights)
    return LoadedTraining(config, checkpoint["step"], build_corpus(config), network, diffusion)
