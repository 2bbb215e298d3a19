"""A source of strings from outside: twins, strata and measures take it as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rhm import TreeShape
from rhm.exact.scored import ScoredStrings
from rhm.randomness import generator
from study.corpus.ngram import NGram
from study.corpus.source import Source
from study.corpus.twins import Corpus, StandIn
from study.measures import Reference, measure_strings

PUT_ASIDE = 400


@dataclass(frozen=True)
class Coins:
    """Strings of d independent coins, of which 1 has probability `bias`."""

    bias: float
    num_leaves: int = 16
    vocab_size: int = 2
    law: None = None

    def strings(self, number: int, seed: int, purpose: str) -> NDArray[np.uint8]:
        uniforms = generator(seed, purpose).random((number, self.num_leaves))
        return (uniforms < self.bias).astype(np.uint8)

    def draw(
        self, size: int, *, control_size: int | None = None, unique: bool = True, seed: int = 0
    ) -> Corpus:
        reference = self.strings(PUT_ASIDE, seed, "put aside")
        model = NGram.fitted(reference, vocab_size=2, order=1, smoothing=1.0)
        sides = [
            self.scored(model, self.strings(number, seed, purpose))
            for purpose, number in (("training", size), ("control", control_size or size))
        ]
        shape = TreeShape(4, self.vocab_size, 2)
        stand_in = StandIn(shape=shape, reference=reference, model=model, draws=10**6)
        return Corpus.of(*sides, vocab_size=self.vocab_size, stand_in=stand_in)

    def scored(self, model: NGram, strings: NDArray[Any]) -> ScoredStrings:
        return ScoredStrings(
            strings=strings,
            log_p=model.log_likelihood(strings),
            log_p_by_level=np.empty((len(strings), 0)),
        )


def test_its_corpora_are_stratified_and_measured():
    source: Source = Coins(bias=0.3)
    corpus = source.draw(200, control_size=300, seed=1)
    assert len(corpus.strata) > 1
    reference = Reference.build(corpus)
    copied = measure_strings(reference, corpus.training.strings)
    assert copied["curves"]["excess_copies"][0] == pytest.approx(1)
    fresh = Coins(bias=0.3).strings(2000, 2, "fresh")
    curves = measure_strings(reference, fresh)["curves"]
    error = 4 * curves["excess_copies_se"][0]
    assert curves["excess_copies"][0] == pytest.approx(0, abs=error)
    assert curves["root_validity"] == [None]
