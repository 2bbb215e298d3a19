"""What needs generated strings, and the steps at which there are any.

Likelihoods are measured more often than strings are generated; in between, whatever generated
strings decide is undefined, which is no gap in its curve. Which columns they decide is declared
with the measurements, see `study.measures.registry.needs_generated`.
"""

from __future__ import annotations

import pandas as pd


def generated(curves: pd.DataFrame) -> pd.DataFrame:
    """The rows of `curves` at whose step strings were generated."""
    return curves[curves["copy_fraction"].notna()]


def at_generated_steps(table: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The rows of any table at whose step strings were generated."""
    steps = generated(curves)[["training", "step"]]
    return table.merge(steps, on=["training", "step"])
