"""Generation: the reverse chain from pure noise to strings, for any denoiser.

Works in chunks of a fixed number of strings, each with a stream of its own, so that neither the
number of strings asked for nor the pack they are generated in changes any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
    reverse_steps: int | None = None,
) -> np.ndarray:
    """Generate strings from every member of a pack.

    Args:
        denoiser: maps (K, B, d) noisy tokens to logits.
        diffusion: the schedule, on the device to compute on.
        seeds: K seeds, one per member.
        count: G, strings per member.
        leaves: d.
        occasion: which draw from the seeds' streams, such as the measured step.
        reverse_steps: how many steps lead from noise to strings, at most and by default T; fewer
            are quicker and biased.

    Returns:
        (K, G, d) uint8 tokens.
    """
    T = diffusion.num_timesteps
    times = spaced(T, reverse_steps or T)
    chunks = [
        _chunk(denoiser, diffusion, _streams(diffusion, seeds, occasion, chunk), leaves, times)
        for chunk in range(-(-count // CHUNK))
    ]
    return torch.cat(chunks, dim=1)[:, :count].to(torch.uint8).cpu().numpy()


def _streams(
    diffusion: Diffusion, seeds: Sequence[int], occasion: int, chunk: int
) -> list[torch.Generator]:
    device = diffusion.alpha.device
    return [generator(device, seed, "generation", occasion, chunk) for seed in seeds]


def spaced(num_timesteps: int, steps: int) -> list[int]:
    """Diffusion steps at even strides from T down to 0: as many strides as `steps`.

    Raises:
        ValueError: when there are not so many.
    """
    if not 1 <= steps <= num_timesteps:
        raise ValueError(f"reverse_steps must be 1 to {num_timesteps}, not {steps}")
    return [round(num_timesteps * k / steps) for k in range(steps, -1, -1)]


def _chunk(
    denoiser: Denoiser,
    diffusion: Diffusion,
    streams: list[torch.Generator],
    leaves: int,
    times: list[int],
) -> Tensor:
    """(K, CHUNK, d) strings by ancestral sampling, [D3PM] section 2."""
    v, device = diffusion.vocab_size, diffusion.alpha.device

    def uniform() -> Tensor:
        draws = [torch.rand(CHUNK, leaves, generator=g, device=device) for g in streams]
        return torch.stack(draws)

    x = (uniform() * v).long().clamp_max(v - 1)
    for now, to in pairwise(torch.tensor(times, device=device).view(-1, 1, 1)):
        x = categorical(diffusion.reverse_weights(denoiser(x, now), x, now, to), uniform())
    return x


def categorical(weights: Tensor, uniform: Tensor) -> Tensor:
    """Draw from unnormalised weights by inversion: (K, v, …) and (K, …) in [0, 1) -> (K, …)."""
    cumulative = weights.cumsum(SYMBOLS)
    *_, total = cumulative.split(1, SYMBOLS)
    below = cumulative[:, :-1] <= total.mul_(uniform.unsqueeze(SYMBOLS))
    return below.to(weights.dtype).sum(SYMBOLS).long()  # truth values add up slowly
