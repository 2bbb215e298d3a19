"""Losses of training and control strings over the noise: what the network knows, unsampled.

The noisings are fixed by the training's seed and the same at every measured step: draw j of M of
every string falls into the j-th of M equal parts of t = 1 … T, and the i-th training and control
string are noised alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from study.config import TrialConfig
from study.diffusion import Denoiser, Diffusion
from study.randomness import generator

WINDOWS = 10
"""Equal parts of t = 1 … T over which losses are averaged."""

ROWS = 512
"""Noisy strings in one pass; part of what decides the bits of a result."""


@dataclass(frozen=True)
class Noisings:
    """Fixed noisy strings of one training: x_0 and x_t (B, d), t and side (B,).

    Side is 0 for training and 1 for control strings.
    """

    x_0: Tensor
    x_t: Tensor
    t: Tensor
    side: Tensor

    @classmethod
    def draw(
        cls, config: TrialConfig, training: np.ndarray, control: np.ndarray, diffusion: Diffusion
    ) -> Noisings:
        """Noise the first strings of each side, `loss_draws` times each."""
        limit, draws = config.measurement.loss_strings, config.measurement.loss_draws
        strings = min(limit, max(len(training), len(control)))
        device = diffusion.alpha.device
        stream = generator(device, config.seed, "noisings")
        within = torch.rand(strings, draws, generator=stream, device=device)
        part = (torch.arange(draws, device=device) + within) / draws
        t = 1 + (part * diffusion.num_timesteps).long().clamp_max(diffusion.num_timesteps - 1)
        shape = (strings, draws, training.shape[1])
        uniform = torch.rand(shape, generator=stream, device=device)
        noised = []
        for side, tokens in enumerate((training, control)):
            x_0 = torch.as_tensor(tokens[:strings].astype(np.int64), device=device)
            x_0 = x_0.unsqueeze(1).expand(-1, draws, -1)
            x_t = diffusion.noised(x_0, t[: len(x_0)], uniform[: len(x_0)])
            flat = (x_0.flatten(0, 1), x_t.flatten(0, 1), t[: len(x_0)].flatten())
            noised.append((*flat, torch.full_like(flat[2], side)))
        return cls(*(torch.cat(part) for part in zip(*noised, strict=True)))


@torch.no_grad()
def measure_losses(
    denoiser: Denoiser, diffusion: Diffusion, noisings: Sequence[Noisings]
) -> list[np.ndarray]:
    """Loss per leaf of every noisy string of every member, nats: K arrays (B_k,)."""
    longest = max(len(member.t) for member in noisings)
    passes = range(-(-longest // ROWS))
    losses = torch.cat([_pass(denoiser, diffusion, noisings, p) for p in passes], dim=1)
    return [
        row[: len(member.t)].double().cpu().numpy()
        for row, member in zip(losses, noisings, strict=True)
    ]


def _pass(
    denoiser: Denoiser, diffusion: Diffusion, noisings: Sequence[Noisings], index: int
) -> Tensor:
    """(K, ROWS) losses; every pass is full, so that companions never change a member's bits."""
    rows = torch.arange(index * ROWS, (index + 1) * ROWS, device=diffusion.alpha.device)
    x_0, x_t, t = (
        torch.stack([getattr(m, name)[rows % len(m.t)] for m in noisings])
        for name in ("x_0", "x_t", "t")
    )
    return diffusion.loss(denoiser(x_t, t), x_0, x_t, t).mean(-1)


def loss_columns(
    losses: np.ndarray, noisings: Noisings, num_timesteps: int
) -> tuple[dict[str, float | None], dict[str, list[float | int | None]]]:
    """Mean losses of both sides, for `curves`; and by window of t, for the table `noise`."""
    t, side = noisings.t.cpu().numpy(), noisings.side.cpu().numpy()
    window = (t - 1) * WINDOWS // num_timesteps
    edges = [-(-w * num_timesteps // WINDOWS) for w in range(WINDOWS + 1)]

    def means(chosen: int) -> list[float | None]:
        parts = [losses[(side == chosen) & (window == w)] for w in range(WINDOWS)]
        return [float(part.mean()) if len(part) else None for part in parts]

    names = ("training_loss", "heldout_loss")
    overall = {name: float(losses[side == k].mean()) for k, name in enumerate(names)}
    by_window = {
        "window": list(range(WINDOWS)),
        "training_loss": means(0),
        "heldout_loss": means(1),
        "first_t": [edge + 1 for edge in edges[:-1]],
        "last_t": edges[1:],
    }
    return dict(overall), by_window
