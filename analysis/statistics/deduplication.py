"""Typicality slopes of deduplicated corpora that use up much of their grammar's strings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.statistics.matching import alike
from analysis.statistics.typicality_slopes import typicality_slopes

NEAR = 0.5
"""Training and control strings together are at least such a share of the grammar's strings.

Below that, a corpus drawn with repetition would hardly repeat a string, and being unique hardly
changes it.
"""

CONTROLS = 0.25
"""Controls are at least so many per training string."""

SPARSE = f"training and control strings are less than {NEAR:g} of the grammar’s strings"
NO_SUPPORT = "its strings have no grammar that could run out of them"
FEW_CONTROLS = "controls are fewer than a quarter of the training strings"


def support(trainings: pd.DataFrame) -> pd.Series:
    """Number of grammatical strings of each training's grammar, n·m^((s^L-1)/(s-1)).

    Missing without a grammar. See [Cagnetta 2024].
    """
    depth, tuple_size, synonyms, classes = (
        trainings[f"grammar.{name}"].astype(float)
        for name in ("depth", "tuple_size", "num_synonyms", "num_classes")
    )
    return classes * synonyms ** ((tuple_size**depth - 1) / (tuple_size - 1))


def deduplicated_slopes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """T_E of every training on a unique corpus near its support, beside that of its i.i.d. twin.

    Returns:
        One row per training on a unique corpus: the columns of `typicality_slopes`, `filled` (share
        of the grammar's strings in D or C, missing without a grammar) and `twin` (T_E of the
        training that differs only in that its strings were drawn with repetition; missing where
        there is none or it has no T_E).
    """
    trainings = tables["trainings"]
    slopes = typicality_slopes(tables)
    size, controls = trainings["corpus.size"], trainings["corpus.control_size"]
    slopes["group"] = alike(trainings, but=["corpus.unique"]).to_numpy()
    slopes["filled"] = ((size + controls) / support(trainings)).to_numpy()
    unique = trainings["corpus.unique"].astype(bool).to_numpy()
    twins = slopes[~unique].groupby("group")["typicality_slope"].mean()
    few = (controls < CONTROLS * size).to_numpy()
    slopes.loc[few, "left_out"] = FEW_CONTROLS
    slopes.loc[slopes["filled"] < NEAR, "left_out"] = SPARSE
    slopes.loc[slopes["filled"].isna(), "left_out"] = NO_SUPPORT
    slopes["twin"] = slopes["group"].map(twins)
    slopes.loc[slopes["left_out"].notna(), ["typicality_slope", "relative_slope", "twin"]] = np.nan
    return slopes[unique].drop(columns="group").reset_index(drop=True)
