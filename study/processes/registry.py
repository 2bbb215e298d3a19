"""The noise processes that a training can choose among, by the name in its configuration."""

from __future__ import annotations

import torch

from study.config import DiffusionConfig
from study.processes.absorbing import Absorbing
from study.processes.process import Diffusion
from study.processes.uniform import Uniform

PROCESSES: dict[str, type[Diffusion]] = {"uniform": Uniform, "absorbing": Absorbing}
"""`diffusion.process` -> the process."""


def process_of(
    config: DiffusionConfig, vocab_size: int, device: torch.device | str = "cpu"
) -> Diffusion:
    """The noise process of a training."""
    return PROCESSES[config.process].build(config.num_timesteps, vocab_size, device)
