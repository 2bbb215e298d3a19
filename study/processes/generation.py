"""Generation: the reverse chain from pure noise to strings, for any denoiser.

Works in chunks of a fixed number of strings, each with a stream of its own, so that neither the
number of strings asked for nor the pack they are generated in changes any of them.

A reverse step draws one uniform number per leaf, and the leaf changes where that is small. How
likely it is to change is bounded whatever the denoiser says, so a string all of whose numbers lie
above the bound stays as it is, and the denoiser need not be asked (thinning).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from study.processes import chunks
from study.processes.process import Denoiser, Diffusion
from study.randomness import generator

DEVIATIONS, MULTIPLE = 4, 32
"""Places for strings that may change: so many standard deviations above their mean number, rounded
up. Fixed beforehand, for the rows of a product may decide its last bits."""
ROUNDING = 1e-4
"""By which float32 may exceed the bound, relatively."""


@runtime_checkable
class TakesSharedTime(Protocol):
    """A denoiser with a form of its own for where t is equal for all strings.

    Every reverse step is such a place. Other denoisers are asked as they are.
    """

    def for_shared_time(self) -> Denoiser:
        """The same denoiser as it is now, to be asked with t of shape (1, 1)."""
        ...


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
        diffusion: the noise process, on the device to compute on.
        seeds: K seeds, one per member.
        count: G, strings per member.
        leaves: d.
        occasion: which draw from the seeds' streams, such as the measured step.
        reverse_steps: how many steps lead from noise to strings, at most and by default T; fewer
            are quicker and biased.

    Returns:
        (K, G, d) uint8 tokens.
    """
    if isinstance(denoiser, TakesSharedTime):
        denoiser = denoiser.for_shared_time()
    T = diffusion.num_timesteps
    times, sizes = spaced(T, reverse_steps or T), chunks.sizes(count)
    strides = {size: planned(diffusion, times, size, leaves) for size in set(sizes)}
    generated = []
    for chunk, size in enumerate(sizes):
        streams = _streams(diffusion, seeds, occasion, chunk)
        generated.append(_chunk(denoiser, diffusion, streams, (size, leaves), strides[size]))
    return torch.cat(generated, dim=1)[:, :count].to(torch.uint8).cpu().numpy()


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


@dataclass(frozen=True)
class Stride:
    """One step of the reverse chain.

    Attributes:
        t, to: (1, 1) diffusion steps, to < t.
        bound: the most probability with which a leaf changes that can.
        places: strings of a chunk that the denoiser is asked about at a time.
    """

    t: Tensor
    to: Tensor
    bound: float
    places: int


def planned(diffusion: Diffusion, times: Sequence[int], size: int, leaves: int) -> list[Stride]:
    """The strides between diffusion steps, for a chunk of so many strings of so many leaves."""
    steps = torch.tensor(times, device=diffusion.alpha.device).view(-1, 1, 1)
    bounds, means = (
        change(steps[:-1], steps[1:]).mul_(1 + ROUNDING).flatten().tolist()
        for change in (diffusion.most_change, diffusion.mean_change)
    )
    if diffusion.alpha.is_cuda:  # counting those that may change would make the host wait
        places = [size] * len(bounds)
    else:
        places = [_places(mean, size, leaves) for mean in means]
    return [
        Stride(t, to, *each)
        for (t, to), each in zip(pairwise(steps), zip(bounds, places, strict=True), strict=True)
    ]


def _places(change: float, size: int, leaves: int) -> int:
    changes = 1 - (1 - min(change, 1.0)) ** leaves
    needed = size * changes + DEVIATIONS * math.sqrt(size * changes * (1 - changes))
    return min(size, math.ceil(needed / MULTIPLE) * MULTIPLE)


def _chunk(
    denoiser: Denoiser,
    diffusion: Diffusion,
    streams: list[torch.Generator],
    shape: tuple[int, int],
    strides: Sequence[Stride],
) -> Tensor:
    """K times strings of a shape (size, d) by ancestral sampling, [D3PM] section 2."""
    device = diffusion.alpha.device

    def uniform() -> Tensor:
        return torch.stack([torch.rand(*shape, generator=g, device=device) for g in streams])

    x = diffusion.pure_noise(uniform())
    for stride in strides:
        x = moved(denoiser, diffusion, x, uniform(), stride)
    return x


def moved(
    denoiser: Denoiser, diffusion: Diffusion, x: Tensor, uniform: Tensor, stride: Stride
) -> Tensor:
    """Strings (K, size, d) after one stride, with one uniform number per leaf."""
    size, places = x.shape[1], stride.places

    def answered(x: Tensor, uniform: Tensor) -> Tensor:
        return diffusion.reverse_step(denoiser(x, stride.t), x, stride.t, stride.to, uniform)

    if places == size:
        return answered(x, uniform)
    may_change = diffusion.may_change(x, uniform, stride.bound).any(-1)
    order = may_change.byte().argsort(dim=1, descending=True, stable=True)
    result = x.clone()
    for begin in range(0, int(may_change.sum(1).max()), places):
        # The last ones end with the chunk: some are asked about twice, with the same answer.
        asked = order[:, min(begin, size - places) :][:, :places]
        asked = asked.unsqueeze(-1).expand(-1, -1, x.shape[-1])
        result.scatter_(1, asked, answered(x.gather(1, asked), uniform.gather(1, asked)))
    return result
