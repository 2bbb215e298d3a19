"""Validity: how much of what is generated follows the grammar, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rhm import Derivations, GrammarShape
from study.measures.declared import NO_LAW, Column, Curve, with_error
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


def novel_validity(
    root_validity: float, copied: float, mass_training: float, shape: GrammarShape
) -> float | None:
    """V = (root validity - c) / (1 - p(D)): 1 for the grammar, 0 for the memorizer.

    Here c and p(D) count every training string, whether or not it is a control string too: a copy
    of it is not novel. None where the training strings are all strings of the grammar, and where
    noise is grammatical too often; see `tells_generalization`.
    """
    unseen = 1 - mass_training
    if unseen < SATURATED or not tells_generalization(shape):
        return None
    return (root_validity - copied) / unseen


def tells_generalization(shape: GrammarShape) -> bool:
    """Whether V tells a model that has learned the rules from one that has learned nothing.

    Leaves drawn uniformly make a grammatical string with probability κ: at κ = 1 the V of an
    untrained network is 1.
    """
    return shape.grammatical_share <= LARGEST_GRAMMATICAL_SHARE


def untold(shapes: Sequence[GrammarShape]) -> str | None:
    """Says in which of several cells, by their grammars, V is undefined; None where in none."""
    shares = [shape.grammatical_share for shape in shapes if not tells_generalization(shape)]
    if not shares:
        return None
    low, high = f"{min(shares):.2f}", f"{max(shares):.2f}"
    share = low if low == high else f"{low} to {high}"
    return (
        f"generalization cannot be told in {len(shares)} of {len(shapes)} cells: "
        f"κ = {share} of all strings are grammatical"
    )


LARGEST_GRAMMATICAL_SHARE = 0.25
"""κ beyond which validity by chance leaves V no meaning."""


SATURATED = 1e-9
"""Mass of the unseen strings below which there is nothing novel to generate."""


COLUMNS = (
    Column(
        name="root_validity",
        table="curves",
        meaning="share of generated strings that are grammatical",
        unit="share",
        range="[0, 1]",
        grammar="1",
        memorizer="1",
        null=NO_LAW,
        generated=True,
        curve=Curve(panel="validity", name="grammatical", obvious=True),
    ),
    Column(
        name="novel_validity",
        table="curves",
        symbol="V",
        meaning="grammatical strings beside the training strings, as a share of the grammar’s own",
        formula="(root validity - c)/(1 - p(D)), c and p(D) of all training strings",
        unit="share",
        range="any",
        grammar="1",
        memorizer="0",
        null="where the training strings are all strings of the grammar, where κ > 0.25 of all "
        f"strings are grammatical, and {NO_LAW}",
        generated=True,
        curve=Curve(panel="validity", name="novel validity V"),
    ),
    Column(
        name="distinct_share",
        table="curves",
        meaning="share of the generated strings left when each is counted once",
        unit="share",
        range="(0, 1]",
        generated=True,
        curve=Curve(panel="validity", name="distinct", obvious=True),
    ),
    *with_error(
        Column(
            name="validity",
            table="levels",
            meaning="share of the level’s nodes that parse",
            unit="share",
            range="[0, 1]",
            grammar="1",
            memorizer="1",
            null=NO_LAW,
            generated=True,
        )
    ),
    Column(
        name="conditional_validity",
        table="levels",
        meaning="share that parses among the nodes whose children all parse",
        unit="share",
        range="[0, 1]",
        grammar="1",
        memorizer="1",
        null=f"at the leaves, where no node’s children all parse, and {NO_LAW}",
        generated=True,
        curve=Curve(panel="levels", obvious=True),
    ),
    Column(
        name="chance_validity",
        table="levels",
        meaning="conditional validity of children drawn uniformly",
        formula="v·m/v^s, n·m/v^s at the root",
        unit="share",
        range="(0, 1]",
        null=f"at the leaves, and {NO_LAW}",
        generated=True,
    ),
)
