"""How much better leaves of training strings are recovered than those of unseen ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.frames.tables import Rows, columns_of, in_parts
from analysis.statistics.matching import alike
from analysis.statistics.slopes import ALONE, SIZE, alone, labels

MEDIUM = (1, 2, 3, 4)
"""The noise windows at whose middle a tenth to nine tenths of the leaves are kept.

The schedule is a function of t/T alone, so that holds for every T. In the window before, so few
leaves are redrawn (3 %) that their share hardly has a denominator; in those after it so few are
kept that there is nothing to recover others from, and both sides are guessed alike.
"""

RECOVERY = ["window", "training_recovery", "heldout_recovery"]
"""The columns of `noise` that are looked at, beside training and step."""

UNMEASURED = "recovery is undefined at medium noise"
NO_STEP = "no step is measured by all corpus sizes that it is compared with"
TOO_EARLY = "the epochs of the largest corpus lie before its first measured step"


def recovery_gaps(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Recovery of training less that of control strings, at equal steps and at equal epochs.

    Trainings of a seed that differ in N alone are compared: at equal steps, the last one that all
    of them measured; at equal epochs, those e = step·batch/N that the largest corpus has behind it
    at its last step, between measured steps linearly in log step.

    Returns:
        One row per training: `training`, `cell`, `seed`, `group` (number), `row` (its name), `x`
        (log N), `at_steps`, `at_epochs` (gaps, missing where undefined), `step_at_steps`,
        `step_at_epochs` and `left_out`, `left_out_at_epochs` (why, or missing).
    """
    trainings = tables["trainings"]
    frame = trainings[["training", "cell", "seed"]].assign(
        group=alike(trainings, but=SIZE),
        row=labels(trainings, but=SIZE),
        x=np.log(trainings["corpus.size"].astype(float)),
        batch=trainings["training.batch_size"].astype(float),
    )
    medium = Rows(where={"window": MEDIUM})
    curve = in_parts(tables, lambda part: gaps_by_step(columns_of(part, "noise", RECOVERY, medium)))
    curve = curve.merge(frame[["training", "group"]], on="training")
    steps = _last_common(curve).rename("step_at_steps")
    frame = frame.join(steps, on="group")
    same = curve.set_index(["training", "step"])["gap"]
    wanted = pd.MultiIndex.from_frame(frame[["training", "step_at_steps"]])
    frame["at_steps"] = same.reindex(wanted).to_numpy()
    last = frame["training"].map(curve.groupby("training")["step"].max())
    largest = frame["x"] == frame.groupby("group")["x"].transform("max")
    epochs = (last * frame["batch"] / np.exp(frame["x"])).where(largest)
    epochs = epochs.groupby(frame["group"]).transform("max")
    frame["step_at_epochs"] = epochs * np.exp(frame["x"]) / frame["batch"]
    frame["at_epochs"] = interpolated(curve, frame)
    measured = frame["training"].isin(curve["training"].unique())
    for value, missing, why in (
        ("at_steps", "left_out", NO_STEP),
        ("at_epochs", "left_out_at_epochs", TOO_EARLY),
    ):
        single = alone(frame.assign(y=frame[value]))
        reasons = [~measured, frame[value].isna(), single]
        chosen = np.select(reasons, [UNMEASURED, why, ALONE], default="")
        frame[missing] = pd.Series(chosen, index=frame.index, dtype=object).replace("", None)
    return frame.drop(columns="batch")


def gaps_by_step(noise: pd.DataFrame) -> pd.DataFrame:
    """The mean gap over the windows of medium noise, all of which must be defined.

    Returns:
        `training`, `step`, `gap`, in order; without the steps that have none.
    """
    medium = noise[noise["window"].isin(MEDIUM)]
    gap = medium["training_recovery"] - medium["heldout_recovery"]
    groups = medium[["training", "step"]].assign(gap=gap).groupby(["training", "step"])["gap"]
    means = groups.mean()[groups.count() == len(MEDIUM)]
    return means.reset_index()


def interpolated(curve: pd.DataFrame, wanted: pd.DataFrame) -> np.ndarray:
    """The gap of each training at a step of its own, linearly in log step; NaN outside.

    Args:
        curve: from `gaps_by_step`.
        wanted: `training` and `step_at_epochs`, a row per training.
    """
    points = curve.merge(wanted[["training", "step_at_epochs"]], on="training")
    log_step, target = np.log(points["step"]), np.log(points["step_at_epochs"])
    near = np.isclose(log_step, target)  # a training's own last step comes back rounded
    points = points.assign(log_step=log_step, target=target)
    below = points[(log_step <= target) | near].drop_duplicates("training", keep="last")
    above = points[(log_step >= target) | near].drop_duplicates("training")
    ends = below.merge(above, on="training", suffixes=("", "_above"))
    width = (ends["log_step_above"] - ends["log_step"]).where(lambda w: w > 0)
    share = ((ends["target"] - ends["log_step"]) / width).fillna(0.0)
    gap = ends["gap"] + share * (ends["gap_above"] - ends["gap"])
    return wanted["training"].map(pd.Series(gap.to_numpy(), ends["training"])).to_numpy(float)


def _last_common(curve: pd.DataFrame) -> pd.Series:
    """By group the last step that all of its trainings have."""
    count = curve.groupby(["group", "step"])["training"].nunique()
    whole = curve.groupby("group")["training"].nunique()
    common = count[count == whole.reindex(count.index, level="group")]
    return common.reset_index().groupby("group")["step"].max()
