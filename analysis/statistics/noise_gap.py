"""At which noise levels training strings have the smaller loss when copying sets in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.frames.generated import generated
from analysis.frames.tables import Rows, columns_of
from analysis.statistics.regimes import THRESHOLDS, Thresholds

NOT_COPYING = "E never reaches the threshold of copying"
NO_WINDOWS = "a noise window has no loss"

WINDOWS = 10
"""Equal parts of t = 1 … T in the table `noise`."""

GAPS = [f"gap_{window}" for window in range(WINDOWS)]


def noise_gaps(tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS) -> pd.DataFrame:
    """Held-out minus train loss in every noise window, at the first measured step with E >= 0.1.

    A loss of the table `noise` is that of one reverse step, averaged over the steps of its window,
    hence per unit of t; nats per leaf. Of strings of both sides the exact grammar would lose as
    much on average, D and C being exchangeable; its own loss by window is not stored, so the luck
    of which strings fell on which side stays in the gap, as noise that no expectation contains.

    Returns:
        One row per training: `training`, `cell`, `seed`, `step`, `gap_0` … `gap_9`, `left_out`
        (why there are no gaps, or missing).
    """
    curves = generated(tables["curves"])
    copying = curves[curves["excess_copies"] >= at.slope_from].sort_values("step")
    first = copying.drop_duplicates("training").set_index("training")["step"]
    frame = tables["trainings"][["training", "cell", "seed"]].copy()
    frame["step"] = frame["training"].map(first)
    noise = columns_of(tables, "noise", ["window", "training_loss", "heldout_loss"], Rows(at=first))
    gap = noise.assign(gap=noise["heldout_loss"] - noise["training_loss"])
    wide = gap.pivot_table("gap", index="training", columns="window").reindex(
        index=frame["training"], columns=range(WINDOWS)
    )
    frame[GAPS] = wide.to_numpy(dtype=float)
    frame["left_out"] = None
    frame.loc[frame[GAPS].isna().any(axis=1), "left_out"] = NO_WINDOWS
    frame.loc[frame["step"].isna(), "left_out"] = NOT_COPYING
    return frame


def gaps_by_seed(gaps: pd.DataFrame) -> pd.DataFrame:
    """One row per seed: the mean over its cells, of the trainings that are not left out."""
    return gaps[gaps["left_out"].isna()].groupby("seed")[GAPS].mean()


def over_ends(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S, 8) gaps of the windows inside, less the mean of those of the first and last.

    Args:
        profiles: (S, 10), one row per seed.
    """
    ends = (profiles[:, 0] + profiles[:, -1]) / 2
    return profiles[:, 1:-1] - ends[:, None]
