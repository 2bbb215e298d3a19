"""How an onset depends on a setting, within cells that differ in nothing else.

Cells with all other settings equal make a group. Within a seed the groups share one slope and each
has its own intercept, so that what else differs between groups, or between seeds, takes no part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.frames.cells import determined, row_labels, title, varying
from analysis.frames.wording import counted
from analysis.statistics.censored import Onsets, fit, identified, slope_over_seeds
from analysis.statistics.onsets import NONE, UNDEFINED, onsets
from analysis.statistics.regimes import THRESHOLDS
from analysis.statistics.seeds import Estimate
from analysis.statistics.typicality_slopes import TOO_SMALL, UNKNOWN

NO_ONSET = "the onset has no curve"
BEYOND = "both onsets lie beyond what was measured"
NONE_KNOWN = "no onset is known among the cells of their seed that they are compared with"

WHOLE = "all cells"
"""The name of the only group."""

LINES = ["group", "x", "y"]


@dataclass(frozen=True)
class OnsetSlope:
    """The slope of log τ, or of the logarithm of a ratio of two onsets, on a setting.

    Attributes:
        estimate: in nats per unit of `x`, over seeds.
        frame: one row per training: `training`, `cell`, `seed`, `group` (what its cells share), `x`
            (the covariate), `low`, `high` (bounds of the logarithm in nats, equal where it is
            known, ±∞ where it is open), `left_out` (why, or missing).
        lines: per group its fitted line: `group`, `x`, `y` at both ends.
    """

    estimate: Estimate
    frame: pd.DataFrame
    lines: pd.DataFrame

    @property
    def tested(self) -> pd.DataFrame:
        """The trainings that the slope rests on."""
        return self.frame[self.frame["left_out"].isna()]

    @property
    def how(self) -> str:
        """How many onsets are censored, and what was done about it."""
        censored = int((self.tested["low"] < self.tested["high"]).sum())
        if not censored:
            return "no onset censored"
        done = "too few known for a slope" if self.estimate.mean is None else "seeds jackknifed"
        return f"{censored:,} of {counted(len(self.tested), 'onset')} censored, {done}"


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """An onset, or a ratio of two, and the setting that it is put against.

    Attributes:
        onset: its name in the table of onsets.
        since: another one, where the ratio of both is meant.
        field: the setting.
        scale: setting -> covariate: its logarithm, or itself.
        learner: leave out trainings on which a perfect learner of the rules would look like a
            memorizer.
    """

    onset: str
    since: str | None = None
    field: str
    scale: Callable[[pd.Series], pd.Series] = np.log
    learner: bool = False

    def slope(self, tables: Mapping[str, pd.DataFrame]) -> OnsetSlope:
        """The slope on a sweep; without an estimate where nothing varies in the setting alone."""
        return fitted(self.frame(tables))

    def frame(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """What the slope rests on, see `OnsetSlope`, without fitting it."""
        trainings = tables["trainings"]
        covariate = self.scale(trainings[self.field].astype(float))
        group = equal_but(trainings, [self.field])
        alone = f"no other cell differs in {title(self.field)} alone"
        left_out = learners(tables) if self.learner else None
        bounds = log_onsets(tables, self.onset, self.since)
        return onset_frame(trainings, bounds, covariate, group, alone=alone, left_out=left_out)


def log_onsets(
    tables: Mapping[str, pd.DataFrame], name: str, since: str | None = None
) -> pd.DataFrame:
    """Bounds of log τ, or of the logarithm of τ over an earlier onset, by training.

    Returns:
        `low` and `high` in nats: equal where it is known, infinite where a side is open, missing
        where an onset has no curve.
    """
    found = onsets(tables, only=[name] if since is None else [name, since])
    bounds = _bounds(found[found["onset"] == name])
    if since is None:
        return bounds
    before = _bounds(found[found["onset"] == since]).reindex(bounds.index)
    ratio = {"low": bounds["low"] - before["high"], "high": bounds["high"] - before["low"]}
    return pd.DataFrame(ratio)


def equal_but(trainings: pd.DataFrame, fields: Collection[str]) -> pd.Series:
    """What the cells of each training share that differ in nothing but some fields.

    Fields that merely follow another one do not count, nor do Zipf exponents that follow depth
    where depth is what differs.

    Returns:
        A label of the settings that vary otherwise.
    """
    others = [name for name in varying(trainings) if name not in fields]
    plain = [name for name in others if not name.startswith("grammar.zipf.")]
    leaders = [*plain, "grammar.depth"] if "grammar.depth" in fields else plain
    tails = [name for name in others if name not in plain]
    others = [*plain, *(name for name in tails if not determined(trainings, name, leaders))]
    labels = [name or WHOLE for name in row_labels(trainings, others)]
    return pd.Series(labels, index=trainings.index, dtype=object)


def learners(tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Why a training's copies say nothing of memorization, by training; missing where they do."""
    fitted = tables["curves"].groupby("training")["excess_fit"].max()
    reason = pd.Series(None, index=fitted.index, dtype=object)
    reason[fitted.isna()] = UNKNOWN
    reason[fitted > THRESHOLDS.learner_excess] = TOO_SMALL
    return reason


def onset_frame(
    trainings: pd.DataFrame,
    bounds: pd.DataFrame,
    covariate: pd.Series,
    group: pd.Series,
    *,
    alone: str,
    left_out: pd.Series | None = None,
) -> pd.DataFrame:
    """The trainings of a slope of logarithms of onsets on a covariate within groups.

    Args:
        trainings: `training`, `cell`, `seed`.
        bounds: `low`, `high` by training, from `log_onsets`.
        covariate, group: a row per training; missing where it takes no part.
        alone: why a training is left out whose group has one value of the covariate.
        left_out: other reasons by training.
    """
    frame = trainings[["training", "cell", "seed"]].assign(group=group, x=covariate)
    frame = frame.join(bounds, on="training")
    frame["left_out"] = None
    _leave_out(frame, frame["x"].isna() | frame["group"].isna() | _single(frame), alone)
    if left_out is not None:
        reason = frame["training"].map(left_out)
        frame["left_out"] = frame["left_out"].where(frame["left_out"].notna(), reason)
    _leave_out(frame, frame["low"].isna() | frame["high"].isna(), NO_ONSET)
    _leave_out(frame, frame["low"].eq(-np.inf) & frame["high"].eq(np.inf), BEYOND)
    _leave_out(frame, nothing_known(frame), NONE_KNOWN)
    frame["left_out"] = frame["left_out"].where(frame["left_out"].notna(), None)
    return frame


def fitted(frame: pd.DataFrame) -> OnsetSlope:
    """The slope that a frame of `onset_frame` has."""
    tested = frame[frame["left_out"].isna()]
    if tested.empty:
        nothing = Estimate(None, None, None, 0)
        return OnsetSlope(nothing, frame, pd.DataFrame(columns=LINES))
    data = as_onsets(tested)
    estimate = slope_over_seeds(data, tested["seed"].to_numpy())
    return OnsetSlope(estimate, frame, _lines(tested, data, estimate))


def _bounds(onset: pd.DataFrame) -> pd.DataFrame:
    """Bounds of log τ by training."""
    known, curve = onset["censoring"] == NONE, onset["censoring"] != UNDEFINED
    low = onset["step"].where(known, onset["after"]).map(np.log)
    high = onset["step"].where(known, onset["by"]).map(np.log)
    frame = pd.DataFrame(
        {
            "training": onset["training"],
            "low": low.where(low.notna() | ~curve, -np.inf),
            "high": high.where(high.notna() | ~curve, np.inf),
        }
    )
    return frame.set_index("training")


def _leave_out(frame: pd.DataFrame, rows: pd.Series, why: str) -> None:
    frame.loc[rows & frame["left_out"].isna(), "left_out"] = why


def _single(frame: pd.DataFrame) -> pd.Series:
    """Whether a seed has one value of the covariate in a training's group."""
    return frame.groupby(["group", "seed"])["x"].transform("nunique") < 2


def nothing_known(frame: pd.DataFrame) -> pd.Series:
    """Whether a seed of a group, of its trainings still in, has no known onset or one covariate."""
    inside = frame[frame["left_out"].isna()]
    known = inside.assign(known=inside["low"] == inside["high"])
    blocks = known.groupby(["group", "seed"])
    told = blocks["known"].transform("any") & (blocks["x"].transform("nunique") > 1)
    return ~told.astype(bool).reindex(frame.index, fill_value=False)


def as_onsets(tested: pd.DataFrame) -> Onsets:
    """Trainings in the terms of the fit: a block for every seed of a group."""
    return Onsets(
        tested["low"].to_numpy(),
        tested["high"].to_numpy(),
        tested.groupby(["group", "seed"]).ngroup().to_numpy(),
        tested[["x"]].to_numpy(dtype=float),
    )


def _lines(tested: pd.DataFrame, data: Onsets, estimate: Estimate) -> pd.DataFrame:
    """Through each group's middle, all with the slope of the estimate."""
    if estimate.mean is None:
        return pd.DataFrame(columns=LINES)
    if identified(data):
        found = fit(data)
        height = found.intercepts[data.block] + data.covariates @ found.slopes
    else:
        height = np.where(data.known, data.low, np.nan)
    middle = tested.assign(y=height).dropna(subset="y").groupby("group")[["x", "y"]].mean()
    ends = tested.groupby("group")["x"].agg(["min", "max"])
    parts = [
        pd.DataFrame({"x": ends[end], "y": middle["y"] + estimate.mean * (ends[end] - middle["x"])})
        for end in ("min", "max")
    ]
    return pd.concat(parts).reset_index().sort_values(["group", "x"], ignore_index=True)[LINES]
