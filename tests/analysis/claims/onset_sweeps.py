"""Sweeps whose onsets obey a law with a slope of our choice. For tests only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from analysis.frames.cells import labelled
from analysis.statistics.tails import string_entropy

SEED_SD, SD = 0.35, 0.2
"""Of the effect of a seed, and of a training, on the logarithm of an onset."""

SETTINGS: dict[str, Any] = {
    "grammar.depth": 3,
    "grammar.vocab_size": 6,
    "grammar.num_classes": 6,
    "grammar.num_synonyms": 4,
    "grammar.tuple_size": 2,
    "corpus.size": 128,
    "corpus.control_size": 128,
    "network.width": 64,
    "training.learning_rate": 0.01,
    "grammar.zipf.0": 0.0,
    "grammar.zipf.1": 0.0,
    "grammar.zipf.2": 0.0,
}

Cell = Mapping[str, Any]
Law = Callable[[Cell, float], tuple[float, float, float]]
"""Cell and slope -> log τ_mem, log τ_gen, log τ_partial without noise."""


def grid(**values: Sequence[Any]) -> list[dict[str, Any]]:
    """Cells over settings, `corpus_size` for `corpus.size`; as many controls as strings."""
    names = [name.replace("_", ".", 1) for name in values]
    cells = [dict(zip(names, row, strict=True)) for row in product(*values.values())]
    return [
        {**SETTINGS, **cell, "corpus.control_size": cell.get("corpus.size", 128)} for cell in cells
    ]


def tails(entropies: Sequence[float], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Cells with one exponent at each level, solved for so many nats below uniform rules."""
    full = _entropy({})
    cells = grid(corpus_size=sizes)
    return [
        {**cell, name: optimize.brentq(lambda a, n=name, h=h: full - _entropy({n: a}) - h, 0, 9)}
        for cell, h, name in product(cells, entropies, [f"grammar.zipf.{i}" for i in range(3)])
    ]


def spread(cell: Cell) -> float:
    """sd(log p) of the law of a cell's strings: of independent rules at s^l nodes."""
    variance = 0.0
    for level in range(3):
        weights = np.arange(1, 5) ** -float(cell[f"grammar.zipf.{level}"])
        p = weights / weights.sum()
        variance += 2**level * float(p @ np.log(p) ** 2 - (p @ np.log(p)) ** 2)
    return math.sqrt(variance)


@dataclass(frozen=True)
class Design:
    """A sweep for one claim.

    Attributes:
        cells: its cells.
        law: where onsets lie.
        limits: which onsets the budget cuts: 0 τ_mem, 1 τ_gen.
        censored: share of these that lie beyond it.
        longer: factor on that budget.
    """

    cells: Sequence[Cell]
    law: Law
    limits: int = 0
    censored: float = 0.15
    longer: float = 1.0

    def drawn(self, slope: float, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """Logarithms (cells, seeds, 3) of τ_mem, τ_gen and τ_partial, and the last step."""
        centre = np.array([self.law(cell, slope) for cell in self.cells])
        effects = SEED_SD * rng.normal(size=(1, seeds, 1))
        log_onsets = centre[:, None] + effects + SD * rng.normal(size=(len(centre), seeds, 3))
        finite = log_onsets[..., self.limits][np.isfinite(log_onsets[..., self.limits])]
        return log_onsets, int(self.longer * math.exp(np.quantile(finite, 1 - self.censored)))

    def tables(self, slope: float, seeds: int, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Tables of its trainings, whose curves cross their thresholds at the onsets drawn."""
        return _tables(self.cells, *self.drawn(slope, seeds, rng))


def _tables(cells: Sequence[Cell], log_onsets: np.ndarray, budget: int) -> dict[str, pd.DataFrame]:
    rows = [
        {"training": f"{i}-{seed}", "seed": seed, "state": "finished", "step": budget}
        | {"last_step": budget, "error": None, **cell}
        for i, cell in enumerate(cells)
        for seed in range(log_onsets.shape[1])
    ]
    trainings = labelled(pd.DataFrame(rows))
    steps = np.unique(np.append(np.geomspace(1, budget, 5).astype(int), budget))
    names = np.array([row["training"] for row in rows])
    ahead = np.log(steps) - log_onsets.reshape(-1, 3, 1)  # of the onsets, below 0 before them
    values = 0.5 + np.clip(0.02 * ahead, -0.4, 0.4)
    keys = {"training": np.repeat(names, len(steps)), "step": np.tile(steps, len(names))}
    curves = {"excess_copies": 0, "novel_validity": 1, "partial_memorization": 2}
    columns = {name: values[:, i].ravel() for name, i in curves.items()}
    spreads = np.repeat([spread(cell) for cell in cells], log_onsets.shape[1])
    strings = {
        "training": np.repeat(names, 2),
        "side": "training",
        "log_p": np.stack([spreads - 9, -spreads - 9], axis=1).ravel(),
    }
    frame = pd.DataFrame({**keys, **columns})
    return {
        "trainings": trainings,
        "curves": frame.assign(excess_fit=0.01, heldout_loss=1 - frame["novel_validity"]),
        "levels": frame.assign(level=1, conditional_validity=0.5, chance_validity=0.5),
        "strings": pd.DataFrame(strings),
    }


def _entropy(exponents: Mapping[str, float]) -> float:
    return float(string_entropy(pd.DataFrame([{**SETTINGS, **exponents}])).iloc[0])
