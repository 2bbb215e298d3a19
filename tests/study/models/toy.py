"""A model that the package knows nothing of, as someone outside would write it."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from study.config import TrialConfig
from study.models.autograd import AutogradModel
from study.models.kinds import ModelKind
from study.models.noise import Noise


class Toy(nn.Module):
    """One hidden layer that sees all leaves and the noise; it knows nothing of the tree."""

    alpha_bar: Tensor

    def __init__(self, config: TrialConfig, noise: Noise) -> None:
        super().__init__()
        d, v, W = _sizes(config)
        self.register_buffer("alpha_bar", noise.alpha_bar, persistent=False)
        self.leaves, self.time = nn.Embedding(d * v, W), nn.Linear(1, W)
        self.out = nn.Linear(W, d * v)
        self.sizes = d, v

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        d, v = self.sizes
        places = v * torch.arange(d, device=x_t.device)
        seen = self.leaves(x_t + places).sum(1)
        return self.out(F.gelu(seen + self.time(self.alpha_bar[t][:, None]))).view(-1, d, v)


def forward_macs(config: TrialConfig) -> int:
    d, v, W = _sizes(config)
    return (1 + d * v) * W


def num_weights(config: TrialConfig) -> int:
    d, v, W = _sizes(config)
    return d * v * W + 2 * W + (W + 1) * d * v


def _sizes(config: TrialConfig) -> tuple[int, int, int]:
    return config.grammar.shape.num_leaves, config.grammar.vocab_size, config.network.width


TOY = ModelKind(
    build=partial(AutogradModel, Toy), forward_macs=forward_macs, num_weights=num_weights
)
