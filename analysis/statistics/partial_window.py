"""Overproduction of the commonest rules between partial memorization and memorization."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.frames.tables import columns_of, in_parts, once
from analysis.statistics.onsets import (
    LEFT,
    MEMORIZATION,
    NONE,
    PARTIAL,
    RIGHT,
    UNDEFINED,
    onsets,
)
from analysis.statistics.overproduction import COLUMNS, at_zipf_levels
from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.typicality_slopes import TOO_SMALL, UNKNOWN

UNIFORM = "all rules are equally probable"
NO_LEVEL = "λ is undefined at every level ≥ 1"
NOT_PARTIAL = "no partial memorization was reached"
NO_STEP = "no measured step lies between τ_partial and τ_mem"

ENOUGH = 2
"""The end of a training is at least so many times τ_mem away from its start."""


def commonest_rule(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Q_l = ln f_gen(1) - ln max(p_l(1), f_D(1)) of the commonest rule of every Zipf level.

    Returns:
        `training`, `step`, `level`, `overproduction` (Q_l), at every step with generated strings;
        missing where the rule was never generated.
    """
    return once(tables, commonest_rule, lambda: in_parts(tables, _commonest_rule))


def _commonest_rule(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rules = at_zipf_levels(columns_of(tables, "rules", COLUMNS))
    first = rules[rules["rank"] == 1]
    expected = first[["training_frequency", "true_frequency"]].max(axis=1)
    ratio = (first["generated"] / expected).where(first["generated"] > 0)
    return first.assign(overproduction=np.log(ratio))[
        ["training", "step", "level", "overproduction"]
    ]


def over_levels(rule: pd.DataFrame) -> pd.DataFrame:
    """Q by training and step: the mean of the Q_l that are defined there."""
    return rule.groupby(["training", "step"])["overproduction"].mean().reset_index()


def windows_by_level(
    tables: Mapping[str, pd.DataFrame], windows: pd.DataFrame, at: Thresholds = THRESHOLDS
) -> pd.DataFrame:
    """Q_l of every training in its window.

    Args:
        tables: of a sweep.
        windows: of the same, from `partial_windows`; trainings left out there have no row.
        at: thresholds of the onsets.

    Returns:
        `cell`, `seed`, `level`, `overproduction` (mean Q_l), a row per training and Zipf level.
    """
    rule = commonest_rule(tables)
    inside = rule[_inside(rule, *_edges(tables, at, pd.Index(rule["training"].unique())))]
    each = inside.groupby(["training", "level"])["overproduction"].mean().reset_index()
    tested = windows.loc[windows["left_out"].isna(), ["training", "cell", "seed"]]
    return tested.merge(each.dropna(), on="training").drop(columns="training")


def _edges(
    tables: Mapping[str, pd.DataFrame], at: Thresholds, trainings: pd.Index
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """τ_partial and τ_mem of trainings, by training."""
    onset = onsets(tables, at, only=[PARTIAL, MEMORIZATION])
    partial, memorized = (
        onset[onset["onset"] == name].set_index("training").reindex(trainings)
        for name in (PARTIAL, MEMORIZATION)
    )
    return partial, memorized


def _inside(rule: pd.DataFrame, begin: pd.DataFrame, close: pd.DataFrame) -> pd.Series:
    """Which rows lie in [τ_partial, τ_mem), open where an onset lies beyond what was measured."""
    start = begin["step"].where(begin["censoring"] != LEFT, 0.0)
    stop = close["step"].where(close["censoring"] != RIGHT, np.inf)
    from_, until = (rule["training"].map(edge).astype(float) for edge in (start, stop))
    return (rule["step"] >= from_) & (rule["step"] < until)


def partial_windows(
    tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS
) -> pd.DataFrame:
    """Q of every training while it memorizes in parts, and how much of it is gone at the end.

    The window is [τ_partial, τ_mem); a censored τ_partial opens it at the first measured step, a
    censored τ_mem leaves it open. The end is the last step with generated strings, if that is at
    least 2 τ_mem. Trainings with excess_fit > 0.05 are left out.

    Returns:
        One row per training: `training`, `cell`, `seed`, `steps` (in the window), `overproduction`
        (mean Q over them), `relaxation` (that less Q at the end; missing where the training does
        not go on so long), `left_out` (why there is no Q, or missing).
    """
    frame = tables["trainings"][["training", "cell", "seed"]].set_index("training")
    begin, close = _edges(tables, at, frame.index)
    rule = over_levels(commonest_rule(tables))
    inside = rule[_inside(rule, begin, close)].dropna(subset="overproduction")
    window = inside.groupby("training")["overproduction"]
    frame["steps"] = window.size().reindex(frame.index).fillna(0).astype(int)
    frame["overproduction"] = window.mean().reindex(frame.index)
    last = rule.sort_values("step").drop_duplicates("training", keep="last").set_index("training")
    memorized = close["step"].where(close["censoring"] == NONE)
    late = last["step"].reindex(frame.index) >= ENOUGH * memorized
    frame["relaxation"] = frame["overproduction"] - last["overproduction"].where(late)
    learner = tables["curves"].groupby("training")["excess_fit"].max().reindex(frame.index)
    reasons = [
        (frame["steps"] == 0, NO_STEP),
        (begin["censoring"] == RIGHT, NOT_PARTIAL),
        (begin["censoring"].fillna(UNDEFINED) == UNDEFINED, NO_LEVEL),
        (~frame.index.isin(rule["training"].unique()), UNIFORM),
        (learner.isna(), UNKNOWN),
        (learner > at.learner_excess, TOO_SMALL),
    ]
    frame["left_out"] = None
    for which, reason in reasons:
        frame.loc[which, "left_out"] = reason
    frame.loc[frame["left_out"].notna(), ["overproduction", "relaxation"]] = None
    return frame.reset_index()
