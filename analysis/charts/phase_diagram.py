"""How a phase diagram is drawn: panels of coloured cells that can be picked."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.charts.axes import scale, ticks
from analysis.charts.layout import GAP, Layout, headroom, layout_of
from analysis.charts.theme import PICKED_CELL, Theme
from analysis.statistics.phase_diagram import PhaseTable
from analysis.statistics.regimes import REGIMES, THRESHOLDS, Thresholds

if TYPE_CHECKING:
    import altair as alt


def phase_panels(table: PhaseTable, theme: Theme, picked: str | None, data: str) -> alt.ConcatChart:
    """The panels of the diagram.

    Args:
        table: what is shown.
        theme: light or dark.
        picked: the cell that is framed first; None: none is, and none can be picked.
        data: name of the data set of `table.cells`; that of `table.lines` is `{data}_lines`.
    """

    def layers(cells: alt.Chart, boxes: alt.Chart, here: str) -> list[alt.Chart]:
        return [
            boxes.transform_filter("datum.regime !== null")
            .mark_rect(stroke=theme.background, strokeWidth=_gap(table))
            .encode(fill=_regime_scale("regime", theme)),
            *crossed_out(boxes.transform_filter("datum.regime === null"), theme),
            *_band(table, theme, here, data),
            *_runners_up(cells, table, theme),
            *line_layers(theme, here, data),
            _unfinished(cells, table, theme),
        ]

    return diagram(table, theme, picked, data, layers, _tooltip())


Layers = Callable[["alt.Chart", "alt.Chart", str], "list[alt.Chart]"]
"""Charts of a panel's cells, by their middle and as boxes, and the filter of its rows -> layers."""


def diagram(
    table: PhaseTable,
    theme: Theme,
    picked: str | None,
    data: str,
    layers: Layers,
    tooltip: list[alt.Tooltip],
) -> alt.ConcatChart:
    """Panels of equal size over the axes of the diagram, their cells filled by `layers`."""
    import altair as alt

    size = layout_of_diagram(table)
    panels = []
    for i, panel in enumerate(table.panels):
        here = f"datum.panel === {json.dumps(panel)}"
        cells = alt.Chart(alt.NamedData(data)).transform_filter(here)
        named = size.is_lowest(i, len(table.panels))
        x = alt.X("x_low:Q", scale=scale(table.x), axis=ticks(table.x, named=named))
        labels = i % size.columns == 0
        y = alt.Y("y_low:Q", scale=scale(table.y), axis=ticks(table.y, labels=labels))
        boxes = cells.encode(x=x, x2="x_high:Q", y=y, y2="y_high:Q")
        targets = _targets(boxes, theme, tooltip, picked is not None)
        panels.append(
            alt.LayerChart(
                layer=[headroom(size.height), *layers(cells, boxes, here), *targets],
                width=size.width,
                height=size.height,
                title=alt.Title(panel, fontSize=12, fontWeight="normal", offset=2),
            )
        )
    choice = [alt.param(name=PICKED_CELL, value=picked)] if picked is not None else []
    return alt.concat(*panels, columns=size.columns, spacing=GAP).add_params(*choice)


def _targets(
    boxes: alt.Chart, theme: Theme, tooltip: list[alt.Tooltip], pickable: bool
) -> list[alt.Chart]:
    """What lies on top of every cell and says its numbers, and a frame around the picked one."""
    import altair as alt

    said = boxes.encode(tooltip=tooltip, description=alt.Description("cell:N"))
    if not pickable:
        return [said.mark_rect(fillOpacity=0, strokeOpacity=0)]
    chosen = boxes.transform_filter(f"datum.cell === {PICKED_CELL}")
    return [
        chosen.mark_rect(fillOpacity=0, stroke=theme.halo, strokeWidth=5.5),
        chosen.mark_rect(fillOpacity=0, stroke=theme.line, strokeWidth=2.5),
        said.mark_rect(fillOpacity=0, strokeOpacity=0, cursor="pointer"),
    ]


def _gap(table: PhaseTable) -> float:
    """Pixels between cells: less where cells are small, or nothing else would be seen."""
    return 1 if _side(table) >= 12 else 0.3


def _side(table: PhaseTable) -> float:
    """Pixels of the shorter side of a cell."""
    size = layout_of_diagram(table)
    return min(size.width / len(table.x.positions), size.height / len(table.y.positions))


def layout_of_diagram(table: PhaseTable) -> Layout:
    """How the panels of a diagram stand."""
    return layout_of(len(table.panels), len(table.x.positions), len(table.y.positions))


def _regime_scale(field: str, theme: Theme) -> alt.Fill:
    import altair as alt

    shown = alt.Legend(
        title=None, orient="bottom", symbolType="square", symbolSize=170, symbolStrokeWidth=0
    )
    return alt.Fill(
        f"{field}:N",
        scale=alt.Scale(domain=list(REGIMES), range=list(theme.regimes)),
        legend=shown,
    )


def _runners_up(cells: alt.Chart, table: PhaseTable, theme: Theme) -> list[alt.Chart]:
    """Dots in the colour of the second regime, their area its share of the seeds."""
    import altair as alt

    if table.cells["seeds"].max() < 2:
        return []
    shares = sorted(set(table.cells["runner_up_share"].dropna().round(3))) or [0.5]
    largest = min(260.0, 0.3 * _side(table) ** 2)
    legend = alt.Legend(
        title="dot: runner-up regime, area = share of seeds",
        orient="bottom",
        values=shares if len(shares) <= 3 else [shares[0], shares[-1]],
        format=".0%",
        symbolFillColor=theme.muted,
        symbolStrokeColor=theme.halo,
    )
    size = alt.Size(
        "runner_up_share:Q", scale=alt.Scale(domain=[0, 0.5], range=[0, largest]), legend=legend
    )
    return [
        cells.transform_filter("datum.runner_up !== null")
        .mark_point(shape="circle", filled=True, opacity=1, stroke=theme.halo, strokeWidth=1.2)
        .encode(x="x:Q", y="y:Q", size=size, fill=_regime_scale("runner_up", theme))
    ]


def crossed_out(boxes: alt.Chart, theme: Theme) -> list[alt.Chart]:
    """Cells that were measured and of which nothing can be said."""
    return [
        boxes.mark_rect(fillOpacity=0, stroke=theme.grid, strokeWidth=1),
        boxes.mark_rule(stroke=theme.muted, strokeWidth=0.8, opacity=0.6),
    ]


def _band(table: PhaseTable, theme: Theme, here: str, data: str) -> list[alt.Chart]:
    """The interval around the boundary."""
    import altair as alt

    if not table.coverage:
        return []
    along = table.lines["along"].iloc[0]
    across = "y" if along == "x" else "x"
    edges = {along: f"{along}_low:Q", f"{along}2": f"{along}_high:Q", across: f"{across}:Q"}
    orient = "horizontal" if along == "x" else "vertical"
    area = alt.Chart(alt.NamedData(f"{data}_lines")).transform_filter(here)
    return [
        area.mark_area(orient=orient, color=theme.line, opacity=0.22, clip=True).encode(
            **edges, detail="segment:N"
        )
    ]


def line_layers(theme: Theme, here: str, data: str) -> list[alt.Chart]:
    """The boundary, where there is one: dashed, on a halo."""
    import altair as alt

    lines = alt.Chart(alt.NamedData(f"{data}_lines")).transform_filter(here)
    path = lines.encode(x="x:Q", y="y:Q", order="order:Q", detail="segment:N")
    return [
        path.mark_line(color=theme.halo, strokeWidth=5, opacity=0.85, clip=True),
        path.mark_line(color=theme.line, strokeWidth=2, strokeDash=[6, 4], clip=True),
    ]


def _unfinished(cells: alt.Chart, table: PhaseTable, theme: Theme) -> alt.Chart:
    """Three dots at the foot of cells whose trainings go on."""
    return (
        cells.transform_filter("datum.provisional")
        .mark_text(text="···", dy=-5, fontSize=14, fontWeight="bold", color=theme.line)
        .encode(x="x:Q", y="y_low:Q")
    )


def _tooltip() -> list[alt.Tooltip]:
    import altair as alt

    return [
        alt.Tooltip("cell:N", title="cell"),
        alt.Tooltip("regime:N", title="regime"),
        alt.Tooltip("share:Q", title="share of seeds", format=".0%"),
        alt.Tooltip("runner_up:N", title="runner-up"),
        alt.Tooltip("seeds:Q", title="seeds"),
        alt.Tooltip("step:Q", title="at step", format=","),
        alt.Tooltip("excess_copies:Q", title="excess copies E", format=".3f"),
        alt.Tooltip("novel_validity:Q", title="novel validity V", format=".3f"),
        alt.Tooltip("partial_margin:Q", title="λ − λ_fit − 2.33·SE", format=".3f"),
    ]


def phase_subtitle(table: PhaseTable, at: Thresholds = THRESHOLDS) -> list[str]:
    """What the colours and lines mean, thresholds included; no wider than the panels."""
    said = [
        f"Memorizing: E ≥ {at.memorizing:g}; generalizing: V ≥ {at.generalizing:g}; slop (partial "
        f"memorization): λ − λ_fit or E above {at.partial:g} by {at.standard_errors:g} SE.",
    ]
    if table.coverage is not None:
        band = f"; band: {table.coverage:.0%} interval over seeds" if table.coverage else ""
        said.append(f"Dashed: half of the seeds memorize{band}.")
    if table.cells["provisional"].any():
        said.append("···: trainings go on.")
    width = max(60, round(layout_of_diagram(table).whole / 5.6))
    return [line for text in said for line in textwrap.wrap(text, width)]
