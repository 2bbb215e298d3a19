"""Several levels taken as one: every subtree of h levels under each symbol, listed.

A table of K = m^((s^h - 1)/(s - 1)) ways to write a symbol as s^h symbols h levels down is a rule
table like any other, so a grammar of L levels is also one of a few tall tiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.log_parts import log
from rhm.shape import GrammarShape
from rhm.tables import RuleTables

LISTED_SYMBOLS = 2**14
"""A tier of several levels lists at most so many symbols: its tables stay in the fast caches."""


@dataclass(frozen=True)
class Subtrees:
    """The subtrees of h levels under each symbol, ordered by the rule on top, then by children.

    leaves         (symbols, K, s^h) the symbols h levels down, as small integers
    probabilities  (symbols, K)
    log_parts      (h, symbols, K) per level the sum of the log-probabilities of its rules
    """

    leaves: NDArray[np.unsignedinteger[Any]]
    probabilities: NDArray[np.float64]
    log_parts: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        tables: Sequence[NDArray[np.int64]],
        probabilities: Sequence[NDArray[np.float64]],
        vocab_size: int,
    ) -> Subtrees:
        """Those of consecutive levels: tables (symbols, m, s), probabilities (symbols, m)."""
        symbols = np.arange(vocab_size, dtype=np.min_scalar_type(vocab_size - 1))
        subtrees = cls(
            symbols[:, None, None], np.ones((vocab_size, 1)), np.zeros((0, vocab_size, 1))
        )
        for table, p in zip(reversed(tables), reversed(probabilities), strict=True):
            subtrees = subtrees._under(table, p)
        return subtrees

    @property
    def count(self) -> int:
        """K; subtree k of symbol a has the number a·K + k."""
        return self.leaves.shape[1]

    def leaves_of(self, numbers: NDArray[np.int64]) -> NDArray[np.unsignedinteger[Any]]:
        """The symbols h levels below nodes (B, nodes) with these subtrees: (B, nodes·s^h)."""
        length = self.leaves.shape[2]
        return self.leaves.reshape(-1, length).take(numbers, axis=0).reshape(len(numbers), -1)

    def log_parts_of(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Per level the parts of these subtrees (B, nodes): (h, B, nodes)."""
        return self.log_parts.reshape(len(self.log_parts), -1).take(numbers, axis=1)

    def _under(self, table: NDArray[np.int64], p: NDArray[np.float64]) -> Subtrees:
        """One level more on top: for each rule, every combination of its children's subtrees."""
        symbols, m, s = table.shape
        each = self.count
        choices = np.arange(each**s) // each ** np.arange(s - 1, -1, -1)[:, None] % each
        children = [(table[:, :, c, None], choices[c]) for c in range(s)]
        below = reduce(np.add, (self.log_parts[:, *child] for child in children))
        own = np.broadcast_to(log(p)[None, :, :, None], (1, symbols, m, each**s))
        leaves = np.concatenate([self.leaves[child] for child in children], axis=-1)
        joint = reduce(np.multiply, (self.probabilities[child] for child in children), p[..., None])
        return Subtrees(
            leaves.reshape(symbols, m * each**s, -1),
            joint.reshape(symbols, m * each**s),
            np.concatenate([own, below]).reshape(len(below) + 1, symbols, m * each**s),
        )


def tiers(grammar: RuleTables) -> tuple[Subtrees, ...]:
    """All levels of a grammar from the root down, as few and tall tiers as stay small.

    The lowest, of which a string has the most, is the tallest; one level always makes a tier.
    """
    shape = grammar.shape
    result: list[Subtrees] = []
    bottom = shape.depth
    while bottom:
        top = bottom - 1
        while top and _listed_symbols(shape, top - 1, bottom) <= LISTED_SYMBOLS:
            top -= 1
        levels = slice(top, bottom)
        tables, probabilities = grammar.rules[levels], grammar.rule_matrices[levels]
        result.insert(0, Subtrees.of(tables, probabilities, shape.vocab_size))
        bottom = top
    return tuple(result)


def _listed_symbols(shape: GrammarShape, top: int, bottom: int) -> int:
    s, h = shape.tuple_size, bottom - top
    return shape.symbols_at(top) * shape.num_synonyms ** ((s**h - 1) // (s - 1)) * s**h
