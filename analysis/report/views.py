"""What a page holds of the diagram over other axes than those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.charts.axes import scale, ticks
from analysis.charts.figure import plain
from analysis.charts.phase_diagram import layout_of_diagram, phase_subtitle
from analysis.statistics.axes import Axis
from analysis.statistics.phase_diagram import PLACES, PhaseTable
from analysis.statistics.views import View


def document(views: Sequence[View]) -> list[dict[str, Any]]:
    """Each view with its `key` and `title`, and beyond the first one how it is drawn.

    The page draws it from the panels of the first: `x` and `y` are its axes, `places` the columns
    of its cells, `lines` those of the dashed line at the end.
    """
    first, *others = views
    drawn = [{"key": view.key, "title": view.title, **_drawn(view.phase)} for view in others]
    return [{"key": first.key, "title": first.title}, *drawn]


def _drawn(phase: PhaseTable) -> dict[str, Any]:
    size = layout_of_diagram(phase)
    lines = phase.lines
    return {
        "panels": list(phase.panels),
        "columns": size.columns,
        "width": size.width,
        "height": size.height,
        "subtitle": phase_subtitle(phase),
        "x": _axis(phase.x),
        "y": {**_axis(phase.y), "bare": ticks(phase.y, labels=False).to_dict(validate=False)},
        "along": None if lines.empty else lines["along"].iloc[0],
        "band": bool(phase.coverage),
        "places": {name: plain(phase.cells[name]) for name in ("cell", "panel", *PLACES)},
        "lines": {str(name): plain(lines[name]) for name in lines},
    }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "scale": scale(axis).to_dict(validate=False),
        "axis": ticks(axis).to_dict(validate=False),
    }
