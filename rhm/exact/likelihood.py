"""Exact probabilities of strings and substrings.

Every string has one derivation, so its probability is a product of rule probabilities
([Cagnetta 2024]; no sum over derivations is ever needed).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.derivation import Derivations
from rhm.exact.log_parts import log, over_nodes, total
from rhm.exact.marginals import below, node_marginals
from rhm.exact.parsing import parse
from rhm.exact.subtrees import Subtrees
from rhm.tables import RuleTables

ENUMERATION_LIMIT = 2**20
"""Strings that `enumerate_strings` lists unless told otherwise."""


def log_likelihood(grammar: RuleTables, strings: NDArray[Any]) -> NDArray[np.float64]:
    """log p(x) = log p(root symbol) + Σ_l Σ_{nodes of l} log p_l(rule), in nats, (B,).

    -inf where the string is ungrammatical or uses a rule of probability 0.
    """
    return log_likelihood_and_parts(grammar, strings)[0]


def log_likelihood_by_level(grammar: RuleTables, strings: NDArray[Any]) -> NDArray[np.float64]:
    """The parts Σ_{nodes of l} log p_l(rule), (B, L) in nats; -inf where a node does not parse."""
    return _log_parts(grammar, parse(grammar, strings))


def log_likelihood_and_parts(
    grammar: RuleTables, strings: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both of the above, (B,) and (B, L), from one parse."""
    derivations = parse(grammar, strings)
    root = derivations.symbols[0][:, 0]
    log_class = np.where(root >= 0, log(grammar.class_probabilities)[root], -np.inf)
    parts = _log_parts(grammar, derivations)
    return total(log_class, parts), parts


def _log_parts(grammar: RuleTables, derivations: Derivations) -> NDArray[np.float64]:
    parts = np.empty((len(derivations.symbols[0]), grammar.shape.depth))
    for level, ranks in enumerate(derivations.ranks):
        log_rules = log(grammar.rule_matrices[level])[derivations.symbols[level], ranks]
        parts[:, level] = over_nodes(
            np.where(ranks >= 0, log_rules, -np.inf), derivations.tuple_size
        )
    return parts


def support_size(grammar: RuleTables) -> int:
    """Strings with positive probability, counted from the leaves up in Python integers."""
    counts = [1] * grammar.shape.vocab_size
    for table, probabilities in zip(
        reversed(grammar.rules), reversed(grammar.rule_matrices), strict=True
    ):
        counts = [
            sum(
                prod(counts[child] for child in children)
                for children, p in zip(synonyms.tolist(), p_synonyms.tolist(), strict=True)
                if p > 0
            )
            for synonyms, p_synonyms in zip(table, probabilities, strict=True)
        ]
    return sum(
        count
        for count, p in zip(counts, grammar.class_probabilities.tolist(), strict=True)
        if p > 0
    )


def enumerate_strings(
    grammar: RuleTables, limit: int
) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.float64]]:
    """All grammatical strings (S, s^L) with their log p (S,), ordered by derivation.

    Raises ValueError when there are more than `limit` of them.
    """
    shape = grammar.shape
    if shape.support_size > limit:
        raise ValueError(
            f"the grammar has {shape.support_size} strings, more than the limit of {limit}"
        )
    subtrees = Subtrees.of(grammar.rules, grammar.rule_matrices, shape.vocab_size)
    log_class = np.repeat(log(grammar.class_probabilities), subtrees.count)
    log_parts = subtrees.log_parts.reshape(shape.depth, -1)
    return subtrees.leaves.reshape(-1, shape.num_leaves), total(log_class, log_parts.T)


def substring_probability(
    grammar: RuleTables, substrings: NDArray[Any], level: int
) -> NDArray[np.float64]:
    """P_{l,j}(symbol(u))·Π rule probabilities: (B, s^l), 0 where u does not parse.

    substrings (B, s^(L-l)): the leaves under one level-l node. Raises ValueError unless
    0 <= level < L.
    """
    part = below(grammar, level)
    derivations = parse(part, substrings)
    inside = np.exp(_log_parts(part, derivations).sum(axis=1))
    symbol = derivations.symbols[0][:, 0]
    return inside[:, None] * node_marginals(grammar)[level][:, symbol].T


def substring_mass(
    grammar: RuleTables, substrings: NDArray[Any], level: int
) -> NDArray[np.float64]:
    """Probability (B,) of each level-l substring (B, s^(L-l)) at a node of the level at random."""
    return np.exp(log_likelihood(below(grammar, level), substrings))
