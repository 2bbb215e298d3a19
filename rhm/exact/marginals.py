"""What stands at a node, and the grammar of what lies below it.

Node marginals follow from the root downwards ([Cagnetta 2024]).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rhm.shape import GrammarShape
from rhm.tables import RuleTables

Tables = TypeVar("Tables", bound=RuleTables)


def node_marginals(grammar: RuleTables) -> list[NDArray[np.float64]]:
    """P_{l,j}(symbol) for l = 0 … L, each (s^l, symbols).

    P_{l+1, s·j+c}(b) = Σ_a P_{l,j}(a) Σ_k p_l(k|a) [child c of rule k of a is b].
    """
    shape = grammar.shape
    marginals = [grammar.class_probabilities[None, :]]
    for table, probabilities in zip(grammar.rules, grammar.rule_matrices, strict=True):
        transition = np.zeros((shape.tuple_size, len(table), shape.vocab_size))
        for c in range(shape.tuple_size):
            np.add.at(
                transition[c], (np.arange(len(table))[:, None], table[:, :, c]), probabilities
            )
        children = np.einsum("ja,cab->jcb", marginals[-1], transition)
        marginals.append(children.reshape(-1, shape.vocab_size))
    return marginals


def below(grammar: Tables, level: int) -> Tables:
    """The grammar of level-l substrings, whose root symbols are this grammar's level-l symbols.

    Its class probabilities are the level's node marginals averaged over positions, so its
    likelihood of a substring is the exact probability of meeting it at a random node.
    Raises ValueError unless 0 <= level < L.
    """
    shape = grammar.shape
    if level not in range(shape.depth):
        raise ValueError(f"level {level} has no table: use 0 to {shape.depth - 1}")
    return replace(
        grammar,
        shape=GrammarShape(
            depth=shape.depth - level,
            vocab_size=shape.vocab_size,
            num_synonyms=shape.num_synonyms,
            tuple_size=shape.tuple_size,
            num_classes=shape.symbols_at(level),
        ),
        rules=grammar.rules[level:],
        rule_probabilities=grammar.rule_probabilities[level:],
        class_probabilities=node_marginals(grammar)[level].mean(axis=0),
    )
