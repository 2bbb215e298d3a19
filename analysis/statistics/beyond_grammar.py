"""The typicality slopes of trainings by what was trained: network, noise process, strings."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.statistics.typicality_slopes import typicality_slopes

OWN = "strings"
"""The source whose strings are told by their file."""

SLOPES = {"typicality_slope": "T_E", "likelihood_slope": "T_L"}


def combination(trainings: pd.DataFrame) -> pd.Series:
    """Network, process and source of each training in words, as `unet · uniform · words`."""
    source = trainings["corpus.source"].astype(str)
    if "corpus.path" in trainings:
        source = trainings["corpus.path"].where(source == OWN, source)
    parts = [trainings["network.kind"].astype(str), trainings["diffusion.process"].astype(str)]
    return parts[0] + " · " + parts[1] + " · " + source.astype(str)


def slopes_by_combination(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`typicality_slopes` with the `combination` of every training."""
    slopes = typicality_slopes(tables)
    trainings = tables["trainings"]
    named = pd.Series(combination(trainings).to_numpy(), index=trainings["training"])
    return slopes.assign(combination=slopes["training"].map(named))
