"""From strings as they were read to a pool: one length, one alphabet, each string once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study.config import MAX_LEAVES
from study.config.own_strings import PoolConfig, StringsConfig, depth_of
from study.corpus.pool import Pool
from study.corpus.reading import Lines, Unreadable

MAX_SYMBOLS = 255
FEWEST = 4
"""Distinct strings that a pool must have: one for the score, D and C each, and one to spare."""
SHOWN = 4
"""Lengths that are named where there are several."""


def pooled(
    lines: Lines, strings: StringsConfig, *, tuple_size: int = 2, image: bool = False
) -> Pool:
    """The pool of some strings.

    Args:
        lines: as they were read.
        strings: how long they are to be.
        tuple_size: s, where the settings do not say.
        image: whether they are square images in Morton order.

    Raises:
        Unreadable: with what is wrong.
    """
    every, separator = _symbols(lines, strings.symbols)
    lengths = Counter(map(len, every))
    length = _length(every, lengths, strings)
    rows = [i for i, symbols in enumerate(every) if _fits(symbols, length, cut=strings.cut)]
    if not rows:
        has = _told(lengths)
        raise Unreadable(f"no string has {length} symbols; {has}", field="strings.length")
    chosen = [every[i][:length] for i in rows]
    alphabet = _alphabet(chosen, characters=not separator)
    number = {symbol: token for token, symbol in enumerate(alphabet)}
    tokens = np.array([[number[symbol] for symbol in s] for s in chosen], dtype=np.uint8)
    distinct, inverse, counts = np.unique(tokens, axis=0, return_inverse=True, return_counts=True)
    if len(distinct) < FEWEST:
        there_are = "there is only 1 distinct string"
        if len(distinct) > 1:
            there_are = f"there are only {len(distinct)} distinct strings"
        raise Unreadable(f"{there_are}, {FEWEST} at least are needed")
    typicality = _typicality(lines, rows, inverse.ravel(), counts)
    if typicality is not None and np.ptp(typicality) == 0:
        named = "typicality" if strings.typicality else "frequency"
        raise Unreadable("is the same for all strings", field=f"strings.{named}")
    s = strings.tuple_size or tuple_size
    nearest, remaining = _nearest(every, length, s)
    return Pool(
        strings=distinct,
        counts=counts.astype(np.int64),
        typicality=typicality,
        alphabet=tuple(alphabet),
        separator=separator,
        image=image,
        tuple_size=s,
        nearest=nearest,
        remaining=remaining,
    )


def _typicality(
    lines: Lines, rows: Sequence[int], inverse: NDArray[np.intp], counts: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Nats of every distinct string, where a column says them.

    Rows of one string, repeated or cut to it: their frequencies add up, of nats it is the mean.
    """
    if lines.frequency is not None:
        return np.log(np.bincount(inverse, weights=lines.frequency[rows]))
    if lines.typicality is not None:
        return np.bincount(inverse, weights=lines.typicality[rows]) / counts
    return None


def _symbols(lines: Lines, cut: str) -> tuple[list[list[str]], str]:
    """Every string as symbols, and what stands between these where they are written out."""
    if lines.symbols is not None:
        return lines.symbols, " "
    text = [line.strip("\r\n") for line in lines.text or []]
    spaced = any(len(line.split()) > 1 for line in text)
    if cut == "words" or (cut == "auto" and spaced):
        return [line.split() for line in text], " "
    return [list(line if cut == "characters" else line.strip()) for line in text], ""


def _length(every: Sequence[Sequence[str]], lengths: Counter[int], strings: StringsConfig) -> int:
    """The one length of all strings, or the one that is asked for."""
    if strings.length is not None:
        return strings.length
    if len(lengths) > 1:
        common = lengths.most_common(1)[0][0]
        odd = next(i for i, symbols in enumerate(every) if len(symbols) != common)
        raise Unreadable(
            f"strings of one length are needed, but {_told(lengths)} (string {odd + 1} has "
            f"{len(every[odd])}): set strings.length, as strings.length: {common}"
        )
    (length,) = lengths
    if length < 2:
        raise Unreadable(f"strings of {length} symbol have nothing to be learned; 2 are needed")
    if length > MAX_LEAVES:
        raise Unreadable(f"strings of {length} symbols are longer than {MAX_LEAVES}")
    return length


def _told(lengths: Counter[int]) -> str:
    common = [f"{count:,} have {length}" for length, count in lengths.most_common(SHOWN)]
    more = ", …" if len(lengths) > SHOWN else ""
    return f"{', '.join(common)}{more} symbols"


def _fits(symbols: Sequence[str], length: int, *, cut: bool) -> bool:
    return len(symbols) == length or (cut and len(symbols) > length)


def _alphabet(strings: Sequence[Sequence[str]], *, characters: bool) -> list[str]:
    """The symbols in order: numbers by size, else text."""
    found = {symbol for string in strings for symbol in string}
    if len(found) > MAX_SYMBOLS:
        what = f"there are {len(found)} different symbols, more than {MAX_SYMBOLS}"
        hint = "; are words meant as symbols? See strings.symbols" if characters else ""
        raise Unreadable(what + hint)
    if len(found) < 2:
        raise Unreadable("all strings are of one symbol, so there is nothing to be learned")
    if all(symbol.lstrip("-").isdecimal() for symbol in found):
        return sorted(found, key=lambda symbol: (int(symbol), symbol))
    return sorted(found)


def _nearest(
    every: Sequence[Sequence[str]], length: int, tuple_size: int
) -> tuple[int | None, int]:
    """Where d is no power of s: the nearest power, and how many strings there would be of it.

    Those of that length, and where it is shorter the longer ones cut to it.
    """
    if depth_of(length, tuple_size) is not None:
        return None, 0
    below = tuple_size
    while below * tuple_size <= length:
        below *= tuple_size
    above = below * tuple_size
    nearest = below if length - below <= above - length else above
    if not any(len(symbols) >= nearest for symbols in every):
        nearest = below
    long_enough = {tuple(s[:nearest]) for s in every if len(s) >= nearest}
    return nearest, len(long_enough)


def misfit(pool: PoolConfig) -> str | None:
    """Why the length of strings makes no tree, with what to do; None where it makes one."""
    if pool.depth is not None:
        return None
    what = f"strings of {pool.leaves} symbols make no tree of tuples of {pool.tuple_size}"
    other = next((s for s in range(2, 17) if depth_of(pool.leaves, s) not in (None, 1)), None)
    remedies = [f"set strings.tuple_size: {other}"] if other else []
    if pool.nearest is not None:
        remedies.append(
            f"set strings.length: {pool.nearest} and strings.cut: true, the nearest that does, "
            f"which leaves {pool.remaining} strings"
        )
    remedies.append("take network.kind: transformer, which takes any length")
    return f"{what}; {', or '.join(remedies)}"
