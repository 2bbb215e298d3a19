"""The error within a training, where a single seed has no interval over seeds.

A measured column may declare the column that holds its standard error over generated strings. It
says how well one network was measured, and nothing of how another seed would come out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.frames.tables import columns_of, in_parts
from analysis.statistics.series import Series
from study.measures import registry

NORMAL = 1.959964
"""Standard errors on both sides of a mean that hold 95 % of a normal law."""


def errors_of(table: str) -> dict[str, str]:
    """Column of a table -> the column with its standard error."""
    columns = registry.columns(table)
    return {c.name: c.error for c in columns if c.error == f"{c.name}_se"}


def with_errors_within(
    curves: pd.DataFrame, tables: Mapping[str, pd.DataFrame], series: Sequence[Series]
) -> pd.DataFrame:
    """Curves over seeds, those of a single seed with ±1.96 standard errors of its own.

    Args:
        curves: from `curves_table`.
        tables: `trainings`, `curves` and `levels`.
        series: that the curves were made of.
    """
    alone = curves["seeds"].eq(1) & curves["lower"].isna()
    if not alone.any():
        return curves
    cells = set(curves.loc[alone, "cell"])
    trainings = tables["trainings"]
    own = trainings.loc[trainings["cell"].isin(cells), ["training", "cell"]]
    whole = [one for one in series if one.name is not None]
    each = [one for one in series if one.name is None]

    def errors_in(part: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        parts = [
            _errors(part, "curves", whole, own, []),
            _errors(part, "levels", each, own, ["level"]),
        ]
        return pd.concat(parts, ignore_index=True).dropna(subset="error")

    errors = in_parts(tables, errors_in)
    keys = ["cell", "panel", "series", "step"]
    found = curves[keys].merge(errors.drop_duplicates(keys), on=keys, how="left")["error"]
    half = (NORMAL * found).where(alone.to_numpy()).to_numpy(dtype=float)
    lower = curves["lower"].where(~alone, curves["mean"] - half)
    return curves.assign(lower=lower, upper=curves["upper"].where(~alone, curves["mean"] + half))


def _errors(
    tables: Mapping[str, pd.DataFrame],
    name: str,
    series: Sequence[Series],
    trainings: pd.DataFrame,
    more: list[str],
) -> pd.DataFrame:
    """`cell`, `panel`, `series`, `step` and the standard `error` of every training's columns."""
    known = errors_of(name)
    shown = [one for one in series if one.column in known]
    columns = dict.fromkeys(known[one.column] for one in shown)
    frame = columns_of(tables, name, [*more, *columns]).merge(trainings, on="training")
    parts = []
    for one in shown:
        said = one.name if one.name is not None else "level " + frame["level"].astype(str)
        part = frame[["cell", "step", *more]].assign(
            panel=one.panel, series=said, error=frame[known[one.column]].astype(float)
        )
        parts.append(part[["cell", "panel", "series", "step", "error"]])
    columns = {"cell": str, "panel": str, "series": str, "step": int, "error": float}
    empty = pd.DataFrame({key: pd.Series(dtype=kind) for key, kind in columns.items()})
    return pd.concat(parts) if parts else empty
