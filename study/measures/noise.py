"""What the network knows at each noise level, on training strings and on their controls.

The noisings are fixed by the training's seed and the same at every measured step: draw j of M of
every string falls into the j-th of M equal parts of t = 1 … T, and the i-th training and control
string are noised alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

WINDOWS = 10
"""Equal parts of t = 1 … T over which everything is averaged."""

TRAINING, HELDOUT = 0, 1


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


@dataclass(frozen=True)
class Windows:
    """Readings of one training, averaged over both sides and the noise windows.

    readings  name -> (B,), from `measure_noise`
    window    (B,) of each noisy string
    side      (B,)
    leaves    d
    optima    of its training strings
    """

    readings: dict[str, NDArray[np.float64]]
    window: NDArray[np.int64]
    side: NDArray[np.int64]
    leaves: int
    optima: Optima

    @classmethod
    def of(
        cls,
        readings: dict[str, NDArray[np.float64]],
        noisings: Noisings,
        optima: Optima,
        num_timesteps: int,
    ) -> Windows:
        """Sort the readings into windows of t."""
        window = (noisings.t.cpu().numpy() - 1) * WINDOWS // num_timesteps
        side = noisings.side.cpu().numpy()
        return cls(readings, window, side, noisings.x_0.shape[1], optima)

    def curves(self) -> dict[str, float | None]:
        """Of the table `curves`: losses, gap fraction and position over all noise."""
        training, heldout = (self._mean("loss", self.side == k) for k in (TRAINING, HELDOUT))
        position, off_line = self.optima.position(self._training_sums(None))
        return {
            "training_loss": training,
            "heldout_loss": heldout,
            "memorizer_loss": float(self.optima.loss.mean()),
            "gap_fraction": self._gap_fraction(),
            "position": position,
            "off_line": off_line,
        }

    def _gap_fraction(self) -> float | None:
        """Of losses less the grammar's at the same noisy strings; see `gap_fraction`."""
        grammar, own = self.optima.grammar_loss, self.side == TRAINING
        beyond = self.readings["loss"] - grammar
        return gap_fraction(beyond[own], beyond[~own], self.optima.loss - grammar[own])

    def noise(self, num_timesteps: int) -> dict[str, list[Any]]:
        """The rows of the table `noise`, one per window; without draws everything is None."""
        edges = [-(-w * num_timesteps // WINDOWS) for w in range(WINDOWS + 1)]
        rows = [self._window(w) for w in range(WINDOWS)]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return {
            "window": list(range(WINDOWS)),
            "first_t": [edge + 1 for edge in edges[:-1]],
            "last_t": edges[1:],
            **columns,
        }

    def _window(self, window: int) -> dict[str, float | None]:
        here = self.window == window
        row: dict[str, float | None] = {}
        for name, side in (("training", TRAINING), ("heldout", HELDOUT)):
            chosen = here & (self.side == side)
            row[f"{name}_loss"] = self._mean("loss", chosen)
            row[f"{name}_recovery"] = self._ratio("recovered", "redrawn", chosen)
            row[f"{name}_entropy"] = self._per_leaf("entropy", chosen)
        own = here & (self.side == TRAINING)
        loss = self.optima.loss[self.window[self.side == TRAINING] == window]
        row["memorizer_loss"] = float(loss.mean()) if len(loss) else None
        row["kl_memorizer"] = self._per_leaf("kl_memorizer", own)
        row["kl_grammar"] = self._per_leaf("kl_grammar", own)
        row["position"], row["off_line"] = self.optima.position(self._training_sums(window))
        return row

    def _training_sums(self, window: int | None) -> dict[str, float]:
        chosen = (self.side == TRAINING) & ((self.window == window) | (window is None))
        return {name: float(self.readings[name][chosen].sum()) for name in Optima.READINGS}

    def _mean(self, name: str, chosen: NDArray[np.bool_]) -> float | None:
        return float(self.readings[name][chosen].mean()) if chosen.any() else None

    def _per_leaf(self, name: str, chosen: NDArray[np.bool_]) -> float | None:
        mean = self._mean(name, chosen)
        return None if mean is None else mean / self.leaves

    def _ratio(self, part: str, whole: str, chosen: NDArray[np.bool_]) -> float | None:
        total = self.readings[whole][chosen].sum()
        return float(self.readings[part][chosen].sum() / total) if total else None


def gap_fraction(
    training: NDArray[np.float64], heldout: NDArray[np.float64], memorizer: NDArray[np.float64]
) -> float | None:
    """(held-out - train)/(held-out - memorizer's train): 0 for the grammar, 1 for empirical Bayes.

    Of losses beyond the exact grammar's, of noised training strings (R,), controls (R',) and, of
    empirical Bayes, the training strings again (R,). The two sides hold different strings, and 96
    of each differ in their mean loss by chance, by the same amount at every step. What the grammar
    itself loses on these noisy strings has that difference in it and, D and C being exchangeable,
    no other: E[g_C - g_D] = 0. So it is taken off both, which moves no expectation of numerator or
    denominator, and leaves exactly 0 for the grammar and 1 for empirical Bayes, whatever was drawn.

    None without noisy strings of either side, and where the network is no worse on held-out strings
    than the memorizer on its own.
    """
    if not len(training) or not len(heldout):
        return None
    outside = float(heldout.mean())
    whole = outside - float(memorizer.mean())
    return (outside - float(training.mean())) / whole if whole > 0 else None
