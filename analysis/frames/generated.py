"""What needs generated strings, and the steps at which there are any.

Likelihoods are measured more often than strings are generated; in between, whatever generated
strings decide is undefined, which is no gap in its curve.
"""

from __future__ import annotations

import pandas as pd

BY_LIKELIHOOD = frozenset(
    {
        "batch_loss",
        "training_loss",
        "heldout_loss",
        "memorizer_loss",
        "gap_fraction",
        "position",
        "off_line",
        "memorized_excess",
        "likelihood_slope",
    }
)
"""The drawn columns of `curves`, `levels` and `typicality` that need no generated string."""


def generated(curves: pd.DataFrame) -> pd.DataFrame:
    """The rows of `curves` at whose step strings were generated."""
    return curves[curves["copy_fraction"].notna()]


def at_generated_steps(table: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The rows of any table at whose step strings were generated."""
    steps = generated(curves)[["training", "step"]]
    return table.merge(steps, on=["training", "step"])
