"""What a search has found: where it looked for a boundary, or which cells nothing beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.axes import scale, ticks
from analysis.charts.theme import BAND, Theme
from analysis.frames.cells import label, title
from analysis.statistics.axes import axis_of

if TYPE_CHECKING:
    import altair as alt

WIDE, HIGH = 420, 260
ROW = 64
"""Pixels of a map, and of its height where there is a single axis."""
SHOWN = 4
"""Circles of a legend up to which each number of trainings has its own."""
BEST, OTHER = "on the front", "beaten"


class Lattice:
    """The cells that a search could look at, laid out in panels.

    Args:
        candidates: one row per cell: its coordinates, `probability` and `trainings`.
        along: the axis along which the boundary is told.
    """

    def __init__(self, candidates: pd.DataFrame, along: str) -> None:
        names = [name for name in candidates.columns if name not in ("probability", "trainings")]
        others = [name for name in names if name != along]
        self.x = axis_of(along, candidates[along])
        self.y_name = others[0] if others else None
        self.y = axis_of(self.y_name, candidates[self.y_name] if self.y_name else [])
        self.further = others[1:]

    def placed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows with their coordinates: `y` with its edges, `panel`, and on cells `x` with its."""
        placed = frame.copy()
        axes = [("y", self.y, self.y_name)]
        axes += [("x", self.x, self.x.field)] if self.x.field in frame else []
        for name, axis, field in axes:
            values = [None] * len(frame) if field is None else frame[field]
            plain = [value if value is None else float(value) for value in values]
            placed[name] = [axis.positions[value] for value in plain]
            placed[f"{name}_low"] = [axis.edges[value][0] for value in plain]
            placed[f"{name}_high"] = [axis.edges[value][1] for value in plain]
        keys = frame[self.further].itertuples(index=False, name=None)
        placed["panel"] = [label(self.further, key) for key in keys]
        return placed


def boundary_frames(
    lattice: Lattice, candidates: pd.DataFrame, boundary: pd.DataFrame, looked: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The data of `boundary_map`: `search_cells`, `search_band` and `search_looked`."""
    low, high = lattice.x.domain
    band = lattice.placed(boundary)
    for name in ("lower", "upper"):
        band[name] = band[name].clip(low, high)
    first = looked.groupby(_coordinates(looked), as_index=False).agg(
        order=("order", "min"), trainings=("order", "count")
    )
    first["rank"] = first["order"].rank(method="first").astype(int)
    keep = ["x", "y", "x_low", "x_high", "y_low", "y_high", "panel"]
    cells = lattice.placed(candidates)[[*keep, "probability", "trainings"]]
    bands = band[["y", "y_low", "y_high", "panel", "position", "lower", "upper", "direction"]]
    dots = lattice.placed(first)[["x", "y", "panel", "rank", "trainings"]]
    return {"search_cells": cells, "search_band": bands, "search_looked": dots}


def _coordinates(looked: pd.DataFrame) -> list[str]:
    told = ("order", "training", "seed", "step", "value", "flop")
    return [name for name in looked.columns if name not in told]


def boundary_map(
    lattice: Lattice, frames: dict[str, pd.DataFrame], theme: Theme
) -> alt.VConcatChart:
    """A map per combination of further settings: probability, band, crossing, where it looked."""
    import altair as alt

    panels = sorted(frames["search_cells"]["panel"].unique())
    most = int(frames["search_looked"]["trainings"].max())
    return alt.vconcat(*(_panel(lattice, panel, most, theme) for panel in panels), spacing=18)


def seeds_shown(most: int) -> list[int]:
    """Numbers of trainings of a cell that a legend shows, up to the most that any cell has."""
    return list(range(1, most + 1)) if most <= SHOWN else [1, (1 + most) // 2, most]


def _panel(lattice: Lattice, panel: str, most: int, theme: Theme) -> alt.LayerChart:
    import altair as alt

    def chart(name: str) -> alt.Chart:
        return alt.Chart(alt.NamedData(name)).transform_filter(alt.datum.panel == panel)

    layers = [
        _probabilities(chart("search_cells"), lattice, theme),
        *_crossing(chart("search_band"), lattice, theme),
        *_visits(chart("search_looked"), lattice, most, theme),
    ]
    height = HIGH if lattice.y_name else ROW
    heading = alt.Title(panel, fontSize=12, fontWeight="normal", offset=6)
    return alt.LayerChart(layer=layers, width=WIDE, height=height, title=heading)


def _x(lattice: Lattice, field: str) -> alt.X:
    import altair as alt

    return alt.X(f"{field}:Q", scale=scale(lattice.x), axis=ticks(lattice.x))


def _y(lattice: Lattice, field: str) -> alt.Y:
    import altair as alt

    return alt.Y(f"{field}:Q", scale=scale(lattice.y), axis=ticks(lattice.y))


def _probabilities(cells: alt.Chart, lattice: Lattice, theme: Theme) -> alt.Chart:
    """How probably each cell lies above the level."""
    import altair as alt

    probability = alt.FillOpacity(
        "probability:Q",
        scale=alt.Scale(domain=[0, 1], range=[0.04, 0.75]),
        legend=alt.Legend(title="P(above the level)", orient="bottom"),
    )
    return cells.mark_rect(fill=theme.series[0], stroke=theme.background).encode(
        x=_x(lattice, "x_low"),
        x2="x_high:Q",
        y=_y(lattice, "y_low"),
        y2="y_high:Q",
        fillOpacity=probability,
        tooltip=[alt.Tooltip("probability:Q", format=".2f"), alt.Tooltip("trainings:Q")],
    )


def _crossing(band: alt.Chart, lattice: Lattice, theme: Theme) -> list[alt.Chart]:
    """Where the level is crossed, and the band around it."""
    y = _y(lattice, "y_low")
    return [
        band.mark_rect(fill=theme.line, opacity=BAND).encode(
            x=_x(lattice, "lower"), x2="upper:Q", y=y, y2="y_high:Q"
        ),
        band.mark_rule(color=theme.line, strokeWidth=3).encode(
            x=_x(lattice, "position"), y=y, y2="y_high:Q"
        ),
    ]


def _visits(looked: alt.Chart, lattice: Lattice, most: int, theme: Theme) -> list[alt.Chart]:
    """The cells where it looked, numbered in their order."""
    import altair as alt

    x, y = _x(lattice, "x"), _y(lattice, "y")
    size = alt.Size(
        "trainings:Q",
        scale=alt.Scale(domain=[1, max(most, 2)], range=[190, 520]),
        legend=alt.Legend(title="trainings", orient="bottom", values=seeds_shown(most), format="d"),
    )
    return [
        looked.mark_point(
            shape="circle", filled=True, fill=theme.background, stroke=theme.line, opacity=1
        ).encode(x=x, y=y, size=size, tooltip=["rank:Q", "trainings:Q"]),
        looked.mark_text(fontSize=9, color=theme.ink).encode(x=x, y=y, text="rank:Q"),
    ]


def front_frame(cells: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The data of `front_chart`: one row per cell, `x` and `y` with intervals over seeds."""
    frame = pd.DataFrame({"cell": cells["cell"], "step": cells["step"]})
    for axis, name in zip(("x", "y"), names, strict=False):
        frame[axis] = cells[name]
        frame[f"{axis}_lower"] = cells[f"{name} lower"].astype(float)
        frame[f"{axis}_upper"] = cells[f"{name} upper"].astype(float)
    frame["kind"] = cells["pareto"].map({True: BEST, False: OTHER})
    frame["feasible"] = cells["feasible"]
    return frame


def front_chart(names: Sequence[str], theme: Theme) -> alt.LayerChart:
    """Every cell by two measures, those on the front in colour, with intervals over seeds."""
    import altair as alt

    rows = alt.Chart(alt.NamedData("search_front"))
    x = alt.X("x:Q", title=title(names[0]), scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title=title(names[1]), scale=alt.Scale(zero=False))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=[BEST, OTHER], range=[theme.series[0], theme.muted]),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    numbers = [alt.Tooltip("x:Q", title=names[0], format=".3f")]
    numbers += [alt.Tooltip("y:Q", title=names[1], format=".3f")]
    layers = [
        rows.mark_rule(opacity=0.5).encode(x="x_lower:Q", x2="x_upper:Q", y=y, color=colour),
        rows.mark_rule(opacity=0.5).encode(x=x, y="y_lower:Q", y2="y_upper:Q", color=colour),
        rows.mark_point(filled=True, opacity=1, size=70).encode(
            x=x, y=y, color=colour, tooltip=["cell:N", "step:Q", *numbers]
        ),
    ]
    return alt.LayerChart(layer=layers, width=WIDE, height=HIGH)
