"""The phase diagram: the regime of every cell, and the line on which half of the seeds memorize."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.boundaries import boundary
from analysis.cells import label, symbol, varying
from analysis.charts.axes import Axis, axis_of, scale, ticks
from analysis.charts.theme import Theme
from analysis.regimes import REGIMES, THRESHOLDS, Thresholds, cell_regimes

if TYPE_CHECKING:
    import altair as alt

PICKED = "picked"
"""Name of the selection of a cell; its signal is `picked_cell` in every figure that has one."""


@dataclass(frozen=True)
class PhaseTable:
    """What a phase diagram shows.

    Attributes:
        x, y: its axes.
        panels: titles of the panels, in order; one per combination of the settings that vary and
            are on no axis, so that no two cells are ever pooled.
        cells: one row per measured cell: `cell`, `panel`, `x`, `x_low`, `x_high`, `y`, `y_low`,
            `y_high`, the columns of `cell_regimes`, and over the voting seeds the mean of
            `excess_copies` (E), `novel_validity` (V) and `partial_margin` (λ - λ_fit - 2.33·SE).
        lines: points of P(memorized) = 0.5: `panel`, `order`, `x`, `y` and the band's `x_low`,
            `x_high`, `y_low`, `y_high`, clipped to the diagram.
        coverage: (smallest) coverage of the band; None where there is no line.
    """

    x: Axis
    y: Axis
    panels: tuple[str, ...]
    cells: pd.DataFrame
    lines: pd.DataFrame
    coverage: float | None


def phase_table(
    last: pd.DataFrame,
    trainings: pd.DataFrame,
    *,
    axes: Sequence[str],
    facet: str | None = None,
    at: Thresholds = THRESHOLDS,
) -> PhaseTable:
    """The phase diagram of a sweep.

    Args:
        last: rows of `last_steps`.
        trainings: all of the sweep's.
        axes: one or two dotted fields, the horizontal one first.
        facet: the field whose values get panels of their own.
        at: the thresholds.
    """
    x_field, y_field = (*axes, None)[:2]
    measured = trainings[trainings["training"].isin(last["training"])]
    x = axis_of(x_field, measured[x_field])
    y = axis_of(y_field, [] if y_field is None else measured[y_field])
    others = [name for name in varying(measured) if name not in axes and name != facet]
    panel_fields = ([facet] if facet else []) + others
    placed = last.merge(_placed(measured, x, y, panel_fields), on="training")
    titles = tuple(dict.fromkeys(placed.sort_values("panel_key")["panel"]))
    means = placed.groupby("cell")[["excess_copies", "novel_validity", "partial_margin"]].mean()
    where = placed.drop_duplicates("cell")[["cell", "panel", *PLACES]]
    cells = where.merge(cell_regimes(last), on="cell").merge(means.reset_index(), on="cell")
    lines = _lines(placed, x, y, at)
    coverage = None if lines.empty else float(lines["coverage"].min())
    return PhaseTable(x, y, titles, cells, lines, coverage)


PLACES = ["x", "x_low", "x_high", "y", "y_low", "y_high"]


def _placed(trainings: pd.DataFrame, x: Axis, y: Axis, panel_fields: list[str]) -> pd.DataFrame:
    """Where every training lies: coordinates, edges and panel."""
    frame = trainings[["training"]].copy()
    for name, axis in (("x", x), ("y", y)):
        values = [None] * len(trainings) if axis.field is None else trainings[axis.field]
        known = [value if value == value else None for value in values]
        frame[name] = [axis.positions.get(value) for value in known]
        edges = [axis.edges.get(value, (None, None)) for value in known]
        frame[f"{name}_low"], frame[f"{name}_high"] = zip(*edges, strict=True)
    keys = list(trainings[panel_fields].itertuples(index=False, name=None))
    ranks = {key: i for i, key in enumerate(sorted(set(keys), key=_sortable))}
    frame["panel_key"] = [ranks[key] for key in keys]
    frame["panel"] = [label(panel_fields, key) for key in keys]
    return frame[frame["x"].notna() & frame["y"].notna()]


def _sortable(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is None or value != value, str(type(value)), value) for value in key)


def _lines(placed: pd.DataFrame, x: Axis, y: Axis, at: Thresholds) -> pd.DataFrame:
    """The boundary along the axis on which more slices cross it; the horizontal one if equal."""
    options = []
    for along, across, axis in (("x", "y", x), ("y", "x", y)):
        if axis.kind == "category":
            continue
        found = boundary(
            placed, along=along, across=["panel", across], log=axis.kind == "log", at=at
        )
        low, high = axis.domain
        found[along] = found["position"]
        found[f"{along}_low"] = found["lower"].clip(low, high)
        found[f"{along}_high"] = found["upper"].clip(low, high)
        found[f"{across}_low"] = found[f"{across}_high"] = found[across]
        found["along"] = along
        options.append(_spanning(found, across, y if across == "y" else x))
    columns = ["panel", "along", *PLACES, "coverage", "seeds"]
    if not options:
        return pd.DataFrame(columns=columns)
    best = max(options, key=len)
    return best[columns].sort_values(["panel", "x" if best is options[-1] else "y"])


def _spanning(found: pd.DataFrame, across: str, axis: Axis) -> pd.DataFrame:
    """A line with a single point crosses the whole of its row, so that it can be seen."""
    edges = {axis.positions[value]: ends for value, ends in axis.edges.items()}
    parts = []
    for _, line in found.groupby("panel", sort=False):
        if len(line) == 1:
            low, high = edges[line[across].iloc[0]]
            line = pd.concat([line.assign(**{across: low}), line.assign(**{across: high})])
            line[f"{across}_low"] = line[f"{across}_high"] = line[across]
        parts.append(line)
    return pd.concat(parts, ignore_index=True) if parts else found
