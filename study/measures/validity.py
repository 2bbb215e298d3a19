"""Validity: how much of what is generated follows the grammar, level by level."""

from __future__ import annotations

from dataclasses import dataclass

from rhm import Derivations, GrammarShape
from study.measures.errors import mean_and_error


@dataclass(frozen=True)
class Validity:
    """How many nodes of one level parse.

    validity      share of the level's nodes that parse, with its standard error
    conditional   share that parses among the nodes whose children all parse; None at the leaves
                  and where there are no such nodes
    chance        the conditional validity of children drawn uniformly; None at the leaves
    """

    validity: float
    validity_se: float
    conditional: float | None
    chance: float | None


def validity(derivations: Derivations, shape: GrammarShape) -> list[Validity]:
    """Validity of every level 0 … L; every leaf is valid, since every symbol is one."""
    levels = []
    for level, parses in enumerate(derivations.parses):
        share, error = mean_and_error(parses.mean(axis=1))
        conditional = None
        if level < shape.depth and (complete := int(derivations.children_parse[level].sum())):
            conditional = int(parses.sum()) / complete
        levels.append(Validity(share, error, conditional, chance_validity(shape, level)))
    return levels


def chance_validity(shape: GrammarShape, level: int) -> float | None:
    """v·m / v^s, the share of all tuples that a table writes (n·m / v^s at the root)."""
    if level == shape.depth:
        return None
    return shape.symbols_at(level) * shape.num_synonyms / shape.vocab_size**shape.tuple_size


def novel_validity(root_validity: float, copied: float, mass_training: float) -> float | None:
    """V = (root validity - c) / (1 - p(D)): 1 for the grammar, 0 for the memorizer.

    Here c and p(D) count every training string, whether or not it is a control string too: a copy
    of it is not novel. None where the training strings are all strings of the grammar.
    """
    unseen = 1 - mass_training
    if unseen < SATURATED:
        return None
    return (root_validity - copied) / unseen


SATURATED = 1e-9
"""Mass of the unseen strings below which there is nothing novel to generate."""
