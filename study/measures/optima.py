"""The two optima: where the network stands between the grammar and empirical Bayes.

Both are exact posteriors of the leaves of noised training strings: e under the uniform distribution
over D (a perfect memorizer), g under the grammar (a perfect generalizer). With the network's
posterior θ, converted from its cavity marginals, and sums over leaves and noisy strings:

    position = Σ(θ-g)·(e-g) / Σ|e-g|²        off-line = Σ|θ-g|² / Σ|e-g|² - position²

0 for the grammar, 1 for empirical Bayes, α for the mixture (1-α)g + αe, whose off-line is 0.
(KL_g/(KL_g + KL_e) would read 0.3 to 0.5 off an untrained network.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.corpus import Corpus
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser, cavity_of
from study.processes.process import FLOOR, Diffusion

LARGEST_OFF_LINE = 1.0
"""Squared distance from the line, in units of the optima's own, beyond which position is null."""


@dataclass(frozen=True)
class Optima:
    """Exact posteriors of one training's noised training strings; computed once, without training.

    memorizer, grammar  (R, d, v) float64: e and g; g None where the strings have no grammar
    loss                (R,) loss of empirical Bayes in nats, mean over leaves
    grammar_loss        (B,) that of the grammar, of noised control strings too; None likewise
    """

    READINGS: ClassVar = ("along", "away", "apart", "kl_memorizer", "kl_grammar")
    """(θ-g)·(e-g), |θ-g|², |e-g|², KL(e ‖ θ) and KL(g ‖ θ) of a noisy string, over its leaves."""

    memorizer: Tensor
    grammar: Tensor | None
    loss: NDArray[np.float64]
    grammar_loss: NDArray[np.float64] | None

    @cached_property
    def _constants(self) -> Tensor:
        """|e-g|², -H(e) and -H(g) of every row, summed over leaves: (3, R)."""
        e, g = self.memorizer, self._second
        readings = [(e - g) ** 2, torch.xlogy(e, e), torch.xlogy(g, g)]
        return torch.stack([reading.sum((-1, -2)) for reading in readings])

    @property
    def _second(self) -> Tensor:
        """g; e again where there is none, so that the optima read as one and position as null."""
        return self.memorizer if self.grammar is None else self.grammar

    @classmethod
    def of(
        cls, corpus: Corpus, diffusion: Diffusion, x_0: Tensor, x_t: Tensor, t: Tensor, own: Tensor
    ) -> Optima:
        """The optima at noised strings: x_0, x_t (B, d), t (B,), and which are of D, own (B,).

        The R strings of D come first.
        """
        evidence = diffusion.likelihood(x_t, t).double()
        grammar = grammar_loss = None
        if corpus.law is not None:
            every = GrammarDenoiser(corpus.law, diffusion).posterior(evidence)
            grammar_loss = _loss(diffusion, every, evidence, x_0, x_t, t)
            grammar = every[own]
        x_0, x_t, t, evidence = (part[own] for part in (x_0, x_t, t, evidence))
        empirical = EmpiricalBayesDenoiser(corpus.training.strings, diffusion)
        memorizer = empirical.posterior(evidence)
        loss = _loss(diffusion, memorizer, evidence, x_0, x_t, t)
        return cls(memorizer, grammar, loss, grammar_loss)

    def compared(self, theta: Tensor, rows: Tensor) -> Tensor:
        """`READINGS` of the network's posteriors θ (B, d, v) at some rows (B,): (5, B).

        Rows beyond the last wrap round.
        """
        rows = rows % len(self.memorizer)
        e, g = self.memorizer[rows], self._second[rows]
        log_theta = theta.clamp_min(FLOOR).log()
        from_grammar = theta - g
        readings = [from_grammar * (e - g), from_grammar**2, e * log_theta, g * log_theta]
        along, away, cross_e, cross_g = (reading.sum((-1, -2)) for reading in readings)
        apart, own_e, own_g = self._constants[:, rows]
        return torch.stack([along, away, apart, own_e - cross_e, own_g - cross_g])

    @staticmethod
    def position(sums: dict[str, float]) -> tuple[float | None, float | None]:
        """Position and off-line from summed readings.

        Position is None where off-line is above 1, that is, where the network is nowhere near the
        line; both are None where the optima are one.
        """
        if sums["apart"] <= 0:
            return None, None
        position = sums["along"] / sums["apart"]
        off_line = max(sums["away"] / sums["apart"] - position**2, 0.0)
        return (position if off_line <= LARGEST_OFF_LINE else None), off_line


def _loss(
    diffusion: Diffusion, posterior: Tensor, evidence: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor
) -> NDArray[np.float64]:
    """Loss (B,) of exact posteriors (B, d, v), put where the network's output belongs."""
    logits = cavity_of(posterior, evidence).log().to(diffusion.alpha.dtype)
    of_one_member = (part.unsqueeze(0) for part in (logits, x_0, x_t, t))
    return diffusion.loss(*of_one_member).double().mean(-1).squeeze(0).cpu().numpy()
