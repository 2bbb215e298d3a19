"""What a page holds of its maps: every order parameter of every cell at every step, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.charts.figure import nulled, plain, rounded
from analysis.charts.maps import colours_of, shade
from analysis.statistics.cells import cells_by_step
from analysis.statistics.moments import best_steps, worth_of_a_step
from analysis.statistics.onsets import LEFT, RIGHT
from analysis.statistics.order_parameters import (
    CENSORED,
    OrderParameter,
    limits,
    order_parameters,
)
from analysis.statistics.phase_diagram import phase_lines
from analysis.statistics.regimes import REGIMES

DIGITS = 3
"""Significant digits of a value that is shown as a colour; the data files hold them all."""

MARKS = {RIGHT: ">", LEFT: "<"}
"""What a censored onset is marked with: it lies beyond the colour that is shown."""


@dataclass(frozen=True)
class Maps:
    """What maps show.

    Attributes:
        parameters: the order parameters that are defined anywhere.
        values: from `order_parameters`.
        regimes: from `cells_by_step`.
        lines: from `phase_lines`.
        worth: from `worth_of_a_step`.
        best: from `best_steps`.
    """

    parameters: Sequence[OrderParameter]
    values: pd.DataFrame
    regimes: pd.DataFrame
    lines: pd.DataFrame
    worth: pd.DataFrame
    best: pd.Series

    def at_end(self, parameter: OrderParameter) -> pd.DataFrame:
        """The last defined value of each cell."""
        own = self.values[self.values["key"] == parameter.key]
        return own.sort_values("step", kind="stable").drop_duplicates("cell", keep="last")

    def of(self, parameter: OrderParameter) -> pd.Series:
        """All means of a parameter."""
        return self.values.loc[self.values["key"] == parameter.key, "mean"]


def maps_of(
    regimes: pd.DataFrame,
    trainings: pd.DataFrame,
    curves: pd.DataFrame,
    overproduction: pd.DataFrame,
    onsets: pd.DataFrame,
    *,
    axes: Sequence[str],
    facet: str | None,
) -> Maps:
    """The maps of a sweep, from what its other figures show."""
    parameters, values = order_parameters(curves, overproduction, onsets)
    labels = ["key", "cell", CENSORED]
    return Maps(
        parameters=parameters,
        values=values.astype(dict.fromkeys(labels, "category")),
        regimes=cells_by_step(regimes, trainings),
        lines=phase_lines(regimes, trainings, axes=axes, facet=facet),
        worth=worth_of_a_step(trainings),
        best=best_steps(curves),
    )


def document(maps: Maps, cells: list[str]) -> dict[str, Any]:
    """All maps as JSON values.

    `values[key]` and `regimes` hold, for each of `steps`, a value per cell, in the order of
    `cells`; `onsets[key]` one per cell. Undefined ones are null.
    """
    steps = sorted(int(step) for step in maps.regimes["step"].unique())
    worth = maps.worth.set_index("cell").reindex(cells)
    lines = maps.lines.drop(columns=["coverage", "seeds"], errors="ignore")
    return {
        "cells": list(cells),
        "steps": steps,
        "epochs": plain(worth["epochs"].reset_index(drop=True), 4),
        "flop": plain(worth["flop"].reset_index(drop=True), 4),
        "best": plain(maps.best.reindex(cells).astype("Int64").reset_index(drop=True)),
        "parameters": [_said(maps, one) for one in maps.parameters],
        "values": {
            one.key: _grid(maps.values[maps.values["key"] == one.key], cells, steps)
            for one in maps.parameters
            if one.kind != "steps"
        },
        "onsets": {
            one.key: _onsets(maps.values[maps.values["key"] == one.key], cells)
            for one in maps.parameters
            if one.kind == "steps"
        },
        "regimes": _regimes(maps.regimes, cells, steps),
        "lines": {str(name): plain(lines[name]) for name in lines.columns},
    }


def _said(maps: Maps, one: OrderParameter) -> dict[str, Any]:
    ends = shade(one.kind, pd.Series(limits(one.kind, maps.of(one))))
    return {
        "key": one.key,
        "symbol": one.symbol,
        "title": one.title,
        "kind": one.kind,
        "limits": [float(f"{end:.3g}") for end in ends],
        "colours": list(colours_of(one.kind)),
    }


def _grid(rows: pd.DataFrame, cells: list[str], steps: Sequence[int]) -> dict[str, Any]:
    """`mean`, `half` and `seeds`: for each step a list over the cells."""
    at = _places(rows, cells, steps)
    inside = (at[0] >= 0) & (at[1] >= 0)
    known = rows[inside]
    where = at[0][inside], at[1][inside]
    half = (known["upper"] - known["lower"]) / 2
    return {
        "mean": _filled(where, known["mean"], (len(steps), len(cells)), DIGITS),
        "half": _filled(where, half, (len(steps), len(cells)), 2),
        "seeds": _filled(where, known["seeds"], (len(steps), len(cells)), None),
    }


def _places(
    rows: pd.DataFrame, cells: list[str], steps: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    return (
        pd.Index(steps).get_indexer(pd.Index(rows["step"].to_numpy())),
        pd.Index(cells).get_indexer(pd.Index(rows["cell"].to_numpy())),
    )


def _filled(
    at: tuple[np.ndarray, np.ndarray], values: pd.Series, shape: tuple[int, int], digits: int | None
) -> list[list[Any]]:
    grid = np.full(shape, np.nan)
    grid[at] = values.to_numpy(dtype=float, na_value=np.nan)
    if digits is None:
        return [[None if x != x else int(x) for x in row] for row in grid.tolist()]
    return [nulled(rounded(row, digits)) for row in grid]


def _onsets(rows: pd.DataFrame, cells: list[str]) -> dict[str, Any]:
    own = rows.drop_duplicates("cell").set_index("cell").reindex(cells)
    return {
        "mean": plain(own["mean"].astype(float).reset_index(drop=True), 4),
        "seeds": plain(own["seeds"].astype("Int64").reset_index(drop=True)),
        "censored": [MARKS.get(side) for side in own[CENSORED].tolist()],
    }


def _regimes(
    rows: pd.DataFrame, cells: list[str], steps: Sequence[int]
) -> dict[str, list[list[Any]]]:
    at = _places(rows, cells, steps)
    inside = (at[0] >= 0) & (at[1] >= 0)
    known, where = rows[inside], (at[0][inside], at[1][inside])
    numbers = {name: i for i, name in enumerate(REGIMES)}
    shape = (len(steps), len(cells))

    def of(name: str, digits: int | None) -> list[list[Any]]:
        values = known[name].map(numbers) if digits is None and name != "seeds" else known[name]
        return _filled(where, values.astype(float), shape, digits)

    return {
        "regime": of("regime", None),
        "runner_up": of("runner_up", None),
        "share": of("share", DIGITS),
        "runner_up_share": of("runner_up_share", DIGITS),
        "seeds": of("seeds", None),
        "excess_copies": of("excess_copies", DIGITS),
        "novel_validity": of("novel_validity", DIGITS),
        "partial_margin": of("partial_margin", DIGITS),
    }
