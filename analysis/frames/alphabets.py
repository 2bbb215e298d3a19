"""What symbols stand for, where strings were read and no grammar made them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from study.store.results import Results
from study.store.status import DamagedTraining


@dataclass(frozen=True)
class Alphabet:
    """How strings are written out.

    Attributes:
        symbols: v texts, in the order of their numbers.
        separator: what stands between them.
    """

    symbols: tuple[str, ...]
    separator: str

    def text(self, tokens: Iterable[int]) -> str:
        """A string of numbers from 0 to v - 1 as it would be read."""
        return self.separator.join(self.symbols[token] for token in tokens)


NUMBERS = " "
"""What stands between symbols that are numbers only."""


def alphabet_of(results: Results, training: str) -> Alphabet | None:
    """The alphabet of a training's strings; None where they have none, or its config is damaged."""
    try:
        pool = results.config(training).pool
    except DamagedTraining:
        return None
    if pool is None or not pool.alphabet:
        return None
    return Alphabet(tuple(pool.alphabet), pool.separator)
