"""Independent strings fast: whole subtrees at a time, with their likelihoods.

Where `rhm.exact.derivation` chooses the rule of one node after the other, this chooses among all
subtrees of a tier at once (`rhm.exact.subtrees`), by one number each, and adds up listed
likelihoods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.drawing.alias import AliasTables
from rhm.exact.log_parts import log, over_nodes, total
from rhm.exact.scored import ScoredStrings
from rhm.exact.subtrees import Subtrees, tiers
from rhm.tables import RuleTables

BLOCK = 2**13
"""Strings drawn together: enough to forget the overhead, few enough to stay in the caches."""


@dataclass(frozen=True)
class Sampler:
    """The tiers of a grammar and, for each, how to draw from it.

    choices[0] draws the root symbol and the subtree under it from a single row.
    """

    tiers: tuple[Subtrees, ...]
    choices: tuple[AliasTables, ...]
    log_class: NDArray[np.float64]
    tuple_size: int

    @classmethod
    def of(cls, grammar: RuleTables) -> Sampler:
        """The sampler of a grammar; `sampler_of` keeps it."""
        top, *lower = all_tiers = tiers(grammar)
        root = grammar.class_probabilities[:, None] * top.probabilities
        laws = [root.reshape(1, -1), *(tier.probabilities for tier in lower)]
        return cls(
            tiers=all_tiers,
            choices=tuple(AliasTables.of(law) for law in laws),
            log_class=log(grammar.class_probabilities),
            tuple_size=grammar.shape.tuple_size,
        )

    def draw(self, count: int, rng: np.random.Generator) -> ScoredStrings:
        """`count` strings. Row i depends on the generator's state and i, not on count."""
        strings = np.empty((count, self._lengths[-1]), dtype=self.tiers[-1].leaves.dtype)
        log_class = np.empty(count)
        parts = np.empty((count, sum(len(tier.log_parts) for tier in self.tiers)))
        for start in range(0, count, BLOCK):
            rows = slice(start, min(start + BLOCK, count))
            uniforms = rng.random((rows.stop - start, sum(self._lengths[:-1])))
            chosen, strings[rows] = self._choose(uniforms)
            log_class[rows] = self.log_class.take(chosen[0][:, 0] // self.tiers[0].count)
            parts[rows] = self._log_parts(chosen).T
        return ScoredStrings(strings=strings, log_p=total(log_class, parts), log_p_by_level=parts)

    def _choose(
        self, uniforms: NDArray[np.float64]
    ) -> tuple[list[NDArray[np.int64]], NDArray[Any]]:
        """Per tier the subtrees (B, nodes) that the numbers choose, and the strings."""
        symbols = np.zeros((len(uniforms), 1), dtype=np.uint8)  # the single row of the root
        chosen, used = [], 0
        for tier, choice in zip(self.tiers, self.choices, strict=True):
            nodes = symbols.shape[1]
            chosen.append(choice.draw(symbols, uniforms[:, used : used + nodes]))
            symbols = tier.leaves_of(chosen[-1])
            used += nodes
        return chosen, symbols

    def _log_parts(self, chosen: list[NDArray[np.int64]]) -> NDArray[np.float64]:
        """The parts (L, B) of strings of these subtrees."""
        each = [
            over_nodes(tier.log_parts_of(numbers), self.tuple_size)
            for tier, numbers in zip(self.tiers, chosen, strict=True)
        ]
        return np.concatenate(each)

    @cached_property
    def _lengths(self) -> list[int]:
        """Symbols of a string on top of each tier, and its leaves."""
        lengths = [1]
        for tier in self.tiers:
            lengths.append(lengths[-1] * tier.leaves.shape[2])
        return lengths


@lru_cache(maxsize=64)
def sampler_of(grammar: RuleTables) -> Sampler:
    """The sampler of a grammar, built once."""
    return Sampler.of(grammar)
