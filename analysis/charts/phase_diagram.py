"""How a phase diagram is drawn: panels of coloured cells that can be picked."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from analysis.charts.axes import scale, ticks
from analysis.charts.theme import Theme
from analysis.statistics.phase_diagram import PhaseTable
from analysis.statistics.regimes import REGIMES, THRESHOLDS, Thresholds

if TYPE_CHECKING:
    import altair as alt


def phase_panels(
    table: PhaseTable, theme: Theme, picked: alt.Parameter | None, data: str
) -> alt.VConcatChart:
    """The panels of the diagram, three to a row.

    Args:
        table: what is shown.
        theme: light or dark.
        picked: the point selection of a cell, added to every panel; None: no cell can be picked.
        data: name of the data set of `table.cells`; that of `table.lines` is `{data}_lines`.
    """
    import altair as alt

    columns = 1 if table.y.field is None else 3
    rows = []
    for start in range(0, len(table.panels), columns):
        shown = table.panels[start : start + columns]
        panels = [
            _panel(table, panel, theme, picked, data, first=i == 0) for i, panel in enumerate(shown)
        ]
        rows.append(alt.hconcat(*panels, spacing=18))
    return alt.vconcat(*rows, spacing=18)


def _panel(
    table: PhaseTable,
    panel: str,
    theme: Theme,
    picked: alt.Parameter | None,
    data: str,
    *,
    first: bool,
) -> alt.LayerChart:
    import altair as alt

    here = f"datum.panel === {json.dumps(panel)}"
    cells = alt.Chart(alt.NamedData(data)).transform_filter(here)
    x = alt.X("x_low:Q", scale=scale(table.x), axis=ticks(table.x))
    y = alt.Y("y_low:Q", scale=scale(table.y), axis=ticks(table.y, labels=first))
    boxes = cells.encode(x=x, x2="x_high:Q", y=y, y2="y_high:Q")
    layers = [
        boxes.transform_filter("datum.regime !== null")
        .mark_rect(stroke=theme.background, strokeWidth=_gap(table))
        .encode(fill=_regime_scale("regime", theme)),
        *_band(table, theme, here, data),
        *_runners_up(cells, table, theme),
        *_line(table, theme, here, data),
        _unfinished(cells, table, theme),
        *_targets(boxes, theme, picked, name=f"cells_{table.panels.index(panel)}"),
    ]
    width, height = panel_size(table)
    heading = alt.Title(panel, fontSize=12, fontWeight="normal", offset=6)
    return alt.LayerChart(layer=layers, width=width, height=height, title=heading)


def _targets(
    boxes: alt.Chart, theme: Theme, picked: alt.Parameter | None, *, name: str
) -> list[alt.Chart]:
    """What lies on top of every cell and says its numbers, and a frame around the picked one."""
    import altair as alt

    said = boxes.encode(tooltip=_tooltip(), description=alt.Description("cell:N"))
    if picked is None:
        return [said.mark_rect(fillOpacity=0, strokeOpacity=0)]
    target = said.mark_rect(fillOpacity=0, strokeOpacity=0, cursor="pointer")
    return [
        boxes.transform_filter(picked).mark_rect(fillOpacity=0, stroke=theme.line, strokeWidth=3),
        target.properties(name=name).add_params(picked),
    ]


def _gap(table: PhaseTable) -> float:
    """Pixels between cells: less where cells are small, or nothing else would be seen."""
    width, height = panel_size(table)
    side = min(width / len(table.x.positions), height / len(table.y.positions))
    return 1 if side >= 12 else 0.3


def panel_size(table: PhaseTable) -> tuple[int, int]:
    """Pixels of a panel: roughly square cells, never wider than a third of the page."""
    columns, rows = len(table.x.positions), len(table.y.positions)
    widest = 200 if len(table.panels) > 2 else 260 if len(table.panels) == 2 else 420
    if table.y.field is None:
        return 420, 64
    return min(widest, max(140, 84 * columns)), min(280, max(150, 64 * rows))


def _regime_scale(field: str, theme: Theme) -> alt.Fill:
    import altair as alt

    shown = alt.Legend(
        title="regime", orient="bottom", symbolType="square", symbolSize=170, symbolStrokeWidth=0
    )
    return alt.Fill(
        f"{field}:N",
        scale=alt.Scale(domain=list(REGIMES), range=list(theme.regimes)),
        legend=shown,
    )


def _runners_up(cells: alt.Chart, table: PhaseTable, theme: Theme) -> list[alt.Chart]:
    """Dots in the colour of the second regime, their area its share of the seeds."""
    import altair as alt

    shares = sorted(set(table.cells["runner_up_share"].dropna().round(3)))
    if not shares:
        return []
    width, height = panel_size(table)
    side = min(width / len(table.x.positions), height / len(table.y.positions))
    largest = min(260.0, 0.3 * side**2)
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


def _line(table: PhaseTable, theme: Theme, here: str, data: str) -> list[alt.Chart]:
    """The boundary: dashed, on a halo."""
    import altair as alt

    if table.lines.empty:
        return []
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
        f"memorizing: E ≥ {at.memorizing:g}; generalizing: V ≥ {at.generalizing:g}",
        f"slop (partial memorization): λ − λ_fit or E above {at.partial:g} by "
        f"{at.standard_errors:g} SE",
    ]
    if table.coverage is not None:
        band = f"; band: {table.coverage:.0%} interval over seeds" if table.coverage else ""
        said.append(f"dashed: half of the seeds memorize{band}")
    if table.cells["provisional"].any():
        said.append("··· trainings go on")
    columns = 1 if table.y.field is None else min(3, len(table.panels))
    width = columns * panel_size(table)[0] + (columns - 1) * 18
    return [line for text in said for line in textwrap.wrap(text, max(70, round(width / 5.4)))]
