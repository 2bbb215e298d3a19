"""How much later one onset comes than another one of the same training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.statistics.onsets import NONE, UNDEFINED, VALIDITY, first_crossings, onsets

NO_CURVE = "an onset has no curve"
UNDECIDED = "both onsets lie beyond the same end of what was measured"
ONE_LEVEL = "one level of rules has no order"


def lags(later: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """log(step of one onset) - log(step of another), row by row.

    Where an onset is censored the lag is known to lie beyond a bound. If that bound already tells
    which of the two comes first, it stands for the lag: it errs towards zero, whichever the sign.
    Otherwise the lag is left out.

    Args:
        later, earlier: the columns of `first_crossings`, with equal indices.

    Returns:
        `lag` in nats, missing where it is left out; `bound`, whether it is a bound; `left_out`
        (why, or missing).
    """
    low, high = _log_bounds(later)
    before_low, before_high = _log_bounds(earlier)
    least, most = low - before_high, high - before_low
    lag = least.where((least > 0) | (least == most), most.where(most < 0))
    curves = (later["censoring"] != UNDEFINED) & (earlier["censoring"] != UNDEFINED)
    lag = lag.where(curves)
    left_out = np.select([~curves, lag.isna()], [NO_CURVE, UNDECIDED], default="")
    return pd.DataFrame(
        {
            "lag": lag,
            "bound": lag.notna() & (least < most),
            "left_out": pd.Series(left_out, index=lag.index, dtype=object).replace("", None),
        }
    )


def gap_lags(tables: Mapping[str, pd.DataFrame], threshold: float) -> pd.DataFrame:
    """How long after the gap fraction E reaches the same threshold, per training.

    Returns:
        `training`, `cell`, `seed` and the columns of `lags`.
    """
    curves = tables["curves"]
    copies, gap = (
        first_crossings(curves, by=["training"], value=value, threshold=threshold).set_index(
            "training"
        )
        for value in ("excess_copies", "gap_fraction")
    )
    found = lags(copies, gap.loc[copies.index])
    trainings = tables["trainings"][["training", "cell", "seed"]]
    frame = trainings.join(found, on="training")
    frame.loc[~frame["training"].isin(found.index), "left_out"] = NO_CURVE
    return frame.assign(bound=frame["bound"].eq(True))


def level_lags(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How long after the next deeper level the rules of a level are learned, per training.

    Returns:
        One row per (training, level l < L-1): `training`, `cell`, `seed`, `level` and the columns
        of `lags`, between the validity onsets of levels l and l+1; one row without a level for
        trainings that have a single level of rules.
    """
    found = onsets(tables, only=[VALIDITY]).astype({"level": int})
    deeper = found.assign(level=found["level"] - 1)
    pairs = found.merge(deeper, on=["training", "level"], suffixes=("", "_deeper"))
    names = ("censoring", "step", "after", "by")
    earlier = pd.DataFrame({name: pairs[f"{name}_deeper"] for name in names})
    frame = pairs[["training", "cell", "seed", "level"]].join(lags(pairs, earlier))
    trainings = tables["trainings"][["training", "cell", "seed"]]
    others = trainings[~trainings["training"].isin(frame["training"])]
    alone = others.assign(level=None, lag=np.nan, bound=False, left_out=ONE_LEVEL)
    parts = [part.astype({"level": "Int64"}) for part in (frame, alone) if len(part)]
    return pd.concat(parts, ignore_index=True)


def lag_by_seed(frame: pd.DataFrame) -> pd.Series:
    """The mean lag of each seed over its trainings, of each training over its lags."""
    trainings = frame.groupby(["seed", "training"])["lag"].mean()
    return trainings.groupby("seed").mean().dropna()


def _log_bounds(onset: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Between what the logarithm of each onset lies, in nats; infinite where a side is open."""
    known = onset["censoring"] == NONE
    low = onset["step"].where(known, onset["after"]).astype(float).map(np.log)
    high = onset["step"].where(known, onset["by"]).astype(float).map(np.log)
    return low.fillna(-np.inf), high.fillna(np.inf)
