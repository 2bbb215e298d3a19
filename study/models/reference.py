"""The U-Net as the papers describe it: what the fast path is held against.

The papers are [Favero 2025a] and [Aparicio 2026].

Plain layers that concatenate, for one network; autograd works out the gradient. Its weights are
those of the fast path, up and skip in one, without padding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from study.config import TrialConfig
from study.models.noise import Noise, evidence_of_certainty, trust
from study.models.weights import NetworkShape, initial_weights


class ReferenceUNet(nn.Module):
    """One network: tokens (B, d) and steps (B,) to logits (B, d, v) of p̃.

    Args:
        shape: of the network.
        noise: the numbers of the noise process.
    """

    alpha_bar: Tensor
    known: Tensor
    certain: Tensor

    def __init__(self, shape: NetworkShape, noise: Noise) -> None:
        super().__init__()
        v, W, s = shape.vocab_size, shape.width, shape.tuple_size
        self.shape = shape
        known = trust(noise, v).to(noise.alpha_bar.dtype)
        self.register_buffer("alpha_bar", noise.alpha_bar, persistent=False)
        self.register_buffer("known", known, persistent=False)
        self.register_buffer("certain", evidence_of_certainty(noise, v, v), persistent=False)
        self.embedding = nn.Parameter(torch.zeros(v, W))
        self.down = nn.ModuleList(_Layer(s * W, W, W) for _ in range(shape.depth))
        self.up = nn.ModuleList(_Layer(2 * W, s * W, W) for _ in range(shape.depth))
        self.readout = nn.Parameter(torch.zeros(v, 2 * W))

    @classmethod
    def of(cls, config: TrialConfig, noise: Noise) -> ReferenceUNet:
        """The network of a training at its first weights, which are those of the fast path."""
        shape = NetworkShape.of(config)
        network = cls(shape, noise)
        network.assign(shape.views(initial_weights(shape, [config.seed])), 0)
        return network

    def assign(self, views: Mapping[str, Tensor], member: int) -> None:
        """Take over the parameters of a member of the fast path, from `NetworkShape.views`."""
        w, v = {name: view[member] for name, view in views.items()}, self.shape.vocab_size
        found = {
            "embedding": w["embedding"][:v],
            "readout": torch.cat([w["readout"], w["readout.skip"]], -1)[:v],
        }
        for level in range(self.shape.depth):
            found[f"down.{level}.weight"] = w[f"down.{level}"]
            found[f"up.{level}.weight"] = torch.cat([w[f"up.{level}"], w[f"skip.{level}"]])
            for layer in (f"down.{level}", f"up.{level}"):
                found[f"{layer}.norm.weight"] = w[f"{layer}.scale"]
                found[f"{layer}.norm.bias"] = w[f"{layer}.shift"]
        self.load_state_dict(found)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Down the levels, up again with what the way down saw, out at the leaves."""
        depth, W, s = self.shape.depth, self.shape.width, self.shape.tuple_size
        h = F.gelu(self._noisy_input(x_t, t) @ self.embedding / math.sqrt(self.shape.vocab_size))
        skips = [h]
        for level in reversed(range(depth)):
            h = self.down[level](h.reshape(len(x_t), s**level, s * W))
            skips.append(h)
        for level in range(depth):
            h = self.up[level](torch.cat([h, skips.pop()], -1))
        return torch.cat([h, skips.pop()], -1) @ self.readout.mT / (2 * W)

    def _noisy_input(self, x_t: Tensor, t: Tensor) -> Tensor:
        """η_t·onehot + (1-η_t)/v, (B, d, v), with the mean and deviation of a leaf over t taken
        out; see `study.models.features.NoisyInput`."""
        v, alpha_bar = self.shape.vocab_size, self.alpha_bar
        mean = (alpha_bar + (1 - alpha_bar) / v).mean()
        deviation = ((alpha_bar + (1 - alpha_bar) / v**2).mean() - mean**2).sqrt()
        now = self.known[t][:, None, None]
        return (now * self.certain[x_t] + (1 - now) / v - mean) / deviation


class _Layer(nn.Module):
    """A product, scaled by 1/√fan-in, LayerNorm over the channels of every node, GELU."""

    def __init__(self, fan_in: int, fan_out: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(fan_in, fan_out))
        self.norm = nn.LayerNorm(width)

    def forward(self, h: Tensor) -> Tensor:
        """Nodes of the next level (B, nodes', W) from rows (B, nodes, fan-in)."""
        product = h @ self.weight / math.sqrt(len(self.weight))
        return F.gelu(self.norm(product.reshape(len(h), -1, self.norm.normalized_shape[0])))
