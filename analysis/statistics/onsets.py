"""Onsets: the step at which something first happens in a training, and what is known if it did not.

An onset is censored when it lies beyond what was measured: `right` when it had not come by the last
measured step, `left` when it had already come by the first. A censored onset is never a number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.frames.tables import columns_of, in_parts, once
from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.series import without_level

MEMORIZATION, PARTIAL, GENERALIZATION = "memorization", "partial memorization", "generalization"
LOSS = "generalization by loss"
VALIDITY = "validity"

NONE, LEFT, RIGHT, UNDEFINED = "none", "left", "right", "undefined"
"""Censoring: the onset is known, came before the first or after the last step, has no curve."""

CROSSING = ["censoring", "step", "after", "by"]

_PARTIAL = ["level", "partial_memorization"]
_VALIDITY = ["level", "chance_validity", "conditional_validity"]


def first_crossings(
    curves: pd.DataFrame, *, by: Sequence[str], value: str, threshold: float
) -> pd.DataFrame:
    """The first step at which each curve, joined straight over log step, reaches a threshold.

    Undefined values are passed over: they widen the bracket and never count as zero.

    Args:
        curves: one row per point, with `step` > 0.
        by: columns that tell curves apart.
        value: the column that reaches the threshold from below.
        threshold: of the value.

    Returns:
        One row per curve: `by` and
        `censoring`: `none` if it crosses between two measured steps, `left` if its first value is
        already there, `right` if no value is, `undefined` if there is no value at all;
        `step`: interpolated linearly in log step, missing unless `censoring` is `none`;
        `after`, `by`: the onset lies in (after, by]; missing where that side is open.
    """
    keys = list(by)
    found = curves[keys].drop_duplicates().set_index(keys)
    points = curves.loc[curves[value].notna(), [*keys, "step", value]].sort_values([*keys, "step"])
    before = points.groupby(keys, dropna=False)[["step", value]].shift()
    points = points.assign(step_before=before["step"], value_before=before[value])
    reached = points[points[value] >= threshold].drop_duplicates(keys).set_index(keys)
    last = points.drop_duplicates(keys, keep="last").set_index(keys)["step"].astype(float)
    share = (threshold - reached["value_before"]) / (reached[value] - reached["value_before"])
    log_before, log_by = np.log(reached["step_before"]), np.log(reached["step"])
    found["step"] = np.exp(log_before + share * (log_by - log_before))
    found["after"] = reached["step_before"].astype(float)
    found["by"] = reached["step"].astype(float)
    never = found["by"].isna()
    found.loc[never, "after"] = last.reindex(found.index[never])
    found["censoring"] = np.select(
        [found["step"].notna(), found["by"].notna(), found["after"].notna()],
        [NONE, LEFT, RIGHT],
        default=UNDEFINED,
    )
    return found[CROSSING].reset_index()


def onsets(
    tables: Mapping[str, pd.DataFrame],
    at: Thresholds = THRESHOLDS,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """Every onset, or some of them by name, of every training with a measurement.

    τ_mem: E = 0.5. τ_partial: λ at the smallest defined level l >= 1 crosses 0.5. τ_gen: V = 0.5,
    and as a second reading the step at which the held-out loss has fallen by 90 % of its fall, from
    the first measured step to its minimum (so far, while the training goes on).
    Validity onset of level l < L: conditional validity at (1 + chance)/2.

    Returns:
        One row per (training, onset, level): `training`, `cell`, `seed`, `onset`, `level` (missing
        for onsets of the whole string), and the columns of `first_crossings`.
    """
    named = [  # many claims ask for the same ones
        once(tables, ("onset", name, at), way).assign(onset=name)
        for name, way in _ways(tables, at).items()
        if only is None or name in only
    ]
    frame = pd.concat([part.astype(_types(part)) for part in named], ignore_index=True)
    frame = frame if "level" in frame else without_level(frame)
    trainings = tables["trainings"][["training", "cell", "seed"]]
    return frame.merge(trainings, on="training")[
        ["training", "cell", "seed", "onset", "level", *CROSSING]
    ]


def _ways(
    tables: Mapping[str, pd.DataFrame], at: Thresholds
) -> dict[str, Callable[[], pd.DataFrame]]:
    """Name of an onset -> what works it out."""
    curves = tables["curves"]
    whole, each = ["training"], ["training", "level"]
    return {
        MEMORIZATION: lambda: first_crossings(
            curves, by=whole, value="excess_copies", threshold=at.memorizing
        ),
        PARTIAL: lambda: in_parts(
            tables,
            lambda part: first_crossings(
                _partial(columns_of(part, "curves", []), columns_of(part, "levels", _PARTIAL)),
                by=each,
                value="partial_memorization",
                threshold=at.partial_onset,
            ),
        ),
        GENERALIZATION: lambda: first_crossings(
            curves, by=whole, value="novel_validity", threshold=at.generalizing
        ),
        LOSS: lambda: first_crossings(
            _fall(curves), by=whole, value="share", threshold=at.loss_fall
        ),
        VALIDITY: lambda: in_parts(
            tables,
            lambda part: first_crossings(
                _validity(columns_of(part, "levels", _VALIDITY)),
                by=each,
                value="share",
                threshold=0.5,
            ),
        ),
    }


def generalization_onset(tables: Mapping[str, pd.DataFrame]) -> str:
    """The onset that tells when a sweep's trainings generalize.

    By V where any of them has one, else by held-out loss: without a grammar V is undefined.
    """
    return GENERALIZATION if tables["curves"]["novel_validity"].notna().any() else LOSS


def _fall(curves: pd.DataFrame) -> pd.DataFrame:
    """How much of its fall the held-out loss has behind it; undefined where it never falls."""
    ordered = curves[["training", "step", "heldout_loss"]].sort_values(["training", "step"])
    losses = ordered.groupby("training")["heldout_loss"]
    first, least = losses.transform("first"), losses.transform("min")
    fall = (first - least).where(first > least)
    return ordered.assign(share=(first - ordered["heldout_loss"]) / fall)


def _types(frame: pd.DataFrame) -> dict[str, str]:
    return {"level": "Int64"} if "level" in frame else {}


def _partial(curves: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """λ at the smallest level >= 1 that is ever defined; one missing row where there is none."""
    columns = ["training", "step", *_PARTIAL]
    defined = levels.loc[(levels["level"] >= 1) & levels["partial_memorization"].notna(), columns]
    smallest = defined.groupby("training")["level"].min()
    chosen = defined[defined["level"] == defined["training"].map(smallest)]
    others = curves[~curves["training"].isin(smallest.index)].drop_duplicates("training")
    missing = others[["training", "step"]].assign(level=None, partial_memorization=np.nan)
    parts = [part[columns].astype({"level": "Int64"}) for part in (chosen, missing) if len(part)]
    return pd.concat(parts)


def _validity(levels: pd.DataFrame) -> pd.DataFrame:
    """How far conditional validity has come from chance to 1: half the way is (1 + chance)/2."""
    inner = levels.loc[levels["chance_validity"] < 1, ["training", "step", *_VALIDITY]]
    chance = inner["chance_validity"]
    return inner.assign(share=(inner["conditional_validity"] - chance) / (1 - chance))


def onsets_by_cell(onset: pd.DataFrame) -> pd.DataFrame:
    """The median onset of each cell over its seeds, with censored seeds kept.

    A median needs no more than the order of the seeds, and a censored seed lies beyond the others,
    so it is known as long as fewer than half of the seeds are censored on a side (geometric mean of
    the two middle ones for an even number). Otherwise it is a bound: `censoring` says on which side
    it is open.

    Returns:
        One row per (cell, onset, level): the columns of `first_crossings`, `seeds` (with a curve)
        and `reached` (of them).
    """
    keys = ["cell", "onset", "level"]
    known = onset["step"].notna()
    least = onset["step"].where(known, onset["after"]).map(np.log)
    most = onset["step"].where(known, onset["by"]).map(np.log)
    curve = onset["censoring"] != UNDEFINED
    frame = onset.assign(
        least=least.where(least.notna() | ~curve, -np.inf),
        most=most.where(most.notna() | ~curve, np.inf),
        curve=curve,
        reached=curve & (onset["censoring"] != RIGHT),
    )
    groups = frame.groupby(keys, sort=False, dropna=False)
    table = groups[["least", "most"]].median()
    table["seeds"], table["reached"] = groups["curve"].sum(), groups["reached"].sum()
    same = table["least"] == table["most"]
    table["step"] = np.exp(table["least"].where(same))
    table["after"] = np.exp(table["least"].where(np.isfinite(table["least"])))
    table["by"] = np.exp(table["most"].where(np.isfinite(table["most"])))
    table["censoring"] = np.select(
        [table["seeds"] == 0, same, table["after"].notna()], [UNDEFINED, NONE, RIGHT], default=LEFT
    )
    return table.reset_index()[[*keys, *CROSSING, "seeds", "reached"]]
