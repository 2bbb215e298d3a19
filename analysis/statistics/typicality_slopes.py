"""The typicality slopes of every training while copying sets in."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.statistics.regimes import THRESHOLDS, Thresholds

TOO_SMALL = "a perfect learner of the rules would look like a memorizer"
UNKNOWN = "what a perfect learner of the rules would show is undefined"
OUTSIDE = "no measured step in the window of E"
UNDEFINED = "T_E is undefined, all strings lie in one stratum"
UNPAIRED = "T_L is undefined, strata are too few or have too few controls"

SLOPES = ["typicality_slope", "relative_slope", "likelihood_slope"]


def typicality_slopes(
    tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS
) -> pd.DataFrame:
    """Mean T_E, A, T_L of every training over its steps with 0.1 <= E <= 0.7, or why it has none.

    Returns:
        One row per training: `training`, `cell`, `seed`, `steps` (in the window),
        `typicality_slope` (mean T_E over them), `relative_slope` (mean A), `likelihood_slope`
        (mean T_L), `left_out` (why there is no T_E, or missing). Trainings with excess_fit > 0.05
        are left out.
    """
    curves = tables["curves"]
    inside = curves[curves["excess_copies"].between(at.slope_from, at.slope_to)]
    window = inside[inside["typicality_slope"].notna()].groupby("training")
    means = window[SLOPES].mean()
    means["steps"] = window.size()
    frame = tables["trainings"][["training", "cell", "seed"]].merge(
        means.reset_index(), on="training", how="left"
    )
    frame["steps"] = frame["steps"].fillna(0).astype(int)
    learner = frame["training"].map(curves.groupby("training")["excess_fit"].max())
    frame["left_out"] = None
    entered = frame["training"].isin(inside["training"])
    frame.loc[frame["steps"] == 0, "left_out"] = UNDEFINED
    frame.loc[~entered, "left_out"] = OUTSIDE
    frame.loc[learner.isna() & (frame["steps"] > 0), "left_out"] = UNKNOWN
    frame.loc[learner > at.learner_excess, "left_out"] = TOO_SMALL
    frame.loc[frame["left_out"].notna(), SLOPES] = None
    return frame


def with_both(slopes: pd.DataFrame) -> pd.DataFrame:
    """The same with those left out as well that have a T_E but no T_L."""
    unpaired = slopes["left_out"].isna() & slopes["likelihood_slope"].isna()
    return slopes.assign(left_out=slopes["left_out"].where(~unpaired, UNPAIRED))


def slope_over_seeds(slopes: pd.DataFrame, column: str) -> list[float]:
    """One value per seed: the mean over its cells, of the trainings that are not left out."""
    tested = slopes[slopes["left_out"].isna()]
    return tested.groupby("seed")[column].mean().tolist()


def window_of(at: Thresholds = THRESHOLDS) -> str:
    """The steps over which slopes are averaged, in words."""
    return f"{at.slope_from:g} ≤ E ≤ {at.slope_to:g}"


def untested(at: Thresholds = THRESHOLDS) -> str:
    """What it takes for a training to have a slope."""
    return (
        f"trainings that pass through {window_of(at)} at a measured step, on corpora with "
        f"excess_fit ≤ {at.learner_excess:g} large enough for several strata: train longer, "
        "measure more often, or change the corpus size"
    )
