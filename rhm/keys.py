"""Keys of strings: one sortable value per string, so that finding copies is a join.

Comparing G generated strings with N training strings symbol by symbol costs G·N·d; sorting the
keys of one side and looking up the other costs O((G + N) log N), and no memory beyond the keys.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def string_keys(strings: NDArray[Any], vocab_size: int) -> NDArray[Any]:
    """One key per string, equal exactly where the strings are equal.

    strings (..., d) integers in 0 … vocab_size-1 -> keys (...,): the base-v number of the string
    in int64 where v^d < 2^63, else its symbols as big-endian bytes of fixed width (a void view).
    Both kinds work with `lookup`; integers sort in the order of the strings.
    """
    *batch, length = strings.shape
    if vocab_size**length < 2**63:
        keys = np.zeros(batch, dtype=np.int64)
        for position in range(length):
            keys = keys * vocab_size + strings[..., position]
        return keys
    symbol = np.dtype(np.uint8 if vocab_size <= 2**8 else ">u4")
    packed = np.ascontiguousarray(strings, dtype=symbol)
    return packed.view(np.dtype((np.void, length * symbol.itemsize)))[..., 0]


def lookup(keys: NDArray[Any], sorted_reference: NDArray[Any]) -> NDArray[np.int64]:
    """Index of each key in a sorted reference (of its first occurrence), -1 where it is missing."""
    if len(sorted_reference) == 0:
        return np.full(keys.shape, -1, dtype=np.int64)
    place = np.searchsorted(sorted_reference, keys)
    found = sorted_reference[np.minimum(place, len(sorted_reference) - 1)] == keys
    return np.where(found, place, -1)


def first_occurrences(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Which keys (N,), of either kind, are not copies of an earlier one: (N,)."""
    digests = _digests(keys) if keys.dtype.kind == "V" else keys
    order = np.argsort(digests)
    ordered = digests[order]
    repeats = ordered[1:] == ordered[:-1]
    first = np.ones(len(keys), dtype=bool)
    if not repeats.any():
        return first
    if digests is keys:
        first[:] = False
        first[np.minimum.reduceat(order, np.flatnonzero(np.append(True, ~repeats)))] = True
    else:  # sorting bytes is slow, so only keys whose digests agree are compared in full
        suspects = np.sort(order[np.append(repeats, False) | np.append(False, repeats)])
        first[suspects] = False
        first[suspects[np.unique(keys[suspects], return_index=True)[1]]] = True
    return first


def _digests(keys: NDArray[Any]) -> NDArray[np.uint64]:
    """A 64-bit number for each void key (N,), equal where the keys are, and seldom elsewhere."""
    size = keys.dtype.itemsize
    padded = np.zeros((len(keys), -(-size // 8) * 8), dtype=np.uint8)
    padded[:, :size] = np.ascontiguousarray(keys).view(np.uint8).reshape(-1, size)
    words = padded.view(np.uint64)
    return words @ np.full(words.shape[1], 0x9E3779B97F4A7C15, dtype=np.uint64).cumprod()
