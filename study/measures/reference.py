"""What copies are compared with: everything about a corpus that no generated string changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rhm import Grammar, refit
from study.corpus import Corpus, Strata
from study.measures.level_strata import level_strata
from study.measures.overproduction import expected_frequencies
from study.measures.substrings import TRAINING, Substrings


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A corpus made ready for measurements; exact throughout, nothing in it is sampled.

    substrings      of every level 0 … L
    stratum         (K,) stratum of each distinct string, in the order of `strings`; -1 where it
                    occurs on both sides and so counts for neither
    level_strata    per level 0 … L-1 strata of its part of log p; None where there is but one
    mean_log_p      (S,) mean typicality of each stratum's strings, nats
    mass_strings    exact probability of all training strings, those that are controls too included
    excess_fit      E of the perfect rule learner: the true rule tables with D's own frequencies
    rule_frequencies  p_l (m,) of every level 0 … L-1 at a random node
    """

    corpus: Corpus
    strata: Strata
    substrings: tuple[Substrings, ...]
    stratum: NDArray[np.int64]
    level_strata: list[Strata | None]
    mean_log_p: NDArray[np.float64]
    mass_strings: float
    excess_fit: float
    rule_frequencies: list[NDArray[np.float64]]

    @classmethod
    def build(cls, corpus: Corpus) -> Reference:
        """Index a corpus; O(N log N)."""
        grammar = corpus.grammar
        training, control = corpus.training, corpus.control
        refitted = refit(grammar, training.strings)
        substrings = tuple(
            Substrings.of(grammar, refitted, level, training.strings, control.strings)
            for level in range(grammar.shape.depth + 1)
        )
        strings = substrings[0]
        strata = corpus.strata
        log_p = np.concatenate([training.log_p, control.log_p])[strings.first]
        return cls(
            corpus=corpus,
            strata=strata,
            substrings=substrings,
            stratum=of_distinct(strata, strings),
            level_strata=level_strata(training, control),
            mean_log_p=_mean_log_p(corpus, strata),
            mass_strings=float(np.exp(log_p[strings.sides & TRAINING > 0]).sum()),
            excess_fit=_excess_fit(corpus, strata, refitted) / strings.exclusive_share,
            rule_frequencies=expected_frequencies(grammar),
        )

    @property
    def grammar(self) -> Grammar:
        """The grammar of the corpus."""
        return self.corpus.grammar

    @property
    def strings(self) -> Substrings:
        """The distinct strings of the corpus: its substrings of level 0."""
        return self.substrings[0]


def of_distinct(strata: Strata, strings: Substrings) -> NDArray[np.int64]:
    """Stratum (K,) of each distinct string, in the order of `strings`; -1 where it has none."""
    return np.concatenate([strata.training_stratum, strata.control_stratum])[strings.first]


def stratum_excess(
    strata: Strata, training: NDArray[np.float64], control: NDArray[np.float64]
) -> NDArray[np.float64]:
    """c_Db - ρ_b·c_Cb (S,): what D's strings have beyond unseen strings of equal typicality."""
    return training - strata.mass_ratio * control


def _mean_log_p(corpus: Corpus, strata: Strata) -> NDArray[np.float64]:
    stratum = np.concatenate([strata.training_stratum, strata.control_stratum])
    log_p = np.concatenate([corpus.training.log_p, corpus.control.log_p])
    counted = stratum >= 0
    total = np.bincount(stratum[counted], weights=log_p[counted], minlength=len(strata))
    return total / (strata.num_training + strata.num_control)


def _excess_fit(corpus: Corpus, strata: Strata, refitted: Grammar) -> float:
    """Σ_b (p'(D_b) - ρ_b·p'(C_b)) with the exact probabilities p' of the refitted grammar."""
    masses = []
    for side, stratum in (
        (corpus.training, strata.training_stratum),
        (corpus.control, strata.control_stratum),
    ):
        p = np.exp(refitted.log_likelihood(side.strings[side.distinct]))
        masses.append(np.bincount(stratum[side.distinct], weights=p, minlength=len(strata)))
    return float(stratum_excess(strata, *masses).sum())
