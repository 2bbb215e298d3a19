"""What the network reads: noisy tokens as vectors, and features that are few enough to look up."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from study.models.noise import Noise, evidence_of_certainty, trust


class NoisyInput:
    """The only place where time enters: what a leaf says of itself, standardised over t.

    u = η_t·onehot + (1-η_t)/v, the normalised evidence (see `study.models.noise.trust`), and 1/v at
    every symbol for a mask. Under uniform noise η_t = ᾱ_t, and u is that of [Favero 2025a]; under
    absorbing noise u knows no t, and neither does the cavity marginal that is to be learned. Were
    u = ᾱ_t·onehot + (1-ᾱ_t)·π there, leaves still seen, which are certain, would fade as t grows.

    Standardised is the entry of the leaf's own symbol x_0, taken as 1 where the leaf is kept and
    1/v where it is not: μ = mean_t[ᾱ_t + (1-ᾱ_t)/v], σ² = mean_t[ᾱ_t + (1-ᾱ_t)/v²] - μ² over
    t = 0 … T. Under absorbing noise the entry is just that: μ and σ are its mean and deviation.

    Args:
        noise: the numbers of the process.
        v: symbols of the strings.
        padded_vocab: columns of the input, v or more.
    """

    def __init__(self, noise: Noise, v: int, padded_vocab: int) -> None:
        alpha_bar, device = noise.alpha_bar.double(), noise.alpha_bar.device
        known = trust(noise, v)
        mean = (alpha_bar + (1 - alpha_bar) / v).mean()
        deviation = ((alpha_bar + (1 - alpha_bar) / v**2).mean() - mean**2).sqrt()
        self._one_hot = evidence_of_certainty(noise, v, padded_vocab).float()
        self._symbols = (torch.arange(padded_vocab, device=device) < v).float()
        self._step = (known / deviation).float()
        self._base = (((1 - known) / v - mean) / deviation).float()

    @property
    def num_inputs(self) -> int:
        """Symbols that a noisy leaf can be."""
        return len(self._one_hot)

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """(K, B·d, padded v) from tokens (K, B, d) and steps (K, B); 0 at the padding."""
        base, step = (x[t].unsqueeze(-1) for x in (self._base, self._step))
        base = (base * self._symbols).repeat(1, 1, x_t.shape[-1])
        one_hot = F.embedding(x_t, self._one_hot).flatten(2)
        return torch.addcmul(base, one_hot, step).view(len(x_t), -1, len(self._symbols))


@dataclass(frozen=True)
class Lookup:
    """Features of n nodes that take only V values in every member.

    Attributes:
        table: (K, V, C) the values.
        index: (K, n) which of them each node has.
    """

    table: Tensor
    index: Tensor

    def rows(self) -> Tensor:
        """The features of every node, (K, n, C)."""
        members, values, _ = self.table.shape
        first = values * torch.arange(members, device=self.index.device).unsqueeze(1)
        return F.embedding(self.index + first, self.table.flatten(0, 1))

    def joined(self, s: int) -> Tensor | Lookup:
        """The features of s neighbours side by side, (K, n/s, s·C).

        Looked up as well where the V^s tuples are fewer than half of the nodes they would serve.
        """
        members, values, channels = self.table.shape
        nodes = self.index.shape[1] // s
        if values**s > nodes / 2:
            return self.rows().view(members, nodes, s * channels)
        place = values ** torch.arange(s - 1, -1, -1, device=self.index.device)
        digits = torch.arange(values**s, device=self.index.device).unsqueeze(1) // place % values
        table = self.table[:, digits].view(members, -1, s * channels)
        return Lookup(table, (self.index.view(members, nodes, s) * place).sum(-1))
