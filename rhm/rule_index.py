"""A rule table read backwards: from tuples of children to the rules that write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.keys import lookup, string_keys

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
