"""Pictures of where a search looked: cells by their seeds, the boundary, its band."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from analysis.charts.searches import seeds_shown
from analysis.charts.theme import BAND, LIGHT, config
from benchmarks.boundary.lattice import Observed
from benchmarks.boundary.ways import Crossing, Found

BOUNDARY, SEARCHED = "boundary", "found, with its band"
TRUE_COLOUR, FOUND_COLOUR = LIGHT.series[1], LIGHT.series[0]


class Panel(NamedTuple):
    """One search.

    Attributes:
        title: of its panel.
        truth: what it looked for.
        found: what it found.
        observed: where it looked.
    """

    title: str
    truth: Found
    found: Found
    observed: Observed


def looked(panels: list[Panel], boundary: str, columns: int = 2) -> dict[str, Any]:
    """The Vega-Lite document of several searches over log2 N and log2 W."""
    charts = [_panel(panel, boundary) for panel in panels]
    rows = [alt.hconcat(*charts[i : i + columns]) for i in range(0, len(charts), columns)]
    return {**alt.vconcat(*rows).to_dict(), "config": config(LIGHT)}


def write(document: dict[str, Any], path: Path) -> None:
    """A PNG of twice the size."""
    import vl_convert

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(vl_convert.vegalite_to_png(document, scale=2))


def as_crossings(truth: dict[float, list[float]]) -> Found:
    """True positions as crossings without a width."""
    return {line: [Crossing(x, x, x) for x in known] for line, known in truth.items()}


def _panel(panel: Panel, boundary: str) -> alt.LayerChart | alt.FacetChart:
    cells = panel.observed.trainings.lattice.cells
    low, high = cells.min(0), cells.max(0)
    counts = Counter(panel.observed.cells)
    dots = pd.DataFrame(
        [(*2 ** cells[i], counts[i]) for i in range(len(cells))], columns=["N", "W", "seeds"]
    )
    size = alt.X(
        "N:Q", title="dataset size N", scale=_scale(low[0], high[0]), axis=_axis(cells[:, 0])
    )
    width = alt.Y("W:Q", title="width W", scale=_scale(low[1], high[1]), axis=_axis(cells[:, 1]))
    empty = alt.Chart(dots[dots["seeds"] == 0]).mark_point(
        size=6, color=LIGHT.muted, filled=True, opacity=0.6
    )
    trained = alt.Chart(dots[dots["seeds"] > 0]).mark_circle(color=LIGHT.ink, opacity=0.75)
    seeds = alt.Size(
        "seeds:Q",
        title="seeds trained",
        scale=alt.Scale(domain=[1, panel.observed.trainings.seeds], range=[30, 240]),
        legend=alt.Legend(values=seeds_shown(panel.observed.trainings.seeds), format="d"),
    )
    found, true = _rows(panel.found, low[0], high[0]), _rows(panel.truth, low[0], high[0])
    colour = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(domain=[boundary, SEARCHED], range=[TRUE_COLOUR, FOUND_COLOUR]),
    )
    named = found.dropna(subset=["N"])
    bars = alt.Chart(found.assign(what=SEARCHED)).mark_rule(strokeWidth=7, opacity=2 * BAND)
    ticks = alt.Chart(named.assign(what=SEARCHED)).mark_tick(
        orient="vertical", thickness=2.5, size=14
    )
    crosses = alt.Chart(true.dropna(subset=["N"]).assign(what=boundary)).mark_point(
        shape="cross", size=55, filled=True
    )
    layers = [
        empty.encode(x=size, y=width),
        bars.encode(x=alt.X("lower:Q"), x2="upper:Q", y=width, color=colour),
        trained.encode(x=size, y=width, size=seeds),
        ticks.encode(x=size, y=width, color=colour),
        crosses.encode(x=size, y=width, color=colour),
    ]
    return alt.layer(*layers).properties(width=300, height=190, title=panel.title)


def _rows(found: Found, low: float, high: float) -> pd.DataFrame:
    """Crossings in N and W, bands cut at the ends of the axis."""
    rows = [
        (2**line, 2**each.position, 2 ** max(each.lower, low), 2 ** min(each.upper, high))
        for line, crossings in found.items()
        for each in crossings
    ]
    return pd.DataFrame(rows, columns=["W", "N", "lower", "upper"], dtype=float)


def _scale(low: float, high: float) -> alt.Scale:
    margin = 0.03 * (high - low)
    domain = [float(2 ** (low - margin)), float(2 ** (high + margin))]
    return alt.Scale(type="log", base=2, domain=domain, nice=False)


def _axis(values: np.ndarray) -> alt.Axis:
    ticks = [float(2**v) for v in np.unique(values)]
    return alt.Axis(values=ticks, format=".0f", grid=False, labelOverlap="greedy")
