"""What a source of strings gives to the study, whatever the strings are."""

from __future__ import annotations

from typing import Protocol

from rhm.grammar import Grammar
from study.corpus.twins import Corpus


class Source(Protocol):
    """Where training and control strings come from."""

    @property
    def vocab_size(self) -> int:
        """v, symbols of a leaf."""
        ...

    @property
    def num_leaves(self) -> int:
        """d, the length of every string."""
        ...

    @property
    def law(self) -> Grammar | None:
        """The exact law of the strings: masses, parsing, refit; None where it is unknown."""
        ...

    def draw(
        self, size: int, *, control_size: int | None = None, unique: bool = True, seed: int = 0
    ) -> Corpus:
        """N = size training and N_C control strings (N by default), two samples of one law.

        Equal seeds give equal corpora, and a smaller corpus is a prefix of a larger one; see
        `study.corpus.twins.split_of`. Raises ValueError for sizes below 1, and for more unique
        strings than there are.
        """
        ...
