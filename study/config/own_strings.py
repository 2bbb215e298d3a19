"""Strings that no grammar makes: how they are read and scored, and what was found of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rhm import TreeShape
from study.config.sections import MAX_LEAVES
from study.config.settings import Section, plain, setting

NGRAM, POSITIONAL = "ngram", "positional"
SCORES = ("auto", NGRAM, POSITIONAL)
"""Models of how typical a string is; see `study.corpus.ngram`."""

CUTS = ("auto", "characters", "words")
"""How a line becomes symbols."""

MAX_ORDER = 8
"""Symbols of the longest n-gram."""


@dataclass(frozen=True, kw_only=True)
class StringsConfig(Section):
    """How strings of one's own are read, and how typical they are: for every source but grammar."""

    column: str | None = setting(None, extent=True)
    """The column of a CSV or parquet file with the strings, or with lists of symbols; null: its
    only column of text or lists."""
    symbols: str = setting("auto", choices=CUTS, extent=True)
    """What a symbol of a line is: each of its `characters`, or each of its `words` between spaces;
    auto: words where any line has a space inside."""
    length: int | None = setting(None, minimum=2, maximum=MAX_LEAVES, extent=True)
    """d: strings of another length are left out; null: all must have one length."""
    cut: bool = setting(False, extent=True)
    """Cut longer strings to their first `length` symbols instead of leaving them out."""
    tuple_size: int | None = setting(None, minimum=2, extent=True)
    """s, neighbours that the U-Net joins: the length must be a power of it. null: 2, or what a
    corpus that is shipped says."""
    typicality: str | None = setting(None, extent=True)
    """A column that says how typical each string is, in nats, in place of the score."""
    frequency: str | None = setting(None, extent=True)
    """A column of positive frequencies; their logarithms take the place of the score. Those of a
    string's rows add up."""
    reference: float = setting(0.5, above=0, maximum=0.9, neutral=0.5)
    """The share of the strings that is put aside for the score, and is neither trained on nor a
    control."""
    score: str = setting("auto", choices=SCORES, neutral="auto")
    """The model of typicality, fitted to the strings put aside: `ngram`, the same at every place,
    or `positional`, with counts of its own for every place. auto: a column where one is named or
    shipped, `positional` for images, else `ngram`."""
    order: int = setting(3, minimum=1, maximum=MAX_ORDER, neutral=3)
    """n, symbols of its longest n-grams; shorter ones are interpolated."""
    smoothing: float = setting(8.0, above=0, neutral=8.0)
    """Observations that the next shorter n-gram is worth."""

    def model_of(self, pool: PoolConfig) -> str:
        """Which model is fitted to the strings put aside of a pool."""
        return {"auto": POSITIONAL if pool.image else NGRAM}.get(self.score, self.score)

    def as_read(self, pool: PoolConfig) -> StringsConfig:
        """What is left to decide once the strings are read: the score. Leaving out what is the
        model anyway and naming it are the same."""
        score = self.model_of(pool)
        return StringsConfig(
            reference=self.reference,
            score="auto" if score == NGRAM else score,
            order=self.order,
            smoothing=self.smoothing,
        )

    def faults(self) -> list[tuple[str, str]]:
        """Settings that say the same twice, or nothing without another."""
        found = []
        if self.typicality is not None and self.frequency is not None:
            found.append(("frequency", "says the same as typicality; keep one of them"))
        if self.score != "auto" and (self.typicality is not None or self.frequency is not None):
            found.append(("score", "is taken by a column; leave one of them out"))
        if self.cut and self.length is None:
            found.append(("cut", "needs strings.length, to which strings are cut"))
        return found


@dataclass(frozen=True, kw_only=True)
class PoolConfig(Section):
    """What was found of the strings when they were read; nobody sets it."""

    sha256: str
    """Of the strings, how often each occurs and the column of typicality: their identity."""
    strings: int = setting(minimum=1)
    """P, distinct strings."""
    total: int = setting(minimum=1, extent=True)
    """Strings with repeats."""
    leaves: int = setting(minimum=1)
    """d, symbols of a string."""
    vocab_size: int = setting(minimum=2, maximum=255)
    """v."""
    tuple_size: int = setting(minimum=2)
    """s."""
    alphabet: list[str] = field(default_factory=list, metadata={"extent": True})
    """The v symbols as they are read, in the order of their numbers."""
    separator: str = setting("", extent=True)
    """What stands between symbols when a string is written out."""
    image: bool = setting(False, extent=True)
    """Whether strings are square images in Morton order, symbols grey levels from dark to light."""
    nearest: int | None = setting(None, extent=True)
    """Where d is no power of s: the nearest length that is."""
    remaining: int = setting(0, extent=True)
    """Distinct strings that there would be of that length."""

    def as_document(self) -> dict[str, Any]:
        """Plain JSON values, from which a configuration is built."""
        return plain(self)

    @property
    def depth(self) -> int | None:
        """L with d = s^L; None where d is no power of s."""
        return depth_of(self.leaves, self.tuple_size)

    @property
    def shape(self) -> TreeShape:
        """The tree over the leaves; without one of s, all leaves under one root."""
        if self.depth is None:
            return TreeShape(1, self.vocab_size, self.leaves)
        return TreeShape(self.depth, self.vocab_size, self.tuple_size)


def depth_of(leaves: int, tuple_size: int) -> int | None:
    """L >= 1 with leaves = tuple_size^L; None where there is none."""
    depth = 0
    while leaves % tuple_size == 0 and leaves > 1:
        leaves //= tuple_size
        depth += 1
    return depth if leaves == 1 and depth else None
