"""Rule tables with their probabilities: the ground on which everything about a grammar stands.

For each level l = 0 … L-1 a table writes every level-l symbol as m different s-tuples of
level-(l+1) symbols ([Cagnetta 2024]). Levels count from the root: 0 root, L leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rhm.keys import string_keys
from rhm.rule_index import RuleIndex
from rhm.shape import GrammarShape


@dataclass(frozen=True, eq=False)
class RuleTables:
    """Rule tables with rule probabilities: all that a grammar is, and nothing that follows from it.

    rules[l]               (symbols, m, s) level-(l+1) symbols; symbols = n at the root, v below
    rule_probabilities[l]  (m,) shared by all symbols of the level, or (symbols, m)
    class_probabilities    (n,) probabilities of the root symbols

    Rule ranks count from 0: rank 0 is the most common rule of a Zipf level. Rules of probability
    0 are allowed: their strings parse, with log-likelihood -inf.
    """

    shape: GrammarShape
    rules: tuple[NDArray[np.int64], ...]
    rule_probabilities: tuple[NDArray[np.float64], ...]
    class_probabilities: NDArray[np.float64]

    @classmethod
    def from_rules(
        cls,
        rules: Sequence[ArrayLike],
        rule_probabilities: Sequence[ArrayLike] | None = None,
        vocab_size: int | None = None,
        class_probabilities: ArrayLike | None = None,
    ) -> Self:
        """Takes given tables: rules[l] (symbols, m, s), probabilities[l] (m,) or (symbols, m).

        Probabilities are uniform where left out. vocab_size is read off the second table, or off
        the largest symbol of a single one. Raises ValueError for tables of different m or s, a
        tuple that occurs twice, symbols out of range, and probabilities that do not sum to 1.
        """
        tables = tuple(frozen_table(level, rule) for level, rule in enumerate(rules))
        shape = shape_of(tables, vocab_size)
        n, m = shape.num_classes, shape.num_synonyms
        if rule_probabilities is None:
            rule_probabilities = [np.full(m, 1 / m)] * shape.depth
        if len(rule_probabilities) != shape.depth:
            raise ValueError(
                f"rule_probabilities has {len(rule_probabilities)} levels, rules has {shape.depth}"
            )
        if class_probabilities is None:
            class_probabilities = np.full(n, 1 / n)
        return cls(
            shape=shape,
            rules=tables,
            rule_probabilities=tuple(
                distributions(
                    f"rule_probabilities[{level}]", p, [(m,), (shape.symbols_at(level), m)]
                )
                for level, p in enumerate(rule_probabilities)
            ),
            class_probabilities=distributions("class_probabilities", class_probabilities, [(n,)]),
        )

    def with_rule_probabilities(
        self,
        rule_probabilities: Sequence[ArrayLike],
        class_probabilities: ArrayLike | None = None,
    ) -> Self:
        """The same tables under other probabilities; root symbols keep theirs unless given."""
        return self.from_rules(
            self.rules,
            rule_probabilities,
            vocab_size=self.shape.vocab_size,
            class_probabilities=(
                self.class_probabilities if class_probabilities is None else class_probabilities
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers; `from_json` gives an equal grammar back, bit for bit."""
        return {
            "vocab_size": self.shape.vocab_size,
            "rules": [table.tolist() for table in self.rules],
            "rule_probabilities": [p.tolist() for p in self.rule_probabilities],
            "class_probabilities": self.class_probabilities.tolist(),
        }

    @classmethod
    def from_json(cls, document: str | Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote, as the mapping itself or as JSON text."""
        fields = json.loads(document) if isinstance(document, str) else document
        names = ("rules", "rule_probabilities", "vocab_size", "class_probabilities")
        if set(fields) != set(names):
            raise ValueError(f"a grammar has the fields {sorted(names)}, got {sorted(fields)}")
        return cls.from_rules(**fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleTables) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @cached_property
    def _content(self) -> tuple[object, ...]:
        probabilities = (*self.rule_probabilities, self.class_probabilities)
        return (
            self.shape,
            *(table.tobytes() for table in self.rules),
            *((p.shape, p.tobytes()) for p in probabilities),
        )

    @cached_property
    def rule_matrices(self) -> tuple[NDArray[np.float64], ...]:
        """Rule probabilities per level as (symbols, m), whether shared by the symbols or not."""
        return tuple(
            np.broadcast_to(p, table.shape[:2])
            for p, table in zip(self.rule_probabilities, self.rules, strict=True)
        )

    @cached_property
    def rule_indices(self) -> tuple[RuleIndex, ...]:
        """Per level, the table read backwards: from tuples to rules."""
        return tuple(RuleIndex.of(table, self.shape.vocab_size) for table in self.rules)


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
