"""All strings of a grammar in the order in which sequential sampling draws them: a Gumbel beam.

Drawing strings one after the other and never the same twice has the law of the Gumbel top-k:
give every string its log p plus Gumbel noise and read them in falling order. The strings need not
be listed: the largest perturbed log p below a node of the tree of choices is itself Gumbel, so a
beam that keeps the best k partial derivations, choice after choice, ends with the best k strings
(Kool, van Hoof, Welling, arXiv 1903.06059, algorithm 1). It takes k·m candidates per choice whether
the support is barely k or astronomically larger, where rejection would slow down or never end.

The noise of a node is a hash of the seed and the path to it, not the next number of a generator:
so it does not depend on what else the beam holds, and the first k strings are the same for every k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.log_parts import log
from rhm.randomness import seed_sequence
from rhm.tables import RuleTables


def beam_strings(grammar: RuleTables, count: int, seed: int) -> NDArray[np.unsignedinteger[Any]]:
    """The first `count` strings (count, s^L) of the order, at most the support."""
    shape = grammar.shape
    _, root, beam = _Beam.start(seed).extend(grammar.class_probabilities[None, :], count)
    symbols = root[:, None]
    for table, probabilities in zip(grammar.rules, grammar.rule_matrices, strict=True):
        children = np.empty((len(symbols), 0), dtype=np.int64)
        for node in range(symbols.shape[1]):
            parent, rank, beam = beam.extend(probabilities[symbols[:, node]], count)
            symbols = symbols[parent]
            children = np.hstack([children[parent], table[symbols[:, node], rank]])
        symbols = children
    order = np.argsort(-beam.perturbed)
    return symbols[order].astype(np.min_scalar_type(shape.vocab_size - 1))


@dataclass(frozen=True)
class _Beam:
    """The best partial derivations: at most k paths through the tree of choices.

    log_p      (k,) log-probability of the path
    perturbed  (k,) the largest Gumbel-perturbed log p of all strings the path leads to
    key        (k,) hash of the seed and the path
    """

    log_p: NDArray[np.float64]
    perturbed: NDArray[np.float64]
    key: NDArray[np.uint64]

    @classmethod
    def start(cls, seed: int) -> _Beam:
        """The empty path, which leads to every string."""
        sequence = seed_sequence(seed, "strings without replacement")
        key = sequence.generate_state(1, np.uint64).astype(np.uint64)
        return cls(np.zeros(1), _gumbel(key), key)

    def extend(
        self, probabilities: NDArray[np.float64], size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], _Beam]:
        """One more choice: the best `size` of all continuations, as (parent, choice, beam).

        probabilities (k, m) of the next choice of each path; impossible ones never survive.
        """
        choices = probabilities.shape[1]
        log_p = self.log_p[:, None] + log(probabilities)
        key = _children_keys(self.key, choices)
        perturbed = _conditioned(log_p + _gumbel(key), self.perturbed)
        best = np.flatnonzero(perturbed > -np.inf)
        if len(best) > size:
            by_merit = np.argpartition(perturbed.ravel()[best], len(best) - size)
            best = np.sort(best[by_merit[len(best) - size :]])
        beam = _Beam(log_p.ravel()[best], perturbed.ravel()[best], key.ravel()[best])
        return best // choices, best % choices, beam


def _conditioned(
    perturbed: NDArray[np.float64], maximum: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Moves Gumbels (k, m) so that each row's largest is the given maximum (k,), law kept.

    -log(e^-T - e^-Z + e^-G) with T the maximum wanted, Z the one found, in the stable form of
    Kool et al., appendix B.3.
    """
    found = perturbed.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        v = maximum[:, None] - perturbed + np.log(-np.expm1(perturbed - found))
    return maximum[:, None] - np.maximum(v, 0) - np.log1p(np.exp(-np.abs(v)))


def _gumbel(key: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Standard Gumbel noise from the upper 53 bits of each key."""
    uniform = ((key >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return -np.log(-np.log(uniform))


def _children_keys(key: NDArray[np.uint64], choices: int) -> NDArray[np.uint64]:
    """Keys (k, choices): the first outputs of a SplitMix64 generator whose state is the key."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    state = key[:, None] + golden * np.arange(1, choices + 1, dtype=np.uint64)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
