"""Partial memorization: pieces of training strings that the model recombines."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from study.measures.declared import Column, Curve, with_error
from study.measures.errors import mean_and_error
from study.measures.side_luck import side_variance
from study.measures.substrings import CONTROL, TRAINING, Contrast, Substrings

FEWEST_MEMBERS = 20
"""Exclusive substrings that D and C must each have."""

LARGEST_FIT = 0.5
"""λ_l^fit above which a perfect learner of the rules would pass for a memorizer."""

LARGEST_NOISE = 0.1
"""Of λ_l under the grammar, as a standard error; above it the sample is too small to tell."""


@dataclass(frozen=True)
class PartialMemorization:
    """How many generated nodes of one level carry substrings of the corpus.

    copied, copied_control   share of nodes whose substring occurs in D, in C (maybe in both)
    excess, excess_se        λ_l and its standard error; None where λ_l is undefined
    fit                      λ_l of the perfect rule learner, exact; None without exclusive
                             substrings on both sides, and where there are no rules
    """

    copied: float
    copied_control: float
    excess: float | None
    excess_se: float | None
    fit: float | None


def partial_memorization(found: Substrings, places: NDArray[np.int64]) -> PartialMemorization:
    """λ_l = [c(S_D \\ S_C) - c(S_C \\ S_D)·p_D/p_C] / e_D with the string as cluster.

    c(.) are shares of the generated level-l nodes; places (G, s^l) are where the substring under
    each stands in `found`, -1 for a new one. 1 for a memorizer, w for a mixture of weight w, 0 for
    the grammar. λ_0 is E without strata. Where p_D/p_C is not known, which strings fell on which
    side adds to the error (`side_luck`). (Ours: [Aparicio 2026] reports a statistic λ whose exact
    form is not public.)
    """
    sides = found.sides_at(places)
    copied = float((sides & TRAINING > 0).mean())
    copied_control = float((sides & CONTROL > 0).mean())
    contrast = found.contrast
    if contrast is None:
        return PartialMemorization(copied, copied_control, None, None, None)
    if not is_defined(found, contrast, num_generated=len(sides)):
        return PartialMemorization(copied, copied_control, None, None, contrast.fit)
    of_training = (sides == TRAINING).mean(axis=1)
    of_control = (sides == CONTROL).mean(axis=1)
    per_string = (of_training - contrast.mass_ratio * of_control) / found.exclusive_share
    excess, error = mean_and_error(per_string)
    if contrast.fit is None:
        luck = side_variance(found, places) / found.exclusive_share**2
        error = sqrt(error**2 + max(luck, 0.0))
    return PartialMemorization(copied, copied_control, excess, error, contrast.fit)


def is_defined(found: Substrings, contrast: Contrast, *, num_generated: int) -> bool:
    """Whether λ_l means anything for G generated strings; it is null otherwise.

    Not at l >= L-1, where an exclusive substring is just a rule that the other side lacks; not
    from fewer than 20 exclusive substrings of either side; not where the perfect rule learner
    shows more than 0.5; not where its noise √(p_D(1 + p_D/p_C)/(G·s^l))/e_D is above 0.1.
    """
    if found.level >= found.shape.depth - 1:
        return False
    if min(contrast.num_training, contrast.num_control) < FEWEST_MEMBERS:
        return False
    nodes = num_generated * found.shape.nodes_at(found.level)
    noise = sqrt(contrast.mass_training * (1 + contrast.mass_ratio) / nodes)
    fit = contrast.fit or 0.0
    return fit <= LARGEST_FIT and noise / found.exclusive_share <= LARGEST_NOISE


_EITHER = "where D or C has no exclusive substrings, and of strings without a grammar"

COLUMNS = (
    Column(
        name="copied",
        table="levels",
        meaning="share of generated level-l nodes whose substring occurs in D",
        unit="share",
        range="[0, 1]",
        memorizer="1",
        generated=True,
    ),
    Column(
        name="copied_control",
        table="levels",
        meaning="share of generated level-l nodes whose substring occurs in C",
        unit="share",
        range="[0, 1]",
        generated=True,
    ),
    Column(
        name="exclusive_share",
        table="levels",
        symbol="e_D",
        meaning="share of D’s own level-l nodes whose substring is exclusive, on one side only",
        unit="share",
        range="[0, 1]",
        generated=True,
    ),
    *with_error(
        Column(
            name="partial_memorization",
            table="levels",
            symbol="λ_l",
            meaning="copies of exclusive substrings of level l beyond those of controls",
            formula="[c(S_D∖S_C) - c(S_C∖S_D)·p_D/p_C]/e_D",
            unit="share",
            range="≤ 1/e_D",
            grammar="0",
            memorizer="1",
            null="at l ≥ L-1, where an exclusive substring is just an unseen rule; where an "
            "exclusive set has fewer than 20 members; where λ_l^fit > 0.5; where its noise would "
            "exceed 0.1; of strings without a grammar where N_C ≠ N",
            generated=True,
            curve=Curve(panel="partial"),
        ),
        formula="sd over strings of the same bracket for each alone, over e_D·√G; without a "
        "grammar the variance over which strings fell on which side is added: 2·[Σ a_u a_u′ over "
        "pairs in one control - Σ a_u a_u′ h_u h_u′/N, nearly, over others]/e_D², u and u′ in "
        "S_C∖S_D, a_u the share of nodes that carry u, h_u the controls that hold it",
    ),
    Column(
        name="partial_memorization_fit",
        table="levels",
        symbol="λ_l^fit",
        meaning="λ_l of the grammar refitted to D: what a perfect learner of rules would show",
        unit="share",
        range="≤ 1/e_D",
        null=_EITHER,
        generated=True,
    ),
)
