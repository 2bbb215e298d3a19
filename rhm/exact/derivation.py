"""Derivations: the tree of symbols above a batch of strings, and how to draw one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.tables import RuleTables


@dataclass(frozen=True)
class Derivations:
    """The trees above B strings, whole when sampled, as far as they go when parsed.

    symbols[l]  (B, s^l) int32 symbols of level l = 0 … L; -1 at a node that does not parse
    ranks[l]    (B, s^l) int32 rank (from 0) of the rule used at level l = 0 … L-1; -1 likewise
    vocab_size  v, which fixes the type of `strings`
    tuple_size  s

    A node parses when all its children do and their tuple stands in the level's table.
    """

    symbols: tuple[NDArray[np.int32], ...]
    ranks: tuple[NDArray[np.int32], ...]
    vocab_size: int
    tuple_size: int

    @property
    def strings(self) -> NDArray[np.unsignedinteger[Any]]:
        """The leaves (B, s^L) in the smallest unsigned type that holds the vocabulary."""
        return self.symbols[-1].astype(np.min_scalar_type(self.vocab_size - 1))

    @property
    def parses(self) -> tuple[NDArray[np.bool_], ...]:
        """parses[l] (B, s^l): which nodes of level l = 0 … L parse; leaves always do."""
        return tuple(symbols >= 0 for symbols in self.symbols)

    @property
    def children_parse(self) -> tuple[NDArray[np.bool_], ...]:
        """children_parse[l] (B, s^l): nodes of level l = 0 … L-1 whose children all parse."""
        return tuple(
            np.asarray(children.reshape(*nodes.shape, self.tuple_size).min(axis=-1) >= 0)
            for nodes, children in zip(self.symbols, self.symbols[1:], strict=False)
        )

    @property
    def grammatical(self) -> NDArray[np.bool_]:
        """Which strings are grammatical (B,): their root parses."""
        return self.symbols[0][:, 0] >= 0


def derive(grammar: RuleTables, uniforms: NDArray[np.float64]) -> Derivations:
    """Turns uniform numbers into derivations, one number per choice.

    uniforms (B, 1 + (s^L - 1)/(s - 1)) in [0, 1): first the root symbol, then the rule of every
    node from the root down. A row of numbers is a string, so a longer batch extends a shorter one.
    """
    shape = grammar.shape
    root = _inverse_cdf(grammar.class_probabilities, uniforms[:, :1])
    symbols, ranks = [root.astype(np.int32)], []
    used = 1
    for level in range(shape.depth):
        nodes = shape.nodes_at(level)
        rows = grammar.rule_matrices[level][symbols[-1]]
        rank = _inverse_cdf(rows, uniforms[:, used : used + nodes])
        children = grammar.rules[level][symbols[-1], rank]
        symbols.append(children.reshape(len(uniforms), nodes * shape.tuple_size).astype(np.int32))
        ranks.append(rank.astype(np.int32))
        used += nodes
    return Derivations(tuple(symbols), tuple(ranks), shape.vocab_size, shape.tuple_size)


def _inverse_cdf(
    probabilities: NDArray[np.float64], uniforms: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The outcome each uniform number falls on; probabilities (..., m), uniforms (...)."""
    edges = probabilities.cumsum(axis=-1)
    # Scaled to end at exactly 1, an outcome of probability 0 has an empty interval.
    edges = edges[..., :-1] / edges[..., -1:]
    return (uniforms[..., None] >= edges).sum(axis=-1)
