"""Memorization by typicality: how much of each stratum of log p is memorized, over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.frames.cells import with_cells
from analysis.frames.tables import columns_of, in_parts
from analysis.statistics.seeds import columns_over_seeds

READINGS = {"emission_excess": "emission", "memorized_excess": "likelihood"}
"""Column of the table `typicality` -> what memorization is read from."""

COLUMNS = ["stratum", "n_training", "mean_log_p", *READINGS]
"""The columns of `typicality` that are drawn, beside training and step."""


def typicality_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How much of every stratum is memorized, by cell and step, over seeds.

    By emission: 1 where the stratum is copied as often as a perfect memorizer would, 0 where no
    more than unseen strings of equal typicality. By likelihood: the share of its strings whose loss
    betrays them, beyond chance.

    The strata of two seeds have different edges, for each seed has its own corpus. They are matched
    by rank: by index where all seeds of a cell have equally many strata; else by the quantile of
    their middle among the training strings, in as many bins as the seed with the fewest strata has.
    A point then stands at the mean log p of the matched strata.

    Returns:
        `cell`, `reading`, `step`, `bin` (0: most typical), `log_p` (nats, mean over seeds), `mean`,
        `lower`, `upper` and `seeds`. A reading has no rows at steps at which no cell has it.
    """
    table = in_parts(tables, _over_seeds)
    return table.sort_values(["cell", "reading", "step", "bin"], ignore_index=True)


def _over_seeds(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    trainings = tables["trainings"]
    strata = columns_of(tables, "typicality", COLUMNS)
    binned = _matched(with_cells(strata, trainings))
    keys = ["cell", "step", "bin"]
    table = columns_over_seeds(binned, by=keys, columns=list(READINGS))
    log_p = binned.groupby(keys, observed=True)["log_p"].mean().reset_index()
    for frame in (table, log_p):
        frame["cell"] = frame["cell"].astype(trainings["cell"].dtype)
    table["reading"] = table.pop("column").map(READINGS)
    measured = table.groupby(["cell", "reading", "step"])["seeds"].transform("sum") > 0
    return table[measured].merge(log_p, on=keys)


def _matched(strata: pd.DataFrame) -> pd.DataFrame:
    """One row per (training, step, bin): means over the strata in it, weighted by their strings."""
    keys = ["training", "cell", "step"]
    frame = strata.sort_values([*keys, "stratum"], ignore_index=True)
    weight = frame["weight"] = frame["n_training"].astype(float)
    groups = frame.groupby(keys, sort=False, observed=True)["weight"]
    middle = (groups.cumsum() - weight / 2) / groups.transform("sum")
    counts = groups.transform("size")
    by_cell = counts.groupby([frame["cell"], frame["step"]], observed=True)
    fewest, most = by_cell.transform("min"), by_cell.transform("max")
    by_quantile = (middle * fewest).floordiv(1).clip(upper=fewest - 1)
    same = fewest == most
    frame["bin"] = groups.cumcount().where(same, by_quantile).astype(int)
    means = {"log_p": "mean_log_p", **{name: name for name in READINGS}}
    if same.all():  # every bin is one stratum
        return frame[[*keys, "bin"]].assign(**{to: frame[of] for to, of in means.items()})
    # A bin is undefined only where all of its strata are; undefined strata carry no weight.
    for to, of in means.items():
        frame[f"{to}_weight"] = weight.where(frame[of].notna())
        frame[f"{to}_sum"] = frame[of] * weight
    parts = [f"{name}_{part}" for name in means for part in ("sum", "weight")]
    sums = (
        frame.groupby([*keys, "bin"], sort=False, observed=True)[parts]
        .sum(min_count=1)
        .reset_index()
    )
    return sums[[*keys, "bin"]].assign(
        **{name: sums[f"{name}_sum"] / sums[f"{name}_weight"] for name in means}
    )
