"""Named series of numbers, as the panels of a figure show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd


class Series(NamedTuple):
    """A column of a table as one line of a figure.

    Attributes:
        panel: the panel it is in.
        column: of the table.
        name: what it is called there; None where there is one line for every level.
    """

    panel: str
    column: str
    name: str | None


def named(table: pd.DataFrame, series: Sequence[Series]) -> pd.DataFrame:
    """A table of `columns_over_seeds` with `panel` and `series` in the place of its `column`."""
    names = pd.DataFrame(series, columns=["panel", "column", "series"])
    return table.merge(names, on="column").drop(columns="column")


def without_level(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a `level` that is missing in all of its rows."""
    return table.assign(level=pd.array([None] * len(table), dtype="Int64"))
