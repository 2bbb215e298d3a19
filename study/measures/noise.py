"""What the network knows at each noise level, on training strings and on their controls.

The noisings are fixed by the training's seed and the same at every measured step: draw j of M of
every string falls into the j-th of M equal parts of t = 1 … T, and the i-th training and control
string are noised alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.config import TrialConfig
from study.corpus import Corpus
from study.measures.optima import Optima
from study.measures.passes import in_full_passes
from study.processes.exact_denoisers import posterior_of
from study.processes.process import Denoiser, Diffusion
from study.randomness import generator


def stratified_steps(uniform: Tensor, num_timesteps: int) -> Tensor:
    """Diffusion steps from uniform numbers (..., M): the j-th in the j-th of M parts of 1 … T."""
    draws = uniform.shape[-1]
    part = (torch.arange(draws, device=uniform.device) + uniform) / draws
    return 1 + (part * num_timesteps).long().clamp_max(num_timesteps - 1)


@dataclass(frozen=True)
class Noisings:
    """Fixed noisy strings of one training, those of training strings first.

    x_0, x_t, redrawn (B, d): tokens, and which leaves were redrawn (some by themselves)
    t, side           (B,): diffusion step; 0 for training and 1 for control strings
    """

    x_0: Tensor
    x_t: Tensor
    redrawn: Tensor
    t: Tensor
    side: Tensor

    @classmethod
    def draw(cls, config: TrialConfig, corpus: Corpus, diffusion: Diffusion) -> Noisings:
        """Noise the first `noise_strings` strings of each side, `loss_draws` times each."""
        limit, draws = config.measurement.noise_strings, config.measurement.loss_draws
        sides = [side.strings[side.counted][:limit] for side in (corpus.training, corpus.control)]
        strings, device = max(map(len, sides)), diffusion.alpha.device
        stream = generator(device, config.seed, "noisings")
        within = torch.rand(strings, draws, generator=stream, device=device)
        t = stratified_steps(within, diffusion.num_timesteps)
        leaves = sides[0].shape[1]
        uniform = torch.rand(strings, draws, leaves, generator=stream, device=device)
        redrawn = diffusion.redrawn(t, uniform)
        noised = []
        for side, tokens in enumerate(sides):
            n = len(tokens)
            x_0 = torch.as_tensor(tokens.astype(np.int64), device=device)
            x_0 = x_0.unsqueeze(1).expand(-1, draws, -1)
            x_t = diffusion.noised(x_0, t[:n], uniform[:n])
            rows = [x.flatten(0, 1) for x in (x_0, x_t, redrawn[:n], t[:n])]
            noised.append((*rows, torch.full_like(rows[-1], side)))
        return cls(*(torch.cat(part) for part in zip(*noised, strict=True)))


READINGS = ("loss", "recovered", "redrawn", "entropy", *Optima.READINGS)
"""What is read off every noisy string; sums over its leaves but for the loss, a mean."""


def measure_noise(
    denoiser: Denoiser,
    diffusion: Diffusion,
    noisings: Sequence[Noisings],
    optima: Sequence[Optima],
) -> list[dict[str, NDArray[np.float64]]]:
    """Every reading of every noisy string: for each member, name -> (B,).

    loss       KL of the reverse step, mean over leaves, nats
    recovered  redrawn leaves whose likeliest value under the posterior is the true one
    redrawn    redrawn leaves
    entropy    of the posterior p_θ(x_0 | x_t), summed over leaves, nats

    and what `Optima.compared` reads; there, rows of control strings mean nothing.
    """

    def readings(rows: Tensor) -> Tensor:
        x_0, x_t, redrawn, t = (
            torch.stack([getattr(m, name)[rows % len(m.t)] for m in noisings])
            for name in ("x_0", "x_t", "redrawn", "t")
        )
        logits = denoiser(x_t, t)
        loss = diffusion.loss(logits, x_0, x_t, t).double().mean(-1)
        posterior = posterior_of(logits, diffusion.likelihood(x_t, t).double())
        own = [
            loss,
            (_recovered(posterior, x_0) * redrawn).sum(-1),
            redrawn.double().sum(-1),
            torch.special.entr(posterior).sum((-1, -2)),
        ]
        compared = zip(optima, posterior, strict=True)
        against = torch.stack([exact.compared(theta, rows) for exact, theta in compared], dim=1)
        return torch.cat([torch.stack(own), against])

    counts = [len(member.t) for member in noisings]
    found = in_full_passes(readings, counts, diffusion.alpha.device)
    return [dict(zip(READINGS, member, strict=True)) for member in found]


def _recovered(posterior: Tensor, x_0: Tensor) -> Tensor:
    """Chance (..., d) that a likeliest value, one of several at random, is the true one."""
    likeliest = posterior >= posterior.amax(-1, keepdim=True) - TIE
    right = likeliest.gather(-1, x_0.unsqueeze(-1)).squeeze(-1)
    return right.double() / likeliest.sum(-1)


TIE = 1e-9
"""Posterior probabilities that differ by less are equal, as those of an optimum often are."""
