"""Strings with what the grammar says about each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.exact.likelihood import log_likelihood_and_parts
from rhm.tables import RuleTables


@dataclass(frozen=True, kw_only=True)
class ScoredStrings:
    """Strings and their exact log-likelihoods.

    strings         (N, d)
    log_p           (N,) exact log-likelihood, nats
    log_p_by_level  (N, L) its per-level parts
    """

    strings: NDArray[np.unsignedinteger[Any]]
    log_p: NDArray[np.float64]
    log_p_by_level: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.strings)

    def take(self, rows: NDArray[np.int64]) -> ScoredStrings:
        """The given rows, in their order."""
        return ScoredStrings(
            strings=self.strings.take(rows, axis=0),
            log_p=self.log_p.take(rows),
            log_p_by_level=self.log_p_by_level.take(rows, axis=0),
        )


def with_likelihood(grammar: RuleTables, strings: NDArray[Any]) -> ScoredStrings:
    """Given strings (N, d), parsed; log-likelihoods are -inf where they are ungrammatical."""
    log_p, log_p_by_level = log_likelihood_and_parts(grammar, strings)
    return ScoredStrings(strings=strings, log_p=log_p, log_p_by_level=log_p_by_level)


def joined(batches: Sequence[ScoredStrings]) -> ScoredStrings:
    """One batch after the other."""
    return ScoredStrings(
        strings=np.concatenate([batch.strings for batch in batches]),
        log_p=np.concatenate([batch.log_p for batch in batches]),
        log_p_by_level=np.concatenate([batch.log_p_by_level for batch in batches]),
    )
