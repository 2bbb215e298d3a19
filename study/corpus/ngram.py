"""An interpolated n-gram: how typical a string is of others, where no law of them is known.

    p_k(x | c) = (n(c x) + α·p_{k-1}(x | c')) / (n(c) + α),        p_0 = 1/v

with c the k - 1 symbols before x (marks stand before the first one), c' the last k - 2 of them,
n(.) counts in the strings that it was fitted to, and α the observations that a shorter n-gram is
worth: the hierarchical Dirichlet model of MacKay and Peto (Natural Language Engineering 1, 1995).
The **positional** model counts every place of the strings by itself; for strings of one length
both are laws over all v^d strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Counts:
    """n-grams of one length: sorted keys (K,) and how often each occurred (K,)."""

    keys: NDArray[np.object_] | NDArray[np.int64]
    counts: NDArray[np.int64]

    def of(self, keys: NDArray[Any]) -> NDArray[np.int64]:
        """How often n-grams (...) occurred."""
        if not len(self.keys):
            return np.zeros(keys.shape, dtype=np.int64)
        at = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.counts[at], 0)


@dataclass(frozen=True)
class NGram:
    """A fitted model.

    Attributes:
        order: n, symbols of the longest n-grams.
        vocab_size: v.
        smoothing: α.
        positional: whether every place has counts of its own.
        grams, contexts: per length k = 1 … n, the counts n(c x) and n(c).
    """

    order: int
    vocab_size: int
    smoothing: float
    positional: bool
    grams: tuple[Counts, ...]
    contexts: tuple[Counts, ...]

    @classmethod
    def fitted(
        cls,
        strings: NDArray[Any],
        *,
        vocab_size: int,
        order: int,
        smoothing: float,
        positional: bool = False,
    ) -> NGram:
        """The model of strings (R, d), each as often as it is there."""
        grams, contexts = [], []
        for k in range(1, order + 1):
            keys, before = _keys(strings, k, vocab_size, positional)
            grams.append(_counted(keys))
            contexts.append(_counted(before))
        return cls(order, vocab_size, smoothing, positional, tuple(grams), tuple(contexts))

    def refitted(self, strings: NDArray[Any]) -> NGram:
        """The same model fitted to other strings."""
        return NGram.fitted(
            strings,
            vocab_size=self.vocab_size,
            order=self.order,
            smoothing=self.smoothing,
            positional=self.positional,
        )

    def log_likelihood(self, strings: NDArray[Any]) -> NDArray[np.float64]:
        """ln p of strings (B, d), nats, (B,)."""
        return np.log(self.symbol_probabilities(strings)).sum(axis=1)

    def symbol_probabilities(self, strings: NDArray[Any]) -> NDArray[np.float64]:
        """p(x_j | x_{j-n+1} … x_{j-1}) of every symbol of strings (B, d): (B, d)."""
        p = np.full(strings.shape, 1.0 / self.vocab_size)
        for k in range(1, self.order + 1):
            keys, before = _keys(strings, k, self.vocab_size, self.positional)
            seen, of = self.grams[k - 1].of(keys), self.contexts[k - 1].of(before)
            p = (seen + self.smoothing * p) / (of + self.smoothing)
        return p

    def sample(self, count: int, leaves: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """New strings (count, leaves)."""
        strings = np.zeros((count, leaves), dtype=np.uint8)
        symbols = np.arange(self.vocab_size)
        for j in range(leaves):
            tried = np.repeat(strings[:, None, : j + 1], self.vocab_size, axis=1)
            tried[:, :, j] = symbols
            p = self.symbol_probabilities(tried.reshape(-1, j + 1))[:, j]
            cumulative = p.reshape(count, -1).cumsum(axis=1)
            drawn = rng.random(count) * cumulative[:, -1]
            strings[:, j] = (cumulative < drawn[:, None]).sum(axis=1).clip(max=self.vocab_size - 1)
        return strings


def _keys(
    strings: NDArray[Any], k: int, vocab_size: int, positional: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Numbers of the k-gram that ends at every place, and of the k - 1 symbols before it, (B, d).

    Numbers in base v + 1, in which v is the mark before the first symbol; the longest n-grams of
    large alphabets need more than 64 bits.
    """
    base = vocab_size + 1
    count, leaves = strings.shape
    large = base**k * (leaves if positional else 1) > np.iinfo(np.int64).max
    marks = np.full((count, k - 1), vocab_size, dtype=np.int64)
    padded = np.concatenate([marks, strings.astype(np.int64)], axis=1)
    if large:
        padded = padded.astype(object)
    before = padded[:, :leaves] * 0
    if positional:
        before = before + np.arange(leaves)
    for i in range(k - 1):
        before = before * base + padded[:, i : i + leaves]
    return before * base + padded[:, k - 1 :], before


def _counted(keys: NDArray[Any]) -> Counts:
    found, counts = np.unique(keys.ravel(), return_counts=True)
    return Counts(found, counts.astype(np.int64))
