"""Overproduction: which rules the generated nodes use, against the grammar and the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm import Derivations, Grammar
from study.measures.declared import NO_LAW, Column, Curve, with_error
from study.measures.errors import ratio_and_error


@dataclass(frozen=True)
class RuleUsage:
    """Rules used at the generated nodes of one level that parse, by rank.

    count         (m,) nodes that use the rule of each rank
    share         (m,) their share among the nodes that parse; None where none parses
    share_se      (m,) standard errors
    kl            Σ_k f_k ln(f_k / p_k) - (m - 1)/(2n) in nats over n nodes: the plug-in estimate
                  less its bias; it scatters around 0 for the grammar. None where no node parses
    typicality_shift  mean ln p(rule) of the nodes less its expectation Σ_k p_k ln p_k, in nats:
                  above 0 where common rules are overproduced. None at uniform levels too
    """

    count: NDArray[np.int64]
    share: NDArray[np.float64] | None
    share_se: NDArray[np.float64] | None
    kl: float | None
    typicality_shift: float | None
    typicality_shift_se: float | None


def expected_frequencies(grammar: Grammar) -> list[NDArray[np.float64]]:
    """Probability (m,) of each rank at a random node of each level 0 … L-1.

    p_l(k) itself where the level's symbols share it, else its mean over the node marginals.
    """
    marginals = grammar.node_marginals()
    return [
        p if p.ndim == 1 else marginals[level].mean(axis=0) @ p
        for level, p in enumerate(grammar.rule_probabilities)
    ]


def rule_usage(derivations: Derivations, expected: list[NDArray[np.float64]]) -> list[RuleUsage]:
    """Rule usage of every level 0 … L-1 against the expected frequencies (m,)."""
    return [
        _usage(_counts(ranks, len(p)), p)
        for ranks, p in zip(derivations.ranks, expected, strict=True)
    ]


def _counts(ranks: NDArray[Any], num_ranks: int) -> NDArray[np.int64]:
    """Ranks (G, nodes) as counts per string (G, m); -1 is not counted."""
    rows = np.arange(len(ranks))[:, None] * num_ranks + ranks
    counts = np.bincount(rows[ranks >= 0], minlength=len(ranks) * num_ranks)
    return counts.reshape(len(ranks), num_ranks)


def _usage(counts: NDArray[np.int64], p: NDArray[np.float64]) -> RuleUsage:
    count = counts.sum(axis=0)
    nodes = counts.sum(axis=1)
    if not nodes.any():
        return RuleUsage(count, None, None, None, None, None)
    share, share_se = ratio_and_error(counts, nodes)
    if (p[count > 0] == 0).any():  # a rule that the grammar never uses is infinitely atypical
        return RuleUsage(count, share, share_se, None, None, None)
    used = share > 0
    plug_in = (share[used] * np.log(share[used] / p[used])).sum()
    kl = float(plug_in - (len(p) - 1) / (2 * count.sum()))
    if np.ptp(p) < UNIFORM:
        return RuleUsage(count, share, share_se, kl, None, None)
    log_p = np.log(p, out=np.zeros_like(p), where=p > 0)
    shift, shift_se = ratio_and_error(counts @ (log_p - p @ log_p)[:, None], nodes)
    return RuleUsage(count, share, share_se, kl, float(shift[0]), float(shift_se[0]))


UNIFORM = 1e-12
"""Rule probabilities that differ by less are equal, and no rule is more typical than another."""


COLUMNS = (
    Column(
        name="rule_kl",
        table="levels",
        meaning="divergence of the generated nodes’ rules from p_l, less the bias of its plug-in "
        "estimate over n nodes",
        formula="Σ_k f_l(k)·ln(f_l(k)/p_l(k)) - (m - 1)/(2n)",
        unit="nats",
        range="any",
        grammar="0",
        memorizer="KL(f_D ‖ p_l)",
        null="at the leaves, where no node parses, where a rule is used that the grammar never "
        f"uses, and {NO_LAW}",
        generated=True,
        curve=Curve(panel="rule-kl", obvious=True),
    ),
    *with_error(
        Column(
            name="typicality_shift",
            table="levels",
            meaning="mean log probability of the generated nodes’ rules beyond that of the "
            "grammar, above 0 where common rules are overproduced",
            formula="Σ_k (f_l(k) - p_l(k))·ln p_l(k)",
            unit="nats",
            range="any",
            grammar="0",
            null="as `rule_kl`, and where the level’s rules are equally probable",
            generated=True,
            curve=Curve(panel="shift"),
        )
    ),
    *with_error(
        Column(
            name="generated",
            table="rules",
            symbol="f_l(k)",
            meaning="share of the level’s generated nodes that parse which use the rule; without a "
            "grammar, share of the generated pairs of neighbours in the group of this rank",
            unit="share",
            range="[0, 1]",
            grammar="p_l(k)",
            memorizer="f_D",
            null="where no node parses",
            generated=True,
        )
    ),
    Column(
        name="training_frequency",
        table="rules",
        symbol="f_D",
        meaning="share of the level’s nodes in D that use the rule",
        unit="share",
        range="[0, 1]",
        generated=True,
    ),
    Column(
        name="true_frequency",
        table="rules",
        symbol="p_l(k)",
        meaning="probability of the rule at a random node of the level; without a grammar, share "
        "of the group among the pairs of the strings put aside",
        unit="probability",
        range="[0, 1]",
        generated=True,
    ),
    Column(
        name="count",
        table="rules",
        meaning="generated nodes that use the rule",
        unit="nodes",
        range="≥ 0",
        generated=True,
        kind="integer",
    ),
)
