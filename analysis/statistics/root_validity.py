"""How well the top rules are known when memorization sets in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.statistics.matching import alike
from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.sample_complexity import enough_strings
from analysis.statistics.slopes import ALONE, SIZE, alone, labels
from analysis.statistics.uncopied_validity import uncopied_validity

MEMORIZES = "memorizes at its first measured step already"
UNDEFINED = "too few of its strings are no copies and have all level-1 nodes right"


def before_memorizing(
    tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS
) -> pd.DataFrame:
    """Conditional root validity of non-copied strings at the last step with E < 0.1.

    Where copying never sets in, that is the last step with generated strings.

    Returns:
        One row per training: `training`, `cell`, `seed`, `group` (number of those that differ in N
        alone), `row` (its name), `x` (ln of N over N*_0), `y` (the validity, missing where
        undefined), `step` and `left_out` (why, or missing).
    """
    trainings = tables["trainings"]
    frame = trainings[["training", "cell", "seed"]].assign(
        group=alike(trainings, but=SIZE),
        row=labels(trainings, but=SIZE),
        x=np.log(trainings["corpus.size"].astype(float) / enough_strings(trainings, 0)),
    )
    curves = tables["curves"]
    before = curves[curves["excess_copies"] < at.slope_from]
    frame["step"] = frame["training"].map(before.groupby("training")["step"].max())
    known = uncopied_validity(tables)
    root = known[known["level"] == 0].set_index(["training", "step"])["uncopied"]
    wanted = pd.MultiIndex.from_frame(frame[["training", "step"]])
    frame["y"] = root.reindex(wanted).to_numpy()
    reasons = [frame["step"].isna(), frame["y"].isna(), alone(frame)]
    chosen = np.select(reasons, [MEMORIZES, UNDEFINED, ALONE], default="")
    frame["left_out"] = pd.Series(chosen, index=frame.index, dtype=object).replace("", None)
    return frame
