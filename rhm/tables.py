"""Rule tables and rule probabilities as arrays: drawing them, and checking given ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rhm.keys import string_keys
from rhm.shape import GrammarShape


def zipf_distribution(num_synonyms: int, exponent: float) -> NDArray[np.float64]:
    """p(k) = k^-a / Σ_k k^-a for k = 1 … m, with exponent a >= 0."""
    weights = np.arange(1, num_synonyms + 1) ** -float(exponent)
    return weights / weights.sum()


def random_table(shape: GrammarShape, level: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A table (symbols, m, s) of a level, uniform among those without a repeated tuple."""
    v, s, m = shape.vocab_size, shape.tuple_size, shape.num_synonyms
    count = shape.symbols_at(level) * m
    if v**s < 2**63:
        codes = rng.choice(v**s, size=count, replace=False)
        digits = codes[:, None] // v ** np.arange(s - 1, -1, -1) % v
        return digits.reshape(-1, m, s)
    # So many tuples exist that a repetition is all but impossible: draw again if one comes.
    while True:
        tuples = rng.integers(v, size=(count, s))
        if len(np.unique(tuples, axis=0)) == count:
            return tuples.reshape(-1, m, s)


def frozen_table(level: int, rules: ArrayLike) -> NDArray[np.int64]:
    """A read-only copy of one table; ValueError unless it is an integer array of three axes."""
    table = _array(f"rules[{level}]", rules)
    if table.ndim != 3 or not np.issubdtype(table.dtype, np.integer):
        raise ValueError(f"rules[{level}] must be an integer array (symbols, synonyms, tuple size)")
    table = table.astype(np.int64)
    table.setflags(write=False)
    return table


def shape_of(tables: tuple[NDArray[np.int64], ...], vocab_size: int | None) -> GrammarShape:
    """The shape of tables that agree with each other; ValueError says where they do not."""
    if not tables:
        raise ValueError("rules must hold at least one table")
    root = tables[0]
    n, m, s = root.shape
    if vocab_size is None:
        vocab_size = len(tables[1]) if len(tables) > 1 else int(root.max(initial=1)) + 1
    shape = GrammarShape(
        depth=len(tables), vocab_size=vocab_size, num_synonyms=m, tuple_size=s, num_classes=n
    )
    for level, table in enumerate(tables):
        expected = (shape.symbols_at(level), m, s)
        if table.shape != expected:
            raise ValueError(f"rules[{level}] has shape {table.shape}, expected {expected}")
        if table.min() < 0 or table.max() >= vocab_size:
            raise ValueError(f"rules[{level}] has symbols outside 0 … {vocab_size - 1}")
        keys = string_keys(table.reshape(-1, s), vocab_size)
        if len(np.unique(keys)) < len(keys):
            raise ValueError(f"rules[{level}] writes a tuple twice, so strings would be ambiguous")
    return shape


def distributions(
    name: str, values: ArrayLike, shapes: list[tuple[int, ...]]
) -> NDArray[np.float64]:
    """A read-only copy of probabilities of one of the given shapes, summing to 1 on the last axis.

    They are kept to the last bit, never rescaled, so that written and read again they are equal.
    """
    probabilities = _array(name, values).astype(np.float64)
    if probabilities.shape not in shapes:
        allowed = " or ".join(map(str, dict.fromkeys(shapes)))
        raise ValueError(f"{name} has shape {probabilities.shape}, expected {allowed}")
    if not (probabilities >= 0).all() or np.abs(probabilities.sum(-1) - 1).max() > 1e-9:
        raise ValueError(f"{name} must be non-negative and sum to 1 along its last axis")
    probabilities.setflags(write=False)
    return probabilities


def _array(name: str, values: ArrayLike) -> NDArray[Any]:
    try:
        return np.array(values)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths") from None
