"""Pairs of neighbouring symbols by how common they are: what rules are where there is a grammar.

All pairs that occur in the strings put aside for the score, from the commonest on, are cut into ten
groups that hold a tenth of their occurrences each. So a group is common or rare in strings like
those of the corpus, and which it is was settled without D and C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm import lookup
from study.corpus import StandIn
from study.measures.errors import ratio_and_error

GROUPS = 10


@dataclass(frozen=True)
class GramRanks:
    """The groups, rank 1 (of index 0) the commonest pairs.

    Attributes:
        vocab_size: v.
        keys: (K,) sorted keys of the pairs.
        group: (K,) of each; a pair that is not there belongs to the last.
        expected: (10,) share of each group among the pairs of the strings put aside.
    """

    vocab_size: int
    keys: NDArray[np.int64]
    group: NDArray[np.int64]
    expected: NDArray[np.float64]

    @classmethod
    def of(cls, stand_in: StandIn) -> GramRanks:
        """The groups of the strings put aside."""
        v = stand_in.shape.vocab_size
        keys, counts = np.unique(_pairs(stand_in.reference, v), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        share = counts[order] / counts.sum()
        middle = share.cumsum() - share / 2
        group = np.empty(len(keys), dtype=np.int64)
        group[order] = (middle * GROUPS).astype(np.int64).clip(max=GROUPS - 1)
        expected = np.bincount(group, counts, GROUPS) / counts.sum()
        return cls(v, keys, group, expected)

    def counts(self, strings: NDArray[Any]) -> NDArray[np.int64]:
        """Pairs of each group in each of some strings (B, d): (B, 10)."""
        at = lookup(_pairs(strings, self.vocab_size), self.keys)
        group = np.where(at >= 0, self.group[at], GROUPS - 1)
        rows = np.arange(len(strings))[:, None] * GROUPS + group
        return np.bincount(rows.ravel(), minlength=len(strings) * GROUPS).reshape(-1, GROUPS)

    def shares(self, strings: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share (10,) of each group among the pairs of strings, and its standard error."""
        counts = self.counts(strings)
        return ratio_and_error(counts, counts.sum(axis=1))


def _pairs(strings: NDArray[Any], vocab_size: int) -> NDArray[np.int64]:
    """Keys (B, d - 1) of the pairs of neighbours in strings (B, d)."""
    tokens = strings.astype(np.int64)
    return tokens[:, :-1] * vocab_size + tokens[:, 1:]
