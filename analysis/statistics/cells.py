"""What the seeds of a cell do together, and which cell tells most."""

from __future__ import annotations

import pandas as pd

from analysis.statistics.regimes import cell_regimes


def cell_means(last: pd.DataFrame) -> pd.DataFrame:
    """One row per cell: the columns of `cell_regimes`, and the means of what they rest on."""
    numbers = ["excess_copies", "novel_validity", "partial_margin"]
    means = last.groupby("cell")[numbers].mean().reset_index()
    return cell_regimes(last).merge(means, on="cell")


def cells_by_step(regime: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """The columns of `cell_means` at every step, of the seeds that were measured at it.

    Args:
        regime: from `regimes`.
        trainings: all of the sweep's.
    """
    frame = regime.merge(trainings[["training", "cell"]], on="training").assign(provisional=False)
    return pd.concat([cell_means(own) for _, own in frame.groupby("step")], ignore_index=True)


def telling_cell(cells: pd.DataFrame, typicality: pd.DataFrame) -> str:
    """The cell to look at first: its mean E nearest to one half, its curve with a slope.

    Args:
        cells: from `cell_means`.
        typicality: from `typicality_table`.
    """
    bins = typicality.groupby("cell")["bin"].nunique()
    ranked = cells.assign(
        distance=(cells["excess_copies"] - 0.5).abs(),
        flat=cells["cell"].map(bins).fillna(0) < 2,
    ).sort_values(["flat", "provisional", "distance", "cell"], kind="stable")
    return str(ranked["cell"].iloc[0])
