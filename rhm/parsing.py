"""Parsing: from strings back to derivations, level by level from the leaves up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rhm.derivation import Derivations
from rhm.keys import lookup, string_keys

if TYPE_CHECKING:
    from rhm.grammar import Grammar

DENSE_TUPLES = 2**20
"""Up to so many possible tuples, a rule is found by direct address instead of binary search."""


@dataclass(frozen=True)
class RuleIndex:
    """A rule table read backwards: from a tuple to the rule that writes it.

    A rule's number is symbol·m + rank. `keys` are the sorted keys of the tuples and `numbers` the
    rules they belong to; `dense`, where v^s is small, has the number of every possible tuple.
    """

    vocab_size: int
    keys: NDArray[Any]
    numbers: NDArray[np.int32]
    dense: NDArray[np.int32] | None

    @classmethod
    def of(cls, table: NDArray[np.int64], vocab_size: int) -> RuleIndex:
        """The index of a table (symbols, m, s)."""
        keys = string_keys(table.reshape(-1, table.shape[-1]), vocab_size)
        order = np.argsort(keys).astype(np.int32)
        dense = None
        if vocab_size ** table.shape[-1] <= DENSE_TUPLES:
            dense = np.full(vocab_size ** table.shape[-1], -1, dtype=np.int32)
            dense[keys] = np.arange(len(keys))
        return cls(vocab_size, keys[order], order, dense)

    def find(self, tuples: NDArray[Any]) -> NDArray[np.int32]:
        """The rule number (...) of each tuple (..., s), -1 where no rule writes it.

        A tuple with a -1 in it (a child that does not parse) is written by no rule.
        """
        complete = (tuples >= 0).all(axis=-1)
        keys = string_keys(np.maximum(tuples, 0), self.vocab_size)
        if self.dense is not None:
            return np.where(complete, self.dense[keys], np.int32(-1))
        place = lookup(keys, self.keys)
        return np.where(complete & (place >= 0), self.numbers[place], np.int32(-1))


def parse(grammar: Grammar, strings: NDArray[Any]) -> Derivations:
    """The derivation above each string, unique because no tuple stands twice in a table.

    strings (B, s^L) integers -> Derivations with -1 at every node that does not parse.
    Raises ValueError for another shape or symbols outside the vocabulary.
    """
    shape = grammar.shape
    check_strings(strings, shape.num_leaves, shape.vocab_size)
    symbols, ranks = [strings.astype(np.int32)], []
    for level in reversed(range(shape.depth)):
        tuples = symbols[-1].reshape(len(strings), shape.nodes_at(level), shape.tuple_size)
        number = grammar.rule_indices[level].find(tuples)
        symbols.append(number // shape.num_synonyms)  # -1 stays -1
        ranks.append(np.where(number < 0, number, number % shape.num_synonyms))
    symbols, ranks = tuple(symbols[::-1]), tuple(ranks[::-1])
    return Derivations(symbols, ranks, shape.vocab_size, shape.tuple_size)


def check_strings(strings: NDArray[Any], length: int, vocab_size: int) -> None:
    """Raises ValueError unless strings is an integer array (B, length) within the vocabulary."""
    if not np.issubdtype(strings.dtype, np.integer):
        raise ValueError(f"strings must be integers, got {strings.dtype}")
    if strings.ndim != 2 or strings.shape[1] != length:
        raise ValueError(f"strings have shape {strings.shape}, expected (any number, {length})")
    if strings.size and (strings.min() < 0 or strings.max() >= vocab_size):
        raise ValueError(f"strings have symbols outside 0 … {vocab_size - 1}")
