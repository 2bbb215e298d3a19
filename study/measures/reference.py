"""What copies are compared with: everything about a corpus that no generated string changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm import Grammar, TreeShape, refit
from study.corpus import Corpus, StandIn, Strata
from study.measures.gram_ranks import GramRanks
from study.measures.level_strata import level_strata
from study.measures.nearest import NearestImages
from study.measures.overproduction import expected_frequencies
from study.measures.substrings import TRAINING, Law, Sample, Substrings


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A corpus made ready for measurements; exact throughout, nothing in it is sampled.

    substrings      of every level 0 … L
    stratum         (K,) stratum of each distinct string, in the order of `strings`; -1 where it
                    occurs on both sides and so counts for neither
    level_strata    per level 0 … L-1 strata of its part of log p; None where there is but one
    mean_log_p      (S,) mean typicality of each stratum's strings, nats
    chance_control  (S,) probability that a string drawn anew is a control of the stratum: its
                    exact mass, or where the law is unknown the share of the source's strings
    mass_strings    exact probability of all training strings, those that are controls too included;
                    None where the law is unknown
    excess_fit      E of a perfect learner of rules or of local statistics: the true rule tables
                    with D's own frequencies, or the n-gram refitted to D
    rule_frequencies  p_l (m,) of every level 0 … L-1 at a random node; None where there are none
    gram_ranks      pairs of neighbours by how common they are; None where there are rules
    nearest         what is near to which image of D and C; None where strings are no images
    """

    corpus: Corpus
    strata: Strata
    substrings: tuple[Substrings, ...]
    stratum: NDArray[np.int64]
    level_strata: list[Strata | None]
    mean_log_p: NDArray[np.float64]
    chance_control: NDArray[np.float64]
    mass_strings: float | None
    excess_fit: float
    rule_frequencies: list[NDArray[np.float64]] | None
    gram_ranks: GramRanks | None
    nearest: NearestImages | None

    @classmethod
    def build(cls, corpus: Corpus) -> Reference:
        """Index a corpus; O(N log N)."""
        shape, strata = corpus.shape, corpus.strata
        training, control = corpus.training, corpus.control
        learner, law = _learner(corpus)
        substrings = tuple(
            Substrings.of(shape, law, level, training.strings, control.strings)
            for level in range(shape.depth + 1)
        )
        strings = substrings[0]
        return cls(
            corpus=corpus,
            strata=strata,
            substrings=substrings,
            stratum=of_distinct(strata, strings),
            level_strata=level_strata(training, control) or [None] * shape.depth,
            mean_log_p=_mean_log_p(corpus, strata),
            chance_control=_chance(corpus.stand_in, strata),
            mass_strings=None if corpus.law is None else _mass_strings(corpus, strings),
            excess_fit=_excess_fit(corpus, strata, learner) / strings.exclusive_share,
            rule_frequencies=None if corpus.law is None else expected_frequencies(corpus.law),
            gram_ranks=None if corpus.stand_in is None else GramRanks.of(corpus.stand_in),
            nearest=NearestImages.of(corpus),
        )

    @property
    def shape(self) -> TreeShape:
        """L, v, s and d of the strings."""
        return self.corpus.shape

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


LogLikelihood = Callable[[NDArray[Any]], NDArray[np.float64]]
"""Strings (B, d) -> ln p of each, exact."""


def _learner(corpus: Corpus) -> tuple[LogLikelihood, Law | Sample]:
    """The law of a perfect learner that was shown D, and what there is of the law of substrings."""
    own = corpus.training.strings
    if corpus.law is not None:
        refitted = refit(corpus.law, own)
        return refitted.log_likelihood, Law(grammar=corpus.law, refitted=refitted)
    known = stand_in_of(corpus)
    sample = Sample(
        shape=known.shape,
        strings=known.reference,
        exchangeable=len(own) == len(corpus.control),
    )
    return known.model.refitted(own).log_likelihood, sample


def stand_in_of(corpus: Corpus) -> StandIn:
    """What stands in for the law. Raises ValueError where strings have neither."""
    if corpus.stand_in is None:
        raise ValueError("these strings have neither a law nor anything in its place")
    return corpus.stand_in


def _chance(stand_in: StandIn | None, strata: Strata) -> NDArray[np.float64]:
    if strata.mass_control is not None:
        return strata.mass_control
    draws = strata.num_control.sum() if stand_in is None else stand_in.draws
    return strata.num_control / draws


def _mass_strings(corpus: Corpus, strings: Substrings) -> float:
    log_p = np.concatenate([corpus.training.log_p, corpus.control.log_p])[strings.first]
    return float(np.exp(log_p[strings.sides & TRAINING > 0]).sum())


def _excess_fit(corpus: Corpus, strata: Strata, learner: LogLikelihood) -> float:
    """Σ_b (p'(D_b) - ρ_b·p'(C_b)) with the exact probabilities p' of the perfect learner."""
    masses = []
    for side, stratum in (
        (corpus.training, strata.training_stratum),
        (corpus.control, strata.control_stratum),
    ):
        p = np.exp(learner(side.strings[side.distinct]))
        masses.append(np.bincount(stratum[side.distinct], weights=p, minlength=len(strata)))
    return float(stratum_excess(strata, *masses).sum())
