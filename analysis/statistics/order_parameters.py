"""Order parameters: what a phase diagram can be a map of, at every measured step.

Means over seeds of what the curves show, so that a map and a curve never tell different numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.statistics.onsets import GENERALIZATION, MEMORIZATION, NONE, PARTIAL

Kind = Literal["share", "signed", "steps"]
"""From 0 to 1; on both sides of 0; a number of steps, on a log scale."""


@dataclass(frozen=True)
class OrderParameter:
    """One map.

    Attributes:
        key: its name in data and addresses.
        symbol, meaning: what it is called, and what it is in a few words.
        kind: how it is coloured.
        panel, series: of `curves_table`, where it is one of its curves.
        level: of the rules or substrings; None for whole strings.
    """

    key: str
    symbol: str
    meaning: str
    kind: Kind
    panel: str = ""
    series: str = ""
    level: int | None = None

    @property
    def title(self) -> str:
        """For a heading."""
        return f"{self.symbol}: {self.meaning}"


WHOLE = (
    OrderParameter("E", "E", "excess copies", "share", "copying", "excess copies E"),
    OrderParameter("V", "V", "novel validity", "share", "validity", "novel validity V"),
    OrderParameter("T_E", "T_E", "typical strings copied first", "signed", "slope", "T_E"),
    OrderParameter(
        "T_L", "T_L", "typical strings betrayed first", "signed", "slope", "T_L, by likelihood"
    ),
    OrderParameter("A", "A", "typicality slope of a copy", "signed", "slope", "A = T_E/E"),
    OrderParameter(
        "position", "position", "from the grammar (0) to a perfect memorizer (1)", "share",
        "knowledge", "position",
    ),
    OrderParameter(
        "gap", "loss gap", "as a share of a perfect memorizer’s", "share", "knowledge", "loss gap"
    ),
)  # fmt: skip

ONSETS = {
    MEMORIZATION: OrderParameter("tau_mem", "τ_mem", "onset of memorization", "steps"),
    GENERALIZATION: OrderParameter("tau_gen", "τ_gen", "onset of generalization", "steps"),
    PARTIAL: OrderParameter("tau_partial", "τ_partial", "onset of partial memorization", "steps"),
}
"""Name of an onset -> its map, which is the same at every step."""

COLUMNS = ["key", "cell", "step", "mean", "lower", "upper", "seeds"]

CENSORED = "censoring"


def order_parameters(
    curves: pd.DataFrame, overproduction: pd.DataFrame, onsets: pd.DataFrame
) -> tuple[list[OrderParameter], pd.DataFrame]:
    """Every order parameter that is defined anywhere, and its values.

    Args:
        curves: from `curves_table`.
        overproduction: from `overproduction_table`.
        onsets: from `onsets_by_cell`.

    Returns:
        The parameters in the order of a list, and `COLUMNS` with a row per defined (parameter,
        cell, step). Onsets have no step; `mean` is their median over seeds, of a censored one the
        bound that is known, and `censoring` says on which side it is open.
    """
    partial = [
        OrderParameter(
            f"lambda_{level}", f"λ_{level}", f"copied substrings of level {level}", "share",
            "partial", f"level {level}", level,
        )
        for level in _levels(curves[curves["panel"] == "partial"], least=1)
    ]  # fmt: skip
    common = overproduction[overproduction["rank"] == 1]
    ranked = [
        OrderParameter(
            f"Q_{level}", f"Q_{level}", f"overproduction of level {level}’s commonest rule, log2",
            "signed", level=level,
        )
        for level in _levels(common)
    ]  # fmt: skip
    parts = [_of_curves(curves, [*WHOLE, *partial])]
    parts += [common[common["level"] == one.level].assign(key=one.key) for one in ranked]
    parts += [_of_onset(onsets, name, one.key) for name, one in ONSETS.items()]
    kept = [part.reindex(columns=[*COLUMNS, CENSORED]) for part in parts if len(part)]
    table = (
        pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=[*COLUMNS, CENSORED])
    )
    found = set(table["key"])
    listed = [WHOLE[0], *partial, *WHOLE[1:], *ranked, *ONSETS.values()]
    return [one for one in listed if one.key in found], table


def _levels(rows: pd.DataFrame, least: int = 0) -> list[int]:
    levels = sorted(int(level) for level in rows["level"].dropna().unique())
    return [level for level in levels if level >= least]


def _of_curves(curves: pd.DataFrame, parameters: Sequence[OrderParameter]) -> pd.DataFrame:
    names = pd.DataFrame(
        [(one.panel, one.series, one.key) for one in parameters],
        columns=["panel", "series", "key"],
    )
    return curves.merge(names, on=["panel", "series"])


def _of_onset(onsets: pd.DataFrame, name: str, key: str) -> pd.DataFrame:
    own = onsets[onsets["onset"] == name]
    known = own["censoring"] == NONE
    bound = own["after"].where(own["after"].notna(), own["by"])
    table = own.assign(key=key, mean=own["step"].where(known, bound), step=np.nan)
    table = table.drop_duplicates("cell")
    return table[table["mean"].notna()].assign(lower=np.nan, upper=np.nan)


def limits(kind: Kind, means: pd.Series) -> list[float]:
    """What a map's colours span, the same at every step: 0 and 1 at least, or even around 0.

    Args:
        kind: of the parameter.
        means: all of its values; steps as they are.
    """
    low, high = float(means.min()), float(means.max())
    if kind == "share":
        return [min(0.0, low), max(1.0, high)] if high > 0.5 else [min(0.0, low), max(0.1, high)]
    if kind == "signed":
        reach = max(abs(low), abs(high), 1e-6)
        return [-reach, reach]
    return [low, high if high > low else 2 * low]
