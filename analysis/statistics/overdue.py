"""Trainings whose memorization is overdue by what smaller corpora foretell.

The onsets at smaller N are fitted as everywhere, log τ_mem on log N with an intercept for every
seed of cells that differ in N alone; where the fit foretells an onset well within a training's
steps, the training either shows it or waits for what does not come.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special

from analysis.statistics.censored import fit, identified
from analysis.statistics.onset_slopes import Dependence, as_onsets, nothing_known
from analysis.statistics.onsets import MEMORIZATION

SURE = 0.05
"""Probability of an onset beyond the last step below which the onset is foretold."""

FIRST = "too few onsets are known on smaller corpora"
LATE = "memorization is not foretold before the last step"

FORETOLD = ["predicted", "spread", "freedom"]


def overdue(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every training with the onset that smaller corpora foretell, and whether it still waits.

    P(τ_mem > last step) is of the Student t law of a new observation around the fitted line.

    Returns:
        One row per training: `training`, `cell`, `seed`, `group`, `x` (log N), `low`, `high`
        (bounds of log τ_mem), `last` (log of its last step with E), `predicted` (log τ_mem),
        `probability` (of an onset beyond `last`), `waiting` (the onset has not come), `left_out`
        (why nothing is foretold, or missing).
    """
    frame = Dependence(onset=MEMORIZATION, field="corpus.size").frame(tables)
    curves = tables["curves"].dropna(subset="excess_copies")
    last = curves.groupby("training")["step"].max().astype(float).map(np.log)
    frame = frame.assign(last=frame["training"].map(last), waiting=frame["high"] == np.inf)
    usable = frame[frame["low"].notna() & frame["group"].notna()].assign(left_out=None)
    parts = [_foretold(usable, size) for size in sorted(usable["x"].unique())[2:]]
    rows = pd.DataFrame(columns=FORETOLD) if not parts else pd.concat(parts)
    frame = frame.join(rows.astype(float))
    beyond = (frame["last"] - frame["predicted"]) / frame["spread"]
    frame["probability"] = 1 - special.stdtr(frame["freedom"], beyond)
    frame["left_out"] = np.select(
        [frame["probability"].isna(), frame["probability"] >= SURE], [FIRST, LATE], default=""
    )
    frame["left_out"] = frame["left_out"].where(frame["left_out"] != "", None)
    return frame.drop(columns=["spread", "freedom"])


def _foretold(usable: pd.DataFrame, size: float) -> pd.DataFrame:
    """Predicted log τ_mem at one N, its standard error and degrees of freedom, by row."""
    smaller = usable[usable["x"] < size]
    smaller = smaller[~nothing_known(smaller)]
    if smaller.empty or not identified(data := as_onsets(smaller)):
        return pd.DataFrame(columns=FORETOLD)
    found = fit(data)
    known = smaller["low"] == smaller["high"]
    blocks = smaller.assign(intercept=found.intercepts[data.block], known=smaller["x"].where(known))
    line = blocks.groupby(["group", "seed"]).agg(
        intercept=("intercept", "first"), count=("known", "count"), middle=("known", "mean")
    )
    freedom = int(known.sum()) - len(line) - 1
    # Maximum likelihood divides by the number of onsets, not by the degrees of freedom.
    unbiased = int(known.sum()) / freedom
    rows = usable[usable["x"] == size].join(line, on=["group", "seed"], how="inner")
    variance = found.sigma**2 * (1 + 1 / rows["count"])
    variance += found.covariance[0, 0] * (size - rows["middle"]) ** 2
    return pd.DataFrame(
        {
            "predicted": rows["intercept"] + found.slopes[0] * size,
            "spread": np.sqrt(unbiased * variance),
            "freedom": float(freedom),
        }
    )
