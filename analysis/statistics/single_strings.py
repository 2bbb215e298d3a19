"""Single strings: how likely the network finds each, which ones that betrays, and since when.

The tables of single strings are in no index and as large as all others together, so they are read
only where a sweep has few trainings.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.statistics.seeds import over_seeds, runs
from analysis.statistics.series import without_level
from study.measures.memorized import LARGEST_P, ONE_IN, memorized_since
from study.store import records

MOST_TRAININGS = 100
"""Sweeps with more trainings than this are reported without their single strings."""

BINS = 24
"""Of the losses, from the smallest to the largest of a cell."""

SIDES = {"training": "training strings", "control": "controls"}
THIRDS = ("typical third", "middle third", "atypical third")
CHANCE = "chance, at most"

KEYS = ["cell", "panel", "series", "x"]


def single_strings(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables that `strings_table` needs, empty where a sweep has too many trainings."""
    few = len(tables["trainings"]) <= MOST_TRAININGS
    read = {
        name: tables[name] if few else records.SCHEMAS[name].empty_table().to_pandas()
        for name in ("strings", "likelihood", "emissions")
    }
    return {"trainings": tables["trainings"], "curves": tables["curves"], **read}


def by_step(
    rows: pd.DataFrame, column: str, steps: NDArray[np.int64], strings: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The values (steps, strings) of one training's table; NaN where it has no row.

    Args:
        rows: with `step`, `string` and the column.
        steps, strings: which ones, both rising.
    """
    wanted = rows[rows["step"].isin(steps) & rows["string"].isin(strings)]
    found = np.full((len(steps), len(strings)), np.nan)
    at = (
        np.searchsorted(known, wanted[name])
        for known, name in ((steps, "step"), (strings, "string"))
    )
    found[tuple(at)] = wanted[column]
    return found


def strings_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Losses, p-values and times of memorization of the followed strings, over seeds.

    Panel `loss`: the share of the strings of a side whose ELBO loss (nats) lies in a bin around x.
    Panel `p`: the share of the training strings with a conformal p-value of at most x. Both at the
    last measured step. Panel `since`: the share of the training strings with τ(x) of at most
    the step x, by thirds of the strata.

    Returns:
        `panel`, `series`, `level` (missing), `cell`, `step`, `x`, `mean`, `lower`, `upper`,
        `seeds` and `run`.
    """
    followed = _followed(tables)
    if followed.empty:
        return pd.DataFrame(columns=[*KEYS, "level", "step", "mean", "lower", "upper", "seeds"])
    last = followed[followed["step"] == followed.groupby("cell")["step"].transform("max")]
    flagged = last[last["p_value"].notna()]
    parts = [_losses(last), _p_values(flagged), _since(followed[followed["p_value"].notna()])]
    table = over_seeds(pd.concat(parts), by=[*KEYS, "step"])
    table = pd.concat([table, _chance(flagged)]).sort_values(KEYS, ignore_index=True)
    return runs(without_level(table), by=KEYS[:3])


def _followed(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per followed string and step: its cell, side, stratum, `loss` and `p_value`."""
    cells = tables["trainings"][["training", "cell"]]
    strings = tables["strings"][["training", "string", "side", "stratum"]]
    return (
        tables["likelihood"].merge(strings, on=["training", "string"]).merge(cells, on="training")
    )


def _losses(last: pd.DataFrame) -> pd.DataFrame:
    """Share of each side's strings in bins of the loss that all seeds of a cell share."""
    rows = []
    for cell, own in last.groupby("cell"):
        edges = np.histogram_bin_edges(own["loss"].astype(float), BINS)
        for (_, side, step), some in own.groupby(["training", "side", "step"]):
            share = np.histogram(some["loss"].astype(float), edges)[0] / len(some)
            middle = (edges[1:] + edges[:-1]) / 2
            rows.append(_curve("loss", cell, SIDES[str(side)], step, middle, share))
    return pd.concat(rows)


def _p_values(flagged: pd.DataFrame) -> pd.DataFrame:
    """Share of the training strings with p <= 0.05, 0.10, … 1."""
    x = _levels()
    rows = [
        _curve("p", cell, SIDES["training"], step, x, _share_below(own["p_value"], x))
        for (cell, _, step), own in flagged.groupby(["cell", "training", "step"])
    ]
    return pd.concat(rows)


def _levels() -> np.ndarray:
    return np.arange(1, ONE_IN + 1) * LARGEST_P


def _share_below(values: pd.Series, x: np.ndarray) -> np.ndarray:
    """Share of values that are at most x, for every x; sums of twentieths are not exact."""
    return (values.to_numpy(dtype=float)[:, None] <= x + 1e-9).mean(0)


def _chance(flagged: pd.DataFrame) -> pd.DataFrame:
    """The diagonal of the p-values: no interval, for it rests on no seed."""
    x = _levels()
    cells = flagged.drop_duplicates("cell")[["cell", "step"]].itertuples(index=False)
    rows = [_curve("p", cell, CHANCE, step, x, x) for cell, step in cells]
    return pd.concat(rows).rename(columns={"value": "mean"}).assign(seeds=0)


def _since(flagged: pd.DataFrame) -> pd.DataFrame:
    """Share of the training strings memorized since a step, by thirds of the strata."""
    rows = []
    for (cell, _), own in flagged.groupby(["cell", "training"]):
        strings = own.drop_duplicates("string").sort_values("string")
        steps = np.unique(own["step"])
        p = by_step(own, "p_value", steps, strings["string"].to_numpy())
        since = memorized_since(steps, p)
        third = _third(strings["stratum"].to_numpy(dtype=int))
        for i, name in enumerate(THIRDS):
            if (third == i).any():
                share = (since[third == i][:, None] <= steps).mean(0)
                rows.append(_curve("since", cell, name, steps, steps, share))
    return pd.concat(rows)


def _third(stratum: np.ndarray) -> np.ndarray:
    """0, 1 or 2: the third of the strata, which hold equally many followed strings."""
    return ((stratum + 0.5) * 3 / (stratum.max() + 1)).astype(int)


def _curve(
    panel: str, cell: object, series: str, step: object, x: np.ndarray, value: np.ndarray
) -> pd.DataFrame:
    columns = {"panel": panel, "cell": cell, "series": series, "step": step}
    return pd.DataFrame({**columns, "x": x.astype(float), "value": value})
