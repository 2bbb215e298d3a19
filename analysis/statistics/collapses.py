"""Copying against step/N, and regimes against N/N*_0: axes on which curves and cells collapse."""

from __future__ import annotations

import pandas as pd

from analysis.statistics.moments import worth_of_a_step
from analysis.statistics.slopes import SIZE, labels

GROUPS, ROWS = 6, 40
"""At most so many groups of cells that differ in N alone, and rows of the scaled diagram."""


def copy_curves(curves: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """Excess copies over step/N of cells that differ in N alone.

    Args:
        curves: from `curves_table`.
        trainings: all of the sweep's.

    Returns:
        `group` (what the cells share), `cell`, `size` (N), `step`, `scaled` (step/N), `run`,
        `mean`, `lower`, `upper` and `seeds` of E, of the `GROUPS` groups with most values of N,
        among equals those that copy most.
    """
    cells = trainings.drop_duplicates("cell").reset_index(drop=True)
    named = cells[["cell"]].assign(
        group=labels(cells, but=SIZE).to_numpy(), size=cells["corpus.size"].astype(float)
    )
    own = curves[curves["series"] == "excess copies E"].merge(named, on="cell")
    groups = own.groupby("group", sort=False).agg(sizes=("size", "nunique"), most=("mean", "max"))
    ranked = groups[groups["sizes"] > 1].sort_values(["sizes", "most"], ascending=False)
    own = own[own["group"].isin(ranked.index[:GROUPS])]
    columns = ["group", "cell", "size", "step", "run", "mean", "lower", "upper", "seeds"]
    table = own[columns].assign(scaled=own["step"] / own["size"])
    return table.sort_values(["group", "size", "step"], ignore_index=True)


def scaled_cells(cells: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """The regimes of cells by N/N*_0, a row for each of what they share beside N.

    Args:
        cells: from `cell_regimes`.
        trainings: all of the sweep's.

    Returns:
        `cell`, `row`, `ratio` (N/N*_0), `size` (N), `enough` (N*_0), `regime`, `share`; empty where
        N does not vary, or there is no grammar.
    """
    first = trainings.drop_duplicates("cell").reset_index(drop=True)
    worth = worth_of_a_step(first)
    table = pd.DataFrame(
        {
            "cell": first["cell"],
            "row": labels(first, but=SIZE).to_numpy(),
            "size": first["corpus.size"].astype(float),
            "enough": worth["enough"],
        }
    )
    table["ratio"] = table["size"] / table["enough"]
    if table["size"].nunique() < 2:
        table = table.iloc[:0]
    shown = table["row"].drop_duplicates().head(ROWS)
    kept = table[table["row"].isin(shown) & table["ratio"].notna()]
    return kept.merge(cells[["cell", "regime", "share"]], on="cell")
