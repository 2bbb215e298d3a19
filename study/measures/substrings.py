"""Substrings of a corpus: which of them tell the training strings from their controls.

A level-l substring is the s^(L-l) leaves under one level-l node; at level 0 it is the whole
string. Only **exclusive** substrings, those of D alone or of C alone, bear on memorization: what
occurs on both sides may have been learnt from neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm import Grammar, TreeShape, lookup, string_keys

TRAINING, CONTROL = 1, 2
"""Where a substring occurs: in D, in C, in both (their sum) or in neither (0)."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The exclusive substrings of a level: S_D \\ S_C and S_C \\ S_D, both with members.

    num_training, num_control  how many each has
    mass_training  p_D, exact probability of S_D \\ S_C at a random level-l node of a random string
    mass_ratio     p_D / p_C
    fit            λ_l of the perfect rule learner, [p'_D - p'_C·p_D/p_C] / e_D with the exact
                   probabilities p' of the grammar refitted to D; None where the law is unknown
    """

    num_training: int
    num_control: int
    mass_training: float
    mass_ratio: float
    fit: float | None

    @classmethod
    def of(
        cls,
        grammar: Grammar,
        refitted: Grammar,
        level: int,
        training: NDArray[Any],
        control: NDArray[Any],
        exclusive_share: float,
    ) -> Contrast:
        """The contrast of exclusive substrings (K, s^(L-l)) of D and of C."""
        log_p_D, log_p_C = (_log_mass(grammar, level, side) for side in (training, control))
        ratio = float(np.exp(log_p_D - log_p_C))
        p_D, p_C = (np.exp(_log_mass(refitted, level, side)) for side in (training, control))
        return cls(
            num_training=len(training),
            num_control=len(control),
            mass_training=float(np.exp(log_p_D)),
            mass_ratio=ratio,
            fit=float(p_D - p_C * ratio) / exclusive_share,
        )


@dataclass(frozen=True, kw_only=True)
class Law:
    """The law of substrings: the grammar's, and the same refitted to D."""

    grammar: Grammar
    refitted: Grammar

    def contrast(
        self,
        level: int,
        training: NDArray[Any],
        control: NDArray[Any],
        exclusive_share: float,
    ) -> Contrast:
        """See `Contrast.of`."""
        return Contrast.of(self.grammar, self.refitted, level, training, control, exclusive_share)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What stands in for an unknown law: strings (R, d) that are neither in D nor in C.

    D and C being exchangeable and of one size, p_D/p_C = 1, and a node of a fresh string carries an
    exclusive substring of either with the same probability: half the share of the sample's nodes
    that carry one of any. With N_C != N neither holds, and there is no contrast.
    """

    shape: TreeShape
    strings: NDArray[Any]
    exchangeable: bool

    def contrast(
        self,
        level: int,
        training: NDArray[Any],
        control: NDArray[Any],
        exclusive_share: float,
    ) -> Contrast | None:
        """The contrast of exclusive substrings (K, s^(L-l)) of D and of C."""
        del exclusive_share
        if not self.exchangeable:
            return None
        v = self.shape.vocab_size
        members = np.sort(string_keys(np.concatenate([training, control]), v))
        nodes = string_keys(_nodes(self.strings, self.shape, level), v)
        return Contrast(
            num_training=len(training),
            num_control=len(control),
            mass_training=float((lookup(nodes, members) >= 0).mean()) / 2,
            mass_ratio=1.0,
            fit=None,
        )


@dataclass(frozen=True, kw_only=True)
class Substrings:
    """The distinct level-l substrings of D and C.

    keys             (K,) their sorted keys
    sides            (K,) where each occurs
    of_control       (N_C, s^l) which of them each node of C carries
    first            (K,) node that each is met at first, counted through all nodes of D, then of C
    exclusive_share  e_D, the share of D's own level-l nodes whose substring is in D alone
    contrast         of the exclusive substrings; None where either side has none
    """

    shape: TreeShape
    level: int
    keys: NDArray[Any]
    sides: NDArray[np.uint8]
    of_control: NDArray[np.int64]
    first: NDArray[np.int64]
    exclusive_share: float
    contrast: Contrast | None

    @classmethod
    def of(
        cls,
        shape: TreeShape,
        law: Law | Sample,
        level: int,
        training: NDArray[Any],
        control: NDArray[Any],
    ) -> Substrings:
        """The level-l substrings of training and control strings (N, d), 0 <= l <= L."""
        nodes = np.concatenate([_nodes(side, shape, level) for side in (training, control)])
        nodes = nodes.reshape(-1, nodes.shape[-1])
        keys, first, inverse = np.unique(
            string_keys(nodes, shape.vocab_size), return_index=True, return_inverse=True
        )
        of_training, of_control = np.split(inverse, [len(training) * shape.nodes_at(level)])
        sides = np.zeros(len(keys), dtype=np.uint8)
        sides[of_training] |= TRAINING
        sides[of_control] |= CONTROL
        exclusive_share = float((sides[of_training] == TRAINING).mean())
        of_D, of_C = (nodes[first[sides == side]] for side in (TRAINING, CONTROL))
        contrast = None
        if len(of_D) and len(of_C):
            contrast = law.contrast(level, of_D, of_C, exclusive_share)
        return cls(
            shape=shape,
            level=level,
            keys=keys,
            sides=sides,
            of_control=of_control.reshape(len(control), -1),
            first=first,
            exclusive_share=exclusive_share,
            contrast=contrast,
        )

    def places(self, strings: NDArray[Any]) -> NDArray[np.int64]:
        """Index of the substring under each level-l node of strings (B, d), -1 if new: (B, s^l)."""
        nodes = _nodes(strings, self.shape, self.level)
        return lookup(string_keys(nodes, self.shape.vocab_size), self.keys)

    def sides_at(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Where the substrings at these places occur; 0 for new ones."""
        return np.where(places >= 0, self.sides[places], np.uint8(0))


def _nodes(strings: NDArray[Any], shape: TreeShape, level: int) -> NDArray[Any]:
    """Strings (B, d) cut into the substrings of a level: (B, s^l, s^(L-l))."""
    return strings.reshape(len(strings), shape.nodes_at(level), shape.leaves_under(level))


def _log_mass(grammar: Grammar, level: int, members: NDArray[Any]) -> np.floating[Any]:
    """ln Σ_u p(u) of distinct substrings (K, s^(L-l)) at a random node of the level.

    Logarithms, because strings of many leaves have probabilities that float64 cannot hold.
    """
    if level == grammar.shape.depth:
        with np.errstate(divide="ignore"):
            log_p = np.log(grammar.node_marginals()[level].mean(axis=0)[members[:, 0]])
    else:
        log_p = grammar.below(level).log_likelihood(members)
    return np.logaddexp.reduce(log_p, initial=-np.inf)
