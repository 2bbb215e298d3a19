"""Memorization by typicality: whether the strings that are copied are the typical ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.measures.copying import Copies
from study.measures.declared import NO_LAW, Column, Curve, with_error

SMALLEST_EXCESS = 0.1
"""Excess copies below which the relative slope would divide by noise."""


@dataclass(frozen=True)
class TypicalitySlope:
    """Whether memorization favours typical strings, over the strata of a corpus.

    slope, error  T_E = Σ_b z_b·(c_Db - ρ_b·c_Cb) and its standard error: above 0 where typical
                  strings are copied first, 0 for the grammar and for every model that memorizes all
                  strings equally; None where all strings lie in one stratum
    relative      A = T_E/E; None where E < 0.1 too
    """

    slope: float | None
    error: float | None
    relative: float | None


def typicality_slope(copies: Copies) -> TypicalitySlope:
    """T_E and A of a sample."""
    strata = copies.reference.strata
    if len(strata) == 1:
        return TypicalitySlope(None, None, None)
    slope, error = copies.weighted_excess(strata.z)
    excess = copies.excess_copies
    return TypicalitySlope(slope, error, slope / excess if excess >= SMALLEST_EXCESS else None)


def level_slopes(copies: Copies) -> list[tuple[float | None, float | None]]:
    """T_E over strata of each level's part of log p, with its standard error, for l = 0 … L-1.

    Which level's rules make a string be copied: T_{E,l} = Σ_b z_b·(c_Db - ρ_b·c_Cb), where the
    strata group strings by log p_l(x) alone; None at levels of one stratum.
    """
    return [
        (None, None) if strata is None else copies.slope_over(strata)
        for strata in copies.reference.level_strata
    ]


def emission_excess(copies: Copies) -> NDArray[np.float64]:
    """(c_Db - ρ_b·c_Cb) / (n_Db/N) (S,): the share of each stratum of D that is memorized."""
    counted = copies.reference.strata.num_training
    return copies.excess / (counted / counted.sum())


_SLOPE_SE = "as that of E, with z_b² in the sum"

COLUMNS = (
    *with_error(
        Column(
            name="typicality_slope",
            table="curves",
            symbol="T_E",
            meaning="typicality slope by copying, above 0 where typical strings are copied first",
            formula="Σ_b z_b·(c_Db - ρ_b·c_Cb)",
            range="any",
            grammar="0",
            memorizer="0",
            null="where all strings lie in one stratum",
            generated=True,
            curve=Curve(panel="slope", name="T_E", first=True),
        ),
        formula=_SLOPE_SE,
    ),
    Column(
        name="relative_slope",
        table="curves",
        symbol="A",
        meaning="typicality slope of a copy",
        formula="T_E/E",
        range="any",
        memorizer="0",
        null="where E < 0.1, and where all strings lie in one stratum",
        generated=True,
        curve=Curve(panel="slope", name="A = T_E/E"),
    ),
    *with_error(
        Column(
            name="typicality_slope",
            table="levels",
            symbol="T_{E,l}",
            meaning="T_E over strata of level l’s part of log p in place of log p: which level’s "
            "typicality predicts copying",
            range="any",
            grammar="0",
            memorizer="0",
            null=f"where the level’s rules are equally typical, at the leaves, and {NO_LAW}",
            generated=True,
            curve=Curve(panel="level-slope"),
        ),
        formula=_SLOPE_SE,
    ),
    Column(
        name="emission_excess",
        table="typicality",
        meaning="share of the stratum’s training strings that is memorized, by copies: the curve "
        "of memorization by typicality",
        formula="(c_Db - ρ_b·c_Cb)/(n_Db/N)",
        unit="share",
        range="any",
        grammar="0",
        memorizer="1",
        generated=True,
    ),
)
