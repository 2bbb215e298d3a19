"""Generation: the reverse chain from pure noise to strings, for any denoiser.

Works in chunks of a fixed number of strings, each with a stream of its own, so that neither the
number of strings asked for nor the pack they are generated in changes any of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from study.diffusion import SYMBOLS, Denoiser, Diffusion
from study.randomness import generator

CHUNK = 512
"""Strings generated together; part of what decides the bits of a result."""


@torch.no_grad()
def generate(
    denoiser: Denoiser,
    diffusion: Diffusion,
    seeds: Sequence[int],
    *,
    count: int,
    leaves: int,
    occasion: int = 0,
) -> np.ndarray:
    """Generate strings from every member of a pack.

    Args:
        denoiser: maps (K, B, d) noisy tokens to logits.
        diffusion: the schedule, on the device to compute on.
        seeds: K seeds, one per member.
        count: G, strings per member.
        leaves: d.
        occasion: which draw from the seeds' streams, such as the measured step.

    Returns:
        (K, G, d) uint8 tokens.
    """
    chunks = [
        _chunk(denoiser, diffusion, _streams(diffusion, seeds, occasion, chunk), leaves)
        for chunk in range(-(-count // CHUNK))
    ]
    return torch.cat(chunks, dim=1)[:, :count].to(torch.uint8).cpu().numpy()


def _streams(
    diffusion: Diffusion, seeds: Sequence[int], occasion: int, chunk: int
) -> list[torch.Generator]:
    device = diffusion.alpha.device
    return [generator(device, seed, "generation", occasion, chunk) for seed in seeds]


def _chunk(
    denoiser: Denoiser, diffusion: Diffusion, streams: list[torch.Generator], leaves: int
) -> Tensor:
    """(K, CHUNK, d) strings by ancestral sampling, [D3PM] section 2."""
    T, v, device = diffusion.num_timesteps, diffusion.vocab_size, diffusion.alpha.device

    def uniform() -> Tensor:
        draws = [torch.rand(CHUNK, leaves, generator=g, device=device) for g in streams]
        return torch.stack(draws)

    x = (uniform() * v).long().clamp_max(v - 1)
    for step in range(T, 0, -1):
        t = torch.full((1, 1), step, device=device)
        x = categorical(diffusion.reverse_weights(denoiser(x, t), x, t), uniform())
    return x


def categorical(weights: Tensor, uniform: Tensor) -> Tensor:
    """Draw from unnormalised weights by inversion: (K, v, …) and (K, …) in [0, 1) -> (K, …)."""
    cumulative = weights.cumsum(SYMBOLS)
    *_, total = cumulative.split(1, SYMBOLS)
    below = cumulative[:, :-1] <= total.mul_(uniform.unsqueeze(SYMBOLS))
    return below.to(weights.dtype).sum(SYMBOLS).long()  # truth values add up slowly
