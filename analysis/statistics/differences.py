"""What differs between two sweeps: cell by cell, paired by seed, and claim by claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import special

from analysis.frames.cells import SIDE, determined, label, varying
from analysis.frames.generated import generated
from analysis.statistics.seeds import CONFIDENCE, Estimate, over_seeds

PARAMETERS = {
    "E": "excess_copies",
    "V": "novel_validity",
    "T_E": "typicality_slope",
    "T_L": "likelihood_slope",
    "A": "relative_slope",
    "position": "position",
    "loss gap": "gap_fraction",
}
"""Symbol -> column of `curves`."""

ALL = "all of them"
"""The name of the only pair of cells."""

COLUMNS = ["pair", "step", "parameter", "first", "second", "mean", "lower", "upper", "seeds"]


def cell_differences(tables: Mapping[str, pd.DataFrame], sides: Sequence[str]) -> pd.DataFrame:
    """Order parameters of cells that two sweeps share, second less first.

    Cells are a pair where all settings agree but those that a side fixes. They are compared at the
    last step at which strings were generated in both. Seeds are paired, as replicas of equal seed
    draw the same grammar and corpus wherever their settings let them: where they do not, the pairs
    are arbitrary and the interval holds all the same.

    Args:
        tables: of `side_by_side`.
        sides: the names of the two.

    Returns:
        `COLUMNS`: means over seeds, and of the differences with a Student t interval.
    """
    trainings = tables["trainings"]
    fields = [name for name in varying(trainings) if not determined(trainings, name, [SIDE])]
    names = [label(fields, row) or ALL for row in trainings[fields].itertuples(index=False)]
    known = trainings[["training", "seed", SIDE]].assign(pair=names)
    rows = generated(tables["curves"])[["training", "step", *PARAMETERS.values()]]
    frame = rows.merge(known, on="training")
    first, second = (frame[frame[SIDE] == side].drop(columns=["training", SIDE]) for side in sides)
    both = first.merge(second, on=["pair", "seed", "step"], suffixes=("_first", "_second"))
    both = both[both["step"] == both.groupby("pair")["step"].transform("max")]
    parts = [_compared(both, name, column) for name, column in PARAMETERS.items()]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _compared(both: pd.DataFrame, name: str, column: str) -> pd.DataFrame:
    ends = both[["pair", "step"]].assign(
        first=both[f"{column}_first"].astype(float), second=both[f"{column}_second"].astype(float)
    )
    ends["value"] = ends["second"] - ends["first"]
    ends = ends.dropna(subset="value")
    means = ends.groupby(["pair", "step"], sort=False)[["first", "second"]].mean().reset_index()
    spread = over_seeds(ends, by=["pair", "step"])
    return means.merge(spread, on=["pair", "step"]).assign(parameter=name)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Second less first of two estimates that share no seed, with Welch's interval.

    Undefined where one of them is; without an interval where one has none.
    """
    if first.mean is None or second.mean is None:
        return Estimate(None, None, None, 0)
    mean, seeds = second.mean - first.mean, min(first.seeds, second.seeds)
    errors = [_error(one) for one in (first, second)]
    if errors[0] is None or errors[1] is None:
        return Estimate(mean, None, None, seeds)
    squares = np.square(np.array(errors, dtype=float))
    whole = float(squares.sum())
    if whole == 0:
        return Estimate(mean, mean, mean, seeds)
    free = whole**2 / float((squares**2 / np.array([first.seeds - 1, second.seeds - 1])).sum())
    half = float(special.stdtrit(free, (1 + CONFIDENCE) / 2)) * whole**0.5
    return Estimate(mean, mean - half, mean + half, seeds)


def _error(one: Estimate) -> float | None:
    """The standard error behind a Student t interval."""
    if one.lower is None or one.upper is None or one.seeds < 2:
        return None
    quantile = float(special.stdtrit(one.seeds - 1, (1 + CONFIDENCE) / 2))
    return (one.upper - one.lower) / 2 / quantile
