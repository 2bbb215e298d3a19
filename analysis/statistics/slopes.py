"""Slopes on a setting, seed by seed, among trainings that differ in nothing else."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from analysis.frames.cells import EXTENT, distinguishing, row_labels

SIZE = ("corpus.size", "corpus.control_size", EXTENT)
"""What may differ between trainings that are compared over N: controls are never trained on."""

ALONE = "nothing that it is compared with differs in N alone"

EVERY = "all of them"
"""The name of the only group."""


def slopes(points: pd.DataFrame, *, by: Collection[str] = ()) -> pd.Series:
    """The least-squares slope of each seed, one intercept per group.

    slope = Σ(x - x̄_g)(y - ȳ_g)/Σ(x - x̄_g)², x̄_g and ȳ_g the means of group g; so what differs
    between groups takes no part, and a group with a single x none at all.

    Args:
        points: `seed`, `group`, `x`, `y`, and `by`; a group lies within one seed. Rows with a
            missing y take no part.
        by: columns that tell further slopes of a seed apart.

    Returns:
        slope by `seed` (and `by`), without those that have none.
    """
    known = points.dropna(subset=["x", "y"])
    middle = known.groupby("group")[["x", "y"]].transform("mean")
    x, y = known["x"] - middle["x"], known["y"] - middle["y"]
    products = known[["seed", *by]].assign(xy=x * y, xx=x * x)
    sums = products.groupby(["seed", *by], sort=False)[["xy", "xx"]].sum()
    sums = sums[sums["xx"] > np.finfo(float).eps]
    return sums["xy"] / sums["xx"]


def alone(points: pd.DataFrame) -> pd.Series:
    """Whether the group of a point has a single x among the points that have a y."""
    known = points["x"].where(points["y"].notna())
    return known.groupby(points["group"]).transform("nunique") < 2


def labels(trainings: pd.DataFrame, *, but: Collection[str]) -> pd.Series:
    """What trainings that differ in some settings alone are called: by what else varies."""
    others = [name for name in distinguishing(trainings) if name not in but]
    named = [name or EVERY for name in row_labels(trainings, others)]
    return pd.Series(named, index=trainings.index, dtype=object)
