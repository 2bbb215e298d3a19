"""Maps: an order parameter over the axes of the phase diagram, as colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.charts.phase_diagram import crossed_out, diagram, line_layers
from analysis.charts.theme import Theme
from analysis.statistics.order_parameters import Kind
from analysis.statistics.phase_diagram import PhaseTable

if TYPE_CHECKING:
    import altair as alt

RISING = ("#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743", "#fde725")
"""From low to high: viridis, even to the eye and in grey; one for both themes."""

SIGNED = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")
"""From below to above 0, which is nearly white."""

LIMITS, COLOURS, LOG = "map_limits", "map_colours", "map_log"
"""Names of the signals: what the colours span, the colours, whether shades are logarithms."""


def colours_of(kind: Kind) -> tuple[str, ...]:
    """The colours of a kind of order parameter."""
    return SIGNED if kind == "signed" else RISING


def shade(kind: Kind, values: pd.Series) -> pd.Series:
    """Where values lie on the scale of their colours: steps by their logarithm."""
    return values.map(np.log2) if kind == "steps" else values


def map_table(phase: PhaseTable, values: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """The cells of a diagram with one order parameter.

    Args:
        phase: the diagram.
        values: `cell`, `step`, `mean`, `lower`, `upper`, `seeds`, one row per cell.
        kind: of the parameter.

    Returns:
        The places of the cells with these columns and `shade`; undefined ones are missing.
    """
    places = ["cell", "panel", "x", "x_low", "x_high", "y", "y_low", "y_high"]
    table = phase.cells[places].merge(values, on="cell", how="left")
    return table.assign(
        shade=shade(kind, table["mean"]), half=(table["upper"] - table["lower"]) / 2
    )


def map_panels(
    table: PhaseTable,
    theme: Theme,
    picked: str | None,
    data: str,
    *,
    kind: Kind,
    limits: Sequence[float],
    title: str,
) -> alt.ConcatChart:
    """The panels of a map; undefined cells are crossed out.

    What the colours span and are can be changed by signals, so that one drawing serves all maps.

    Args:
        table: the diagram.
        theme: light or dark.
        picked: the cell that is framed first; None: none is.
        data: name of the data set of `map_table`; that of the boundary is `{data}_lines`.
        kind: of the parameter that is drawn first.
        limits: what its colours span, in its own units.
        title: of its legend.
    """
    import altair as alt

    steps = kind == "steps"
    low, high = (float(np.log2(end)) if steps else float(end) for end in limits)
    colours = colours_of(kind)
    shown = [alt.ExprRef(f"{COLOURS}[{i}]") for i in range(len(colours))]
    scale = alt.Scale(type="linear", domain=alt.ExprRef(LIMITS), range=shown, interpolate="rgb")
    labels = f"{LOG} ? format(pow(2, datum.value), ',.3~s') : format(datum.value, '.2~f')"
    legend = alt.Legend(
        title=None, orient="bottom", gradientLength=260, gradientThickness=12, labelExpr=labels,
        tickCount=5,
    )  # fmt: skip

    def layers(cells: alt.Chart, boxes: alt.Chart, here: str) -> list[alt.Chart]:
        fill = alt.Fill("shade:Q", scale=scale, legend=legend)
        return [
            *crossed_out(boxes.transform_filter("!isValid(datum.shade)"), theme),
            boxes.transform_filter("isValid(datum.shade)")
            .mark_rect(stroke=theme.background, strokeWidth=1)
            .encode(fill=fill),
            *line_layers(theme, here, data),
            cells.transform_filter("isValid(datum.censored)")
            .mark_text(fontSize=13, fontWeight="bold", color=theme.line, stroke=theme.halo,
                       strokeWidth=0.4)
            .encode(x="x:Q", y="y:Q", text="censored:N"),
        ]  # fmt: skip

    signals = [
        alt.param(name=LIMITS, value=[low, high]),
        alt.param(name=COLOURS, value=list(colours)),
        alt.param(name=LOG, value=steps),
    ]
    panels = diagram(table, theme, picked, data, layers, _tooltip(title))
    return panels.add_params(*signals)


def _tooltip(title: str) -> list[alt.Tooltip]:
    import altair as alt

    return [
        alt.Tooltip("cell:N", title="cell"),
        alt.Tooltip("said:N", title=title),
        alt.Tooltip("seeds:Q", title="seeds"),
        alt.Tooltip("step:Q", title="at step", format=","),
    ]
