"""A corpus: the training strings, and a twin control set of strings the model never sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.drawing.without_replacement import draw_without_replacement
from rhm.exact.scored import ScoredStrings, with_likelihood
from rhm.grammar import Grammar
from rhm.keys import first_occurrences, string_keys
from rhm.randomness import generator


@dataclass(frozen=True, kw_only=True)
class Side(ScoredStrings):
    """Training strings D or control strings C, with what the grammar says about each of them.

    strings         (N, d)
    log_p           (N,) exact log-likelihood, nats
    log_p_by_level  (N, L) its per-level parts
    counted         (N,) whether the string is on this side only; the others count for neither
    distinct        (N,) counted, and the first of its copies on this side
    """

    counted: NDArray[np.bool_]
    distinct: NDArray[np.bool_]

    @property
    def masses(self) -> NDArray[np.float64]:
        """p(x) where distinct, else 0, (N,): sums over it never count a string twice."""
        return np.where(self.distinct, np.exp(self.log_p), 0.0)

    @property
    def mass(self) -> float:
        """Exact probability that the grammar emits one of this side's counted strings."""
        return float(self.masses.sum())


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Training strings D and their twin control set C, two samples of the same law."""

    grammar: Grammar
    training: Side
    control: Side

    @classmethod
    def draw(
        cls,
        grammar: Grammar,
        size: int,
        *,
        control_size: int | None = None,
        unique: bool = True,
        seed: int = 0,
    ) -> Corpus:
        """Draws N = size training and N_C control strings (N by default).

        unique: all N + N_C strings are distinct, from one stream of sequential sampling without
        replacement; else i.i.d., and strings that fall on both sides count for neither.
        Each pair of consecutive strings of the stream is split by a fair coin, so both sides have
        the same law and a smaller corpus is a prefix of a larger one of the same seed. (Drawing D
        first and keeping its strings out of C would make C less typical.) With N_C != N, or unique
        strings beyond half the support, the whole draw is split at random instead.

        Raises ValueError for sizes below 1, more unique strings than exist, and i.i.d. sides one
        of which has no string of its own.
        """
        control_size = size if control_size is None else control_size
        if size < 1 or control_size < 1:
            raise ValueError(
                f"a corpus needs at least 1 training and 1 control string, "
                f"got {size} and {control_size}"
            )
        total = size + control_size
        if unique and total > grammar.support_size:
            raise ValueError(
                f"{size} training and {control_size} control strings make {total}, but the grammar "
                f"has only {grammar.support_size} strings: lower the sizes or set unique to false"
            )
        if size == control_size and not (unique and 2 * total > grammar.support_size):
            order = _coin_per_pair(size, seed)
        else:
            order = generator(seed, "random split").permutation(total)
        training, control = order[:size], order[size:]
        if not unique:
            stream = grammar.sample(total, generator(seed, "independent strings"))
            return cls.of(grammar, stream[training], stream[control])
        stream = draw_without_replacement(grammar, total, seed)
        return cls(
            grammar=grammar,
            training=_side_of_its_own(stream.take(training)),
            control=_side_of_its_own(stream.take(control)),
        )

    @classmethod
    def of(cls, grammar: Grammar, training: NDArray[Any], control: NDArray[Any]) -> Corpus:
        """The corpus of given strings (N, d) and (N_C, d).

        Raises ValueError where a side has no string that is not on the other side too: there
        would be nothing to compare.
        """
        v = grammar.shape.vocab_size
        keys = string_keys(training, v), string_keys(control, v)
        corpus = cls(
            grammar=grammar,
            training=_side(grammar, training, keys[0], others=keys[1]),
            control=_side(grammar, control, keys[1], others=keys[0]),
        )
        for name, side in (("training", corpus.training), ("control", corpus.control)):
            if not side.counted.any():
                raise ValueError(
                    f"every {name} string also falls on the other side, so nothing tells them "
                    f"apart: draw fewer strings, or unique ones"
                )
        return corpus

    @cached_property
    def rule_frequencies(self) -> tuple[NDArray[np.float64], ...]:
        """f_D: per level, the share (m,) of D's nodes that use the rule of each rank.

        Over all training strings, repeated ones as often as the network sees them. `unique`
        flattens D: frequencies of common rules fall below their probabilities.
        """
        m = self.grammar.shape.num_synonyms
        ranks = self.grammar.parse(self.training.strings).ranks
        return tuple(np.bincount(level.ravel(), minlength=m) / level.size for level in ranks)


def _coin_per_pair(size: int, seed: int) -> NDArray[np.int64]:
    """Places in the stream: of each pair (2i, 2i+1) one for D, then, in the same order, C's."""
    coins = generator(seed, "coin per pair").random(size) < 0.5
    pair = 2 * np.arange(size)
    return np.concatenate([pair + coins, pair + ~coins])


def _side(
    grammar: Grammar, strings: NDArray[Any], keys: NDArray[Any], *, others: NDArray[Any]
) -> Side:
    counted = ~np.isin(keys, others)
    known = with_likelihood(grammar, strings)
    return Side(**vars(known), counted=counted, distinct=counted & first_occurrences(keys))


def _side_of_its_own(known: ScoredStrings) -> Side:
    """A side of strings that are all distinct and not on the other side."""
    every = np.ones(len(known), dtype=bool)
    return Side(**vars(known), counted=every, distinct=every)
