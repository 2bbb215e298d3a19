"""Shapes: the integers that fix every array size, of a tree of tokens and of a grammar."""

from __future__ import annotations

import operator
from dataclasses import dataclass


def infeasibility(
    *,
    depth: int,
    vocab_size: int,
    num_synonyms: int,
    tuple_size: int = 2,
    num_classes: int | None = None,
) -> str | None:
    """Says in one sentence why no grammar has this shape; None when one does.

    A table writes each of its symbols in `num_synonyms` ways and no tuple twice, so it needs
    v·m <= v^s tuples, and n·m <= v^s at the root ([Cagnetta 2024], section II).
    """
    smallest = {
        "depth": (depth, 1),
        "vocab_size": (vocab_size, 2),
        "num_synonyms": (num_synonyms, 1),
        "tuple_size": (tuple_size, 2),
        "num_classes": (vocab_size if num_classes is None else num_classes, 1),
    }
    for name, (value, minimum) in smallest.items():
        if value < minimum:
            return f"{name} must be at least {minimum}, got {value}"
    tables = {"num_classes": smallest["num_classes"][0]}
    if depth > 1:
        tables["vocab_size"] = vocab_size
    num_tuples = vocab_size**tuple_size
    for name, num_symbols in tables.items():
        if num_symbols * num_synonyms > num_tuples:
            return (
                f"{name}·num_synonyms = {num_symbols}·{num_synonyms} = "
                f"{num_symbols * num_synonyms} rules need as many different tuples, but "
                f"vocab_size^tuple_size = {vocab_size}^{tuple_size} = {num_tuples}; "
                f"lower num_synonyms to {num_tuples // num_symbols} or less"
            )
    return None


@dataclass(frozen=True)
class TreeShape:
    """Depth L, vocabulary v and tuple size s of strings that are read as the leaves of a tree.

    Levels count from the root: level 0 is the whole string, level L the leaves.
    """

    depth: int
    vocab_size: int
    tuple_size: int

    @property
    def num_leaves(self) -> int:
        """d = s^L, the length of every string."""
        return self.tuple_size**self.depth

    def nodes_at(self, level: int) -> int:
        """Number of nodes of a level, s^level."""
        return self.tuple_size**level

    def leaves_under(self, level: int) -> int:
        """Number of leaves under one node of a level, s^(L - level)."""
        return self.tuple_size ** (self.depth - level)


@dataclass(frozen=True, init=False)
class GrammarShape(TreeShape):
    """Depth L, vocabulary v, synonyms m, tuple size s and root symbols n of a grammar.

    Levels count from the root: level 0 is the root symbol, level L the leaves.

    Raises ValueError when no grammar has this shape; `infeasibility` gives the reason as text.
    """

    num_synonyms: int
    num_classes: int

    def __init__(
        self,
        *,
        depth: int,
        vocab_size: int,
        num_synonyms: int,
        tuple_size: int = 2,
        num_classes: int | None = None,
    ) -> None:
        sizes = {
            "depth": depth,
            "vocab_size": vocab_size,
            "num_synonyms": num_synonyms,
            "tuple_size": tuple_size,
            "num_classes": vocab_size if num_classes is None else num_classes,
        }
        for name, value in sizes.items():
            object.__setattr__(self, name, _as_integer(name, value))
        if reason := infeasibility(**sizes):
            raise ValueError(reason)

    @property
    def num_rule_nodes(self) -> int:
        """(s^L - 1)/(s - 1): nodes at which a rule is chosen, levels 0 … L-1."""
        return (self.num_leaves - 1) // (self.tuple_size - 1)

    @property
    def support_size(self) -> int:
        """Number of grammatical strings, n·m^((s^L - 1)/(s - 1)); exact, soon beyond 64 bits."""
        return self.num_classes * self.num_synonyms**self.num_rule_nodes

    @property
    def grammatical_share(self) -> float:
        """κ, the share of all v^d strings that are grammatical: 1 at v·m = v^s and n = v."""
        return self.support_size / self.vocab_size**self.num_leaves

    def symbols_at(self, level: int) -> int:
        """Number of symbols of a level: n at the root, v below."""
        return self.num_classes if level == 0 else self.vocab_size


def _as_integer(name: str, value: object) -> int:
    if isinstance(value, bool):
        raise ValueError(f"{name} must be an integer, got {value!r}")
    try:
        return operator.index(value)  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {value!r}") from None
