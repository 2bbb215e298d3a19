"""A corpus: the training strings, and a twin control set of strings the model never sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.scored import ScoredStrings
from rhm.grammar import Grammar
from rhm.keys import first_occurrences, string_keys
from rhm.randomness import generator
from rhm.shape import TreeShape
from study.corpus.ngram import NGram
from study.corpus.strata import Scores, Strata


@dataclass(frozen=True, kw_only=True)
class Side(ScoredStrings):
    """Training strings D or control strings C, and how typical each of them is.

    strings         (N, d)
    log_p           (N,) typicality, nats: the exact log-likelihood where the law of the strings is
                    known, else a score that their source gives
    log_p_by_level  (N, L) its per-level parts; L = 0 where it has none
    counted         (N,) whether the string is on this side only; the others count for neither
    distinct        (N,) counted, and the first of its copies on this side
    known           whether log_p is the law of the strings
    """

    counted: NDArray[np.bool_]
    distinct: NDArray[np.bool_]
    known: bool

    @property
    def masses(self) -> NDArray[np.float64]:
        """p(x) where distinct, else 0, (N,): sums over it never count a string twice.

        Raises ValueError where the law is unknown.
        """
        if not self.known:
            raise ValueError("the law of these strings is unknown")
        return np.where(self.distinct, np.exp(self.log_p), 0.0)

    @property
    def mass(self) -> float:
        """Exact probability of this side's counted strings under their law."""
        return float(self.masses.sum())

    @property
    def scores(self) -> Scores:
        """What strata of equal typicality are made of."""
        return Scores(
            score=self.log_p,
            counted=self.counted,
            distinct=self.distinct,
            log_mass=self.log_p if self.known else None,
        )

    def scores_of(self, level: int) -> Scores:
        """What strata of one level's part of the typicality are made of."""
        return replace(self.scores, score=self.log_p_by_level[:, level])

    def chosen(self, rows: NDArray[np.int64]) -> Side:
        """The side of some of its strings."""
        known = self.take(rows)
        return Side(
            **vars(known),
            counted=self.counted[rows],
            distinct=self.distinct[rows],
            known=self.known,
        )


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """What stands in for the law of strings where it is unknown; nothing of it saw D or C.

    shape      L, v, s and d of the strings
    reference  (R, d) strings of the same source, put aside
    model      of how typical strings are, fitted to these
    draws      strings of the source, as often as they may be drawn: a string drawn anew from it is
               one of n of them with probability n/draws
    image      whether strings are images, of which the nearest are compared
    """

    shape: TreeShape
    reference: NDArray[np.unsignedinteger[Any]]
    model: NGram
    draws: int
    image: bool = False


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Training strings D and their twin control set C, two samples of the same law.

    law       the grammar that the strings follow; None where their law is unknown
    stand_in  what is there instead; None where the law is known
    training  D
    control   C
    """

    law: Grammar | None
    stand_in: StandIn | None = None
    training: Side
    control: Side

    @classmethod
    def of(
        cls,
        training: ScoredStrings,
        control: ScoredStrings,
        *,
        vocab_size: int,
        law: Grammar | None = None,
        stand_in: StandIn | None = None,
    ) -> Corpus:
        """The corpus of given strings with their typicality, wherever both come from.

        Raises ValueError where a side has no string that is not on the other side too: there
        would be nothing to compare.
        """
        keys = [string_keys(side.strings, vocab_size) for side in (training, control)]
        sides = [
            _side(scored, own, others, known=law is not None)
            for scored, own, others in zip((training, control), keys, keys[::-1], strict=True)
        ]
        for name, side in zip(("training", "control"), sides, strict=True):
            if not side.counted.any():
                raise ValueError(
                    f"every {name} string also falls on the other side, so nothing tells them "
                    f"apart: draw fewer strings, or unique ones"
                )
        return cls(law=law, stand_in=stand_in, training=sides[0], control=sides[1])

    @property
    def shape(self) -> TreeShape:
        """L, v, s and d of the strings."""
        return self.stand_in.shape if self.stand_in is not None else self.grammar.shape

    @property
    def grammar(self) -> Grammar:
        """The law of the strings. Raises ValueError where it is unknown."""
        if self.law is None:
            raise ValueError("the law of these strings is unknown")
        return self.law

    @cached_property
    def strata(self) -> Strata:
        """Training and control strings of equal typicality."""
        return Strata.of(self.training.scores, self.control.scores)

    @cached_property
    def rule_frequencies(self) -> tuple[NDArray[np.float64], ...]:
        """f_D: per level, the share (m,) of D's nodes that use the rule of each rank.

        Over all training strings, repeated ones as often as the network sees them. `unique`
        flattens D: frequencies of common rules fall below their probabilities.
        """
        m = self.grammar.shape.num_synonyms
        ranks = self.grammar.parse(self.training.strings).ranks
        return tuple(np.bincount(level.ravel(), minlength=m) / level.size for level in ranks)


def split_of(
    size: int, control_size: int, seed: int, *, plenty: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which strings of a stream of N + N_C go to D and which to C.

    Each pair of consecutive strings of the stream is split by a fair coin, so both sides have the
    same law and a smaller corpus is a prefix of a larger one of the same seed. (Drawing D first and
    keeping its strings out of C would make C less typical.) With N_C != N, or where the source has
    not `plenty` of strings, the whole draw is split at random instead.

    Raises ValueError for sizes below 1.
    """
    if size < 1 or control_size < 1:
        raise ValueError(
            f"a corpus needs at least 1 training and 1 control string, "
            f"got {size} and {control_size}"
        )
    if size == control_size and plenty:
        order = _coin_per_pair(size, seed)
    else:
        order = generator(seed, "random split").permutation(size + control_size)
    return order[:size], order[size:]


def _coin_per_pair(size: int, seed: int) -> NDArray[np.int64]:
    """Places in the stream: of each pair (2i, 2i+1) one for D, then, in the same order, C's."""
    coins = generator(seed, "coin per pair").random(size) < 0.5
    pair = 2 * np.arange(size)
    return np.concatenate([pair + coins, pair + ~coins])


def _side(scored: ScoredStrings, keys: NDArray[Any], others: NDArray[Any], *, known: bool) -> Side:
    counted = ~np.isin(keys, others)
    distinct = counted & first_occurrences(keys)
    return Side(**vars(scored), counted=counted, distinct=distinct, known=known)


def side_of_its_own(scored: ScoredStrings, *, known: bool) -> Side:
    """A side of strings that are all distinct and not on the other side."""
    every = np.ones(len(scored), dtype=bool)
    return Side(**vars(scored), counted=every, distinct=every, known=known)
