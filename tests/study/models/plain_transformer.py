"""The transformer made of torch's own layers, for one network: what the pack is held against."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from study.models.transformer import TransformerShape
from study.processes.process import Diffusion


class PlainTransformer(nn.Module):
    """Tokens (B, d) and steps (B,) to logits (B, d, v); its weights have the scales in them."""

    def __init__(self, shape: TransformerShape, diffusion: Diffusion) -> None:
        super().__init__()
        v, W = shape.vocab_size, shape.width
        self.diffusion = diffusion
        self.embedding = nn.Linear(v, W, bias=False)
        self.positions = nn.Parameter(torch.zeros(shape.leaves, W))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                W, shape.heads, 4 * W, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(shape.layers)
        )
        self.norm = nn.LayerNorm(W)
        self.readout = nn.Linear(W, v, bias=False)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        v, alpha_bar = self.diffusion.vocab_size, self.diffusion.alpha_bar
        evidence = self.diffusion.likelihood(x_t, t)
        mean = (alpha_bar + (1 - alpha_bar) / v).mean()
        deviation = ((alpha_bar + (1 - alpha_bar) / v**2).mean() - mean**2).sqrt()
        u = (evidence / evidence.sum(-1, keepdim=True) - mean) / deviation
        h = self.embedding(u) + self.positions
        for layer in self.layers:
            h = layer(h)
        return self.readout(self.norm(h))

    def parameters_of(self, views: Mapping[str, Tensor], member: int) -> dict[str, Tensor]:
        """A member's weights under the names of torch's layers, scaled as the pack scales them."""
        w = {name: view[member] for name, view in views.items()}
        v, W = self.readout.weight.shape
        zeros = w["positions"].new_zeros(4 * W)
        found = {
            "embedding.weight": w["embedding"][:v].mT / math.sqrt(v),
            "positions": w["positions"],
            "norm.weight": w["readout.scale"],
            "norm.bias": w["readout.shift"],
            "readout.weight": w["readout"][:, :v].mT / W,
        }
        for k in range(len(self.layers)):
            attention, mlp, own = f"attention.{k}", f"mlp.{k}", f"layers.{k}"
            found |= {
                f"{own}.norm1.weight": w[f"{attention}.scale"],
                f"{own}.norm1.bias": w[f"{attention}.shift"],
                f"{own}.self_attn.in_proj_weight": w[f"{attention}.in"].mT / math.sqrt(W),
                f"{own}.self_attn.in_proj_bias": zeros[: 3 * W],
                f"{own}.self_attn.out_proj.weight": w[f"{attention}.out"].mT / math.sqrt(W),
                f"{own}.self_attn.out_proj.bias": zeros[:W],
                f"{own}.norm2.weight": w[f"{mlp}.scale"],
                f"{own}.norm2.bias": w[f"{mlp}.shift"],
                f"{own}.linear1.weight": w[f"{mlp}.in"].mT / math.sqrt(W),
                f"{own}.linear1.bias": zeros,
                f"{own}.linear2.weight": w[f"{mlp}.out"].mT / math.sqrt(4 * W),
                f"{own}.linear2.bias": zeros[:W],
            }
        return found
