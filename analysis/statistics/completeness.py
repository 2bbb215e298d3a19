"""How complete each region of a phase diagram is, while its sweep is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.frames.cells import symbol, value_label
from study.store.listing import Listed
from study.store.states import DONE

LISTED = ["training", "cell", "last_step"]
COLUMNS = ("region", "cells", "measured", "trainings", "finished", "steps")
WHOLE = 2
"""Values of an axis up to which each is a part of its own; more are halved."""


def completeness(
    planned: Sequence[Listed], trainings: pd.DataFrame, axes: Sequence[str]
) -> pd.DataFrame:
    """How much of each region was trained; empty where nothing is planned.

    A region is a half of every axis, at one value of every other setting that tells cells apart:
    of a diagram over two axes a quadrant of a panel.

    Args:
        planned: what the sweep consists of, trained or not.
        trainings: `training`, `state` and `step` of those that can be read.
        axes: of the phase diagram.

    Returns:
        One row per region: `region` (its name), `cells` (planned), `measured` (cells of which some
        seed is), `trainings` (planned), `finished` (of them, diverged ones too) and `steps` (the
        share of the planned ones that were trained, 0 to 1).
    """
    if not planned:
        return pd.DataFrame(columns=list(COLUMNS))
    cells = pd.DataFrame([{n: _plain(v) for n, v in each.cell.items()} for each in planned])
    own = pd.DataFrame([(e.hash, e.label, e.last_step) for e in planned], columns=LISTED)
    own = own.merge(trainings[["training", "state", "step"]], on="training", how="left")
    own["done"] = own["state"].isin(DONE)
    own["step"] = own["step"].fillna(0).clip(upper=own["last_step"])
    own["trained"] = own["step"].where(~own["done"], own["last_step"])
    parts = [_parts(name, cells[name]) for name in _told(cells, axes)]
    names = [" · ".join(filter(None, each)) for each in zip(*parts, strict=True)]
    own["region"] = names or [""] * len(own)
    return pd.DataFrame([_row(name, rows) for name, rows in own.groupby("region", sort=False)])


def _row(region: Any, rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "region": region,
        "cells": rows["cell"].nunique(),
        "measured": rows.loc[rows["step"] > 0, "cell"].nunique(),
        "trainings": len(rows),
        "finished": int(rows["done"].sum()),
        "steps": float(rows["trained"].sum() / rows["last_step"].sum()),
    }


def _told(cells: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """The settings that name a region: others than the axes first, coupled ones once."""
    known = [name for name in axes if name in cells]
    others: list[str] = []
    for name in cells:
        if name not in known and len(cells[[*known, *others]].drop_duplicates()) < len(
            cells[[*known, *others, name]].drop_duplicates()
        ):
            others.append(str(name))
    return [*others, *known]


def _parts(name: str, values: pd.Series) -> list[str]:
    """What part of a setting's values each value lies in; empty where all are one."""
    distinct = list(dict.fromkeys(values))
    if len(distinct) == 1:
        return [""] * len(values)
    is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in distinct)
    if len(distinct) <= WHOLE or not is_number:
        return [f"{symbol(name)} = {value_label(value)}" for value in values]
    rising = sorted(distinct)
    middle = (len(rising) + 1) // 2
    said = {v: _between(part) for part in (rising[:middle], rising[middle:]) for v in part}
    return [f"{symbol(name)} = {said[value]}" for value in values]


def _between(part: Sequence[Any]) -> str:
    ends = value_label(part[0]), value_label(part[-1])
    return ends[0] if len(part) == 1 else f"{ends[0]} … {ends[1]}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool) else json.dumps(value)
