"""Grammars as a source of strings: the Random Hierarchy Model [Cagnetta 2024], exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from rhm.drawing.without_replacement import draw_without_replacement
from rhm.exact.scored import with_likelihood
from rhm.grammar import Grammar
from rhm.randomness import generator
from study.corpus.twins import Corpus, side_of_its_own, split_of


@dataclass(frozen=True)
class GrammarSource:
    """A `Source` of a grammar's strings."""

    law: Grammar

    @property
    def vocab_size(self) -> int:
        """v."""
        return self.law.shape.vocab_size

    @property
    def num_leaves(self) -> int:
        """d = s^L."""
        return self.law.shape.num_leaves

    def draw(
        self, size: int, *, control_size: int | None = None, unique: bool = True, seed: int = 0
    ) -> Corpus:
        """Draws N = size training and N_C control strings (N by default); see `Source.draw`.

        unique: all N + N_C strings are distinct, from one stream of sequential sampling without
        replacement; else i.i.d., and strings that fall on both sides count for neither. Beyond half
        the support unique strings are split at random.

        Raises ValueError too for i.i.d. sides one of which has no string of its own.
        """
        control_size = size if control_size is None else control_size
        total, support = size + control_size, self.law.support_size
        plenty = not unique or 2 * total <= support
        training, control = split_of(size, control_size, seed, plenty=plenty)
        if unique and total > support:
            raise ValueError(
                f"{size} training and {control_size} control strings make {total}, but the grammar "
                f"has only {support} strings: lower the sizes or set unique to false"
            )
        if not unique:
            strings = self.law.sample(total, generator(seed, "independent strings"))
            return self.of(strings[training], strings[control])
        stream = draw_without_replacement(self.law, total, seed)
        return Corpus(
            law=self.law,
            training=side_of_its_own(stream.take(training), known=True),
            control=side_of_its_own(stream.take(control), known=True),
        )

    def of(self, training: NDArray[Any], control: NDArray[Any]) -> Corpus:
        """The corpus of given strings (N, d) and (N_C, d) of the grammar; see `Corpus.of`."""
        scored = [with_likelihood(self.law, strings) for strings in (training, control)]
        return Corpus.of(*scored, vocab_size=self.vocab_size, law=self.law)
