"""The phase diagram: the regime of every cell, and the line on which half of the seeds memorize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.frames.cells import determined, label, varying
from analysis.statistics.axes import Axis, axis_of
from analysis.statistics.boundaries import boundary
from analysis.statistics.cells import cell_means
from analysis.statistics.regimes import THRESHOLDS, Thresholds


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
        lines: points of P(memorized) = 0.5: `panel`, `segment`, `order`, `x`, `y` and the band's
            `x_low`, `x_high`, `y_low`, `y_high`, clipped to the diagram.
        coverage: (smallest) coverage of the band, 0 for a single seed; None where there is no line.
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
    x = axis_of(x_field, trainings[x_field])
    y = axis_of(y_field, [] if y_field is None else trainings[y_field])
    panel_fields = _panel_fields(trainings, axes, facet)
    placed = last.merge(_placed(trainings, x, y, panel_fields), on="training")
    titles = tuple(dict.fromkeys(placed.sort_values("panel_key")["panel"]))
    where = placed.drop_duplicates("cell")[["cell", "panel", *PLACES]]
    cells = where.merge(cell_means(last), on="cell")
    lines = _lines(placed, x, y, at)
    coverage = None if lines.empty else float(lines["coverage"].min())
    return PhaseTable(x, y, titles, cells, lines, coverage)


def phase_lines(
    regime: pd.DataFrame,
    trainings: pd.DataFrame,
    *,
    axes: Sequence[str],
    facet: str | None = None,
    at: Thresholds = THRESHOLDS,
) -> pd.DataFrame:
    """The boundary at every step at which strings were generated.

    Args:
        regime: from `regimes`, of all steps.
        trainings, axes, facet, at: as of `phase_table`.

    Returns:
        The `lines` of a diagram at each step, with their `at_step`.
    """
    x_field, y_field = (*axes, None)[:2]
    x = axis_of(x_field, trainings[x_field])
    y = axis_of(y_field, [] if y_field is None else trainings[y_field])
    placed = regime.merge(trainings[["training", "cell", "seed"]], on="training")
    where = _placed(trainings, x, y, _panel_fields(trainings, axes, facet))
    placed = placed.merge(where, on="training")
    parts = [_lines(own, x, y, at).assign(at_step=step) for step, own in placed.groupby("step")]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def panel_count(trainings: pd.DataFrame, axes: Sequence[str], facet: str | None) -> int:
    """How many panels the diagram over such axes has."""
    return max(1, len(trainings[_panel_fields(trainings, axes, facet)].drop_duplicates()))


PLACES = ["x", "x_low", "x_high", "y", "y_low", "y_high"]


def _panel_fields(trainings: pd.DataFrame, axes: Sequence[str], facet: str | None) -> list[str]:
    """The facet and the settings that vary within what would otherwise be one cell."""
    fields = [facet] if facet else []
    for name in varying(trainings):
        shown = [*axes, *fields]
        if name not in shown and not determined(trainings, name, shown):
            fields.append(name)
    return fields


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
    columns = ["panel", "along", "segment", *PLACES, "coverage", "seeds"]
    best = pd.DataFrame(columns=columns)
    for along, across in (("x", "y"), ("y", "x")):
        axis, other = (x, y) if along == "x" else (y, x)
        if axis.kind == "category":
            continue
        found = boundary(
            placed, along=along, across=["panel", across], log=axis.kind == "log", at=at
        )
        if len(found) <= len(best):
            continue
        low, high = axis.domain
        found = found.rename(columns={"position": along}).assign(along=along)
        found[f"{along}_low"] = found["lower"].clip(low, high)
        found[f"{along}_high"] = found["upper"].clip(low, high)
        best = _segmented(found.sort_values(["panel", across]), across, other)
    best["order"] = range(len(best))
    return best[[*columns, "order"]]


def _segmented(found: pd.DataFrame, across: str, axis: Axis) -> pd.DataFrame:
    """The points as segments: one line per panel, or one per row where rows are categories.

    Nothing lies between two categories, so no line joins them. A segment with a single point
    crosses the whole of its row, so that it can be seen.
    """
    edges = {axis.positions[value]: ends for value, ends in axis.edges.items()}
    by = ["panel", across] if axis.kind == "category" else ["panel"]
    parts = []
    for number, (_, line) in enumerate(found.groupby(by, sort=False)):
        if len(line) == 1:
            low, high = edges[line[across].iloc[0]]
            line = pd.concat([line.assign(**{across: low}), line.assign(**{across: high})])
        parts.append(line.assign(segment=number))
    joined = pd.concat(parts, ignore_index=True)
    return joined.assign(**{f"{across}_low": joined[across], f"{across}_high": joined[across]})
