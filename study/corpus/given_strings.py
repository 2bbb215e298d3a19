"""Given strings as a source: a pool of distinct strings, each with a score, of unknown law.

Training and control strings are drawn from the pool in random order, so whatever the scores are
worth, D and C are exchangeable given the pool; probabilities, parses and refits are undefined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.scored import ScoredStrings
from rhm.randomness import generator
from study.corpus.twins import Corpus, Side, side_of_its_own, split_of


@dataclass(frozen=True, kw_only=True)
class GivenStrings:
    """A `Source` of strings of a pool.

    strings     (P, d) distinct strings
    scores      (P,) how typical each is, in nats; from strings that are not in the pool, or from
                outside, for a score fitted to D would tell D from C
    vocab_size  v
    """

    strings: NDArray[Any]
    scores: NDArray[np.float64]
    vocab_size: int
    law: None = None

    def __post_init__(self) -> None:
        """Raises ValueError for strings that are not distinct, and scores that are not finite."""
        if len(np.unique(self.strings, axis=0)) < len(self.strings):
            raise ValueError("the strings of a pool must be distinct")
        if self.scores.shape != (len(self.strings),) or not np.isfinite(self.scores).all():
            raise ValueError("every string of a pool needs one finite score")

    @property
    def num_leaves(self) -> int:
        """d."""
        return self.strings.shape[1]

    def draw(
        self, size: int, *, control_size: int | None = None, unique: bool = True, seed: int = 0
    ) -> Corpus:
        """Draws N = size training and N_C control strings (N by default); see `Source.draw`.

        Raises ValueError too where strings may repeat: a pool says nothing of how often.
        """
        if not unique:
            raise ValueError("strings of a pool are drawn without replacement: set unique to true")
        control_size = size if control_size is None else control_size
        total = size + control_size
        training, control = split_of(size, control_size, seed, plenty=True)
        if total > len(self.strings):
            raise ValueError(
                f"{size} training and {control_size} control strings make {total}, but there are "
                f"only {len(self.strings)} strings"
            )
        stream = generator(seed, "order of the pool").permutation(len(self.strings))
        sides = [self._side(stream[places]) for places in (training, control)]
        return Corpus(law=None, training=sides[0], control=sides[1])

    def _side(self, rows: NDArray[np.int64]) -> Side:
        scored = ScoredStrings(
            strings=self.strings[rows],
            log_p=self.scores[rows],
            log_p_by_level=np.empty((len(rows), 0)),
        )
        return side_of_its_own(scored, known=False)
