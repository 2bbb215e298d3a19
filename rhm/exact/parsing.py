"""Parsing: from strings back to derivations, level by level from the leaves up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.derivation import Derivations
from rhm.tables import RuleTables


def parse(grammar: RuleTables, strings: NDArray[Any]) -> Derivations:
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
