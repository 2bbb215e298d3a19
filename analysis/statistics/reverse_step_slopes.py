"""How copying grows with the number of reverse steps, the network being the same."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from analysis.frames.generated import generated
from analysis.statistics.matching import alike, reverse_steps
from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.sampler_bias import memorizer_excess

STEPS = "measurement.reverse_steps"

ALONE = "no training differs from it in reverse steps alone"
NOT_COPYING = "E, averaged over reverse steps, never reaches the threshold of copying"


def by_reverse_steps(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """E of trainings that differ in reverse steps alone, at steps at which all generated.

    Returns:
        `training`, `cell`, `seed`, `group`, `step`, `reverse_steps`, `excess_copies` (E) and
        `relative` (E over that of an exact empirical-Bayes denoiser with as many reverse steps).
    """
    trainings = tables["trainings"]
    frame = trainings[["training", "cell", "seed"]].assign(
        group=alike(trainings, but=[STEPS]), reverse_steps=reverse_steps(trainings)
    )
    several = frame.groupby("group")["reverse_steps"].transform("nunique") > 1
    curves = generated(tables["curves"])[["training", "step", "excess_copies"]]
    points = curves.dropna(subset="excess_copies").merge(frame[several], on="training")
    arms = points["group"].map(frame.groupby("group").size())
    points = points[points.groupby(["group", "step"])["training"].transform("size") == arms]
    memorizer = {steps: memorizer_excess(steps) for steps in points["reverse_steps"].unique()}
    denominator = points["reverse_steps"].map(memorizer).astype(float)
    return points.assign(relative=points["excess_copies"] / denominator)


def reverse_step_slopes(
    tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS
) -> pd.DataFrame:
    """Slopes of E on log2 reverse steps, over the steps at which there are copies.

    A slope is fitted at each step of a group of trainings that differ in reverse steps alone, and
    averaged over the steps with a mean E >= 0.1 over the group. That mean is taken over all numbers
    of reverse steps, so that which steps are chosen does not lean to either side of the slope.

    Returns:
        One row per group: `group`, `cell` (of its first training), `seed`, `trainings`, `steps`,
        `slope` (of E per doubling), `relative_slope` (of `relative`; missing below 6 reverse
        steps), `left_out` (why there is no slope, or missing).
    """
    trainings = tables["trainings"]
    groups = trainings[["cell", "seed"]].assign(group=alike(trainings, but=[STEPS]))
    frame = groups.groupby("group").agg(
        cell=("cell", "first"), seed=("seed", "first"), trainings=("cell", "size")
    )
    points = by_reverse_steps(tables)
    together = points.groupby(["group", "step"])
    points = points[together["excess_copies"].transform("mean") >= at.slope_from]
    keys = [points["group"], points["step"]]
    known = points["relative"].notna().groupby(keys).transform("all")
    octave = points["reverse_steps"].map(math.log2)
    centred = octave - octave.groupby(keys).transform("mean")
    parts = pd.DataFrame(
        {
            "slope": centred * points["excess_copies"],
            "relative_slope": (centred * points["relative"]).where(known),
            "spread": centred**2,
        }
    )
    sums = parts.groupby(keys).sum(min_count=1)
    slopes = sums[["slope", "relative_slope"]].div(sums["spread"], axis=0).groupby("group")
    frame = frame.join(slopes.mean()).join(slopes.size().rename("steps"))
    frame["steps"] = frame["steps"].fillna(0).astype(int)
    frame["left_out"] = None
    frame.loc[frame["slope"].isna(), "left_out"] = NOT_COPYING
    different = reverse_steps(trainings).groupby(groups["group"]).nunique()
    frame.loc[different == 1, "left_out"] = ALONE
    return frame.reset_index()
