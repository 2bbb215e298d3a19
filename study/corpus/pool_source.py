"""Strings of a pool as a source: their law is unknown, their score comes from others of them.

By the seed, in random order: a **reference part** R, to which the score is fitted, then from the
two ends of the rest training strings and their controls. So D and C are exchangeable given R
whatever the score is worth, and a smaller corpus is a prefix of a larger one, on either side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rhm.exact.scored import ScoredStrings
from rhm.randomness import generator
from study.config import StringsConfig
from study.config.own_strings import POSITIONAL
from study.config.trial import reference_size
from study.corpus.ngram import NGram
from study.corpus.pool import Pool
from study.corpus.twins import Corpus, Side, StandIn, side_of_its_own


@dataclass(frozen=True)
class PoolSource:
    """A `Source` of a pool's strings.

    Attributes:
        pool: the strings.
        strings: how they are scored.
    """

    pool: Pool
    strings: StringsConfig = field(default_factory=StringsConfig)
    law: None = None

    @property
    def vocab_size(self) -> int:
        """v."""
        return self.pool.vocab_size

    @property
    def num_leaves(self) -> int:
        """d."""
        return self.pool.num_leaves

    def draw(
        self, size: int, *, control_size: int | None = None, unique: bool = True, seed: int = 0
    ) -> Corpus:
        """N = size training and N_C control strings (N by default); see `Source.draw`.

        unique: every string once; else as often as the pool has it, and strings that fall on both
        sides count for neither.
        """
        control_size = size if control_size is None else control_size
        if size < 1 or control_size < 1:
            raise ValueError(
                f"a corpus needs at least 1 training and 1 control string, "
                f"got {size} and {control_size}"
            )
        rows = np.arange(len(self.pool.strings))
        if not unique:
            rows = np.repeat(rows, self.pool.counts)
        rows = rows[generator(seed, "order of the pool").permutation(len(rows))]
        reference, rest = np.split(rows, [reference_size(len(rows), self.strings.reference)])
        if size + control_size > len(rest):
            raise ValueError(
                f"{size} training and {control_size} control strings make {size + control_size}, "
                f"but there are only {len(rest)} strings beside those put aside for the score"
            )
        model = self._model(reference)
        scores = self.pool.typicality
        if scores is None:
            scores = model.log_likelihood(self.pool.strings)
        stand_in = StandIn(
            shape=self.pool.config.shape,
            reference=self.pool.strings[reference],
            model=model,
            draws=len(rows),
            image=self.pool.image,
        )
        training, control = rest[:size], rest[::-1][:control_size]
        if unique:
            sides = [self._side(chosen, scores) for chosen in (training, control)]
            return Corpus(law=None, stand_in=stand_in, training=sides[0], control=sides[1])
        both = [self._scored(chosen, scores) for chosen in (training, control)]
        return Corpus.of(*both, vocab_size=self.vocab_size, stand_in=stand_in)

    def _model(self, reference: NDArray[np.int64]) -> NGram:
        return NGram.fitted(
            self.pool.strings[reference],
            vocab_size=self.vocab_size,
            order=self.strings.order,
            smoothing=self.strings.smoothing,
            positional=self.strings.model_of(self.pool.config) == POSITIONAL,
        )

    def _side(self, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> Side:
        return side_of_its_own(self._scored(rows, scores), known=False)

    def _scored(self, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> ScoredStrings:
        return ScoredStrings(
            strings=self.pool.strings[rows],
            log_p=scores[rows],
            log_p_by_level=np.empty((len(rows), 0)),
        )
