"""Every cell's curves over training, drawn small at the cell's own place in the phase diagram."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.charts.axes import scale, ticks
from analysis.charts.figure import rounded
from analysis.charts.layout import GAP
from analysis.charts.phase_diagram import layout_of_diagram
from analysis.charts.theme import PICKED_CELL, Theme, regime_colours
from analysis.statistics.axes import Axis
from analysis.statistics.phase_diagram import PhaseTable
from analysis.statistics.regimes import GENERALIZING, MEMORIZING, PARTIAL

if TYPE_CHECKING:
    import altair as alt

SERIES = {
    "excess copies E": MEMORIZING,
    "partial memorization λ": PARTIAL,
    "novel validity V": GENERALIZING,
}
"""Curve -> the regime whose colour it has: the one that it makes when it is high."""

LARGER = 1.6
"""Times the size of the phase diagram: curves need more room than colours."""

INSET = 0.1
"""Of a cell's width and height left free on every side."""


def glyph_table(curves: pd.DataFrame, phase: PhaseTable) -> pd.DataFrame:
    """The curves of E, V and of λ at the smallest level >= 1, in the diagram's coordinates.

    Within its cell a curve runs from the first to the last measured step of the sweep, on a log
    scale, and from 0 at the bottom to 1 at the top; values beyond are cut off there.

    Args:
        curves: from `curves_table`.
        phase: the diagram.

    Returns:
        `cell`, `panel`, `series`, `run` (a stretch without a gap), `x`, `y`; in the order of `x`.
    """
    partial = curves[(curves["panel"] == "partial") & (curves["level"] >= 1)]
    smallest = partial.groupby("cell")["level"].transform("min")
    chosen = partial[partial["level"] == smallest].assign(series="partial memorization λ")
    whole = curves[curves["series"].isin(SERIES)]
    table = pd.concat([whole, chosen])[["cell", "series", "run", "step", "mean"]]
    table = table.merge(phase.cells[["cell", "panel", *EDGES]], on="cell")
    steps = np.log(table["step"].astype(float))
    span = max(float(steps.max() - steps.min()), 1e-9)
    table["x"] = _within(table, "x", (steps - steps.min()) / span, phase.x)
    table["y"] = _within(table, "y", table["mean"].clip(0, 1), phase.y)
    for name in ("x", "y"):  # a thousandth of a cell at most: there are many points
        table[name] = rounded(table[name].to_numpy(), 4)
    ordered = table.sort_values(["cell", "series", "step"], ignore_index=True)
    return ordered.drop(columns=[*EDGES, "step", "mean"])


EDGES = ["x_low", "x_high", "y_low", "y_high"]


def _within(table: pd.DataFrame, name: str, share: pd.Series, axis: Axis) -> pd.Series:
    """The coordinate at a share of a cell's extent, on the axis's own scale."""
    low, high = table[f"{name}_low"], table[f"{name}_high"]
    share = INSET + (1 - 2 * INSET) * share
    if axis.kind == "log":
        return low * (high / low) ** share
    return low + (high - low) * share


def glyph_panels(
    phase: PhaseTable, theme: Theme, *, cells: str, curves: str, picked: str
) -> alt.ConcatChart:
    """The diagram of small curves, panel by panel as the phase diagram.

    Args:
        phase: the diagram.
        theme: light or dark.
        cells, curves: names of the data sets of the cells and of `glyph_table`.
        picked: the cell outlined first.
    """
    import altair as alt

    size = layout_of_diagram(phase)
    columns = size.columns
    choice = alt.param(name=PICKED_CELL, value=picked)
    panels = [
        _panel(
            phase, panel, theme, cells, curves,
            first=i % columns == 0, lowest=size.is_lowest(i, len(phase.panels)),
        )
        for i, panel in enumerate(phase.panels)
    ]  # fmt: skip
    return alt.concat(*panels, columns=columns, spacing=GAP).add_params(choice)


def _panel(
    phase: PhaseTable,
    panel: str,
    theme: Theme,
    cells: str,
    curves: str,
    *,
    first: bool,
    lowest: bool,
) -> alt.LayerChart:
    import altair as alt

    here = f"datum.panel === {json.dumps(panel)}"
    boxes = _boxes(phase, cells, here, first=first, lowest=lowest)
    ground = boxes.mark_rect(fill=theme.grid, fillOpacity=0.45, stroke=theme.background)
    outline = boxes.transform_filter(f"datum.cell === {PICKED_CELL}").mark_rect(
        fillOpacity=0, stroke=theme.line, strokeWidth=2.5
    )
    target = boxes.mark_rect(fillOpacity=0, strokeOpacity=0, cursor="pointer").encode(
        description=alt.Description("cell:N")
    )
    size = layout_of_diagram(phase)
    width, height = (math.ceil(side * LARGER) for side in (size.width, size.height))
    heading = alt.Title(panel, fontSize=12, fontWeight="normal", offset=6)
    layers = [ground, *_lines(curves, here, theme), outline, target]
    return alt.LayerChart(layer=layers, width=width, height=height, title=heading)


def _boxes(phase: PhaseTable, cells: str, here: str, *, first: bool, lowest: bool) -> alt.Chart:
    """The cells of a panel, where the diagram has them."""
    import altair as alt

    return (
        alt.Chart(alt.NamedData(cells))
        .transform_filter(here)
        .encode(
            x=alt.X("x_low:Q", scale=scale(phase.x), axis=ticks(phase.x, named=lowest)),
            x2="x_high:Q",
            y=alt.Y("y_low:Q", scale=scale(phase.y), axis=ticks(phase.y, labels=first)),
            y2="y_high:Q",
        )
    )


def _lines(curves: str, here: str, theme: Theme) -> list[alt.Chart]:
    """The curves of a panel's cells, each over a wider one that sets it off."""
    import altair as alt

    colours = regime_colours(theme)
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=list(SERIES), range=[colours[r] for r in SERIES.values()]),
        legend=alt.Legend(orient="bottom", title=None, symbolType="stroke", symbolStrokeWidth=3),
    )
    path = (
        alt.Chart(alt.NamedData(curves))
        .transform_filter(here)
        .encode(x="x:Q", y="y:Q", order="x:Q")
    )
    return [
        path.mark_line(strokeWidth=3.4, color=theme.muted, strokeCap="round").encode(
            detail=["cell:N", "run:O", "series:N"]
        ),
        path.mark_line(strokeWidth=2, strokeCap="round").encode(
            detail=["cell:N", "run:O"], color=colour
        ),
    ]
