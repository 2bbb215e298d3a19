"""What the network knows at every noise level, at the last measured step, over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.statistics.seeds import columns_over_seeds, runs
from analysis.statistics.series import Series, named, without_level

WINDOWS = ["window", "first_t", "last_t"]
"""The columns of `noise` that say which noise level a row is of."""


def noise_columns(series: Sequence[Series]) -> list[str]:
    """The columns of `noise` that `noise_table` needs, beside training and step."""
    return [*WINDOWS, *(one.column for one in series)]


def noise_table(tables: Mapping[str, pd.DataFrame], series: Sequence[Series]) -> pd.DataFrame:
    """Every quantity by noise level over seeds, at the latest step at which a cell has any.

    A point stands on half of the cell's seeds at least: where most seeds have no position, for the
    optima say the same there, the few that have one are no sample of them.

    Args:
        tables: `trainings` and `noise`, of which at least `noise_columns`.
        series: the columns and what they are called.

    Returns:
        `panel`, `series`, `level` (missing), `cell`, `step`, `window`, `noise` (the middle of the
        window as a share of T), `mean`, `lower`, `upper`, `seeds` and `run`.
    """
    trainings = tables["trainings"]
    cell = trainings.set_index("training")["cell"]
    frame = tables["noise"][["training", "step", *noise_columns(series)]]
    cells = frame["training"].map(cell)
    last = frame["step"] == frame.groupby(cells)["step"].transform("max")
    frame = frame[last].assign(cell=cells[last])
    keys = ["cell", "step", "window"]
    table = columns_over_seeds(frame, by=keys, columns=[one.column for one in series])
    most = table["cell"].map(frame.groupby("cell")["training"].nunique())
    table["mean"] = table["mean"].where(2 * table["seeds"] >= most)
    table = named(table, series)
    steps = trainings.drop_duplicates("cell").set_index("cell")["diffusion.num_timesteps"]
    middle = frame.assign(noise=(frame["first_t"] + frame["last_t"]) / 2).groupby(keys)["noise"]
    table = table.merge(middle.mean().reset_index(), on=keys)
    table["noise"] = table["noise"].astype(float) / table["cell"].map(steps).astype(float)
    curve = ["cell", "panel", "series"]
    ordered = table.sort_values([*curve, "window"], ignore_index=True)
    return runs(without_level(ordered), by=curve)
