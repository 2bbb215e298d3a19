"""Onsets against a setting, with the fitted slope: one chart for every claim about onsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.charts.theme import STEP_LABEL, Theme
from analysis.statistics.onset_slopes import OnsetSlope

if TYPE_CHECKING:
    import altair as alt

SHOWN = 6
"""Groups with more trainings come first; as many as have colours that can be told apart."""

MOST = 600
"""Dots, thinned evenly."""

KNOWN, LATER, EARLIER = "known", "later than this", "earlier than this"


@dataclass(frozen=True)
class OnsetAxes:
    """What the axes of an onset chart say.

    Attributes:
        x, y: titles.
        base: of the logarithm that the covariate is; None where it is the setting itself.
        steps: whether y is a number of steps, rather than a ratio.
    """

    x: str
    y: str
    base: float | None = float(np.e)
    steps: bool = True

    def setting(self, covariate: pd.Series) -> pd.Series:
        """The setting itself from the covariate."""
        return covariate if self.base is None else self.base**covariate


def onset_table(slope: OnsetSlope, axes: OnsetAxes) -> pd.DataFrame:
    """A row per training that was tested, and two for the line of each group.

    Returns:
        `kind` ("line", or what is known of the onset), `group`, `cell`, `seed`, `x` (the setting),
        `y` (steps, or a ratio; of a censored onset the end that is known).
    """
    tested = slope.tested
    shown = tested["group"].value_counts(sort=True).head(SHOWN).index
    dots = tested[tested["group"].isin(shown)]
    dots = dots.iloc[:: -(-max(len(dots), 1) // MOST)]
    known, open_above = dots["low"] == dots["high"], dots["high"] == np.inf
    kind = np.select([known, open_above], [KNOWN, LATER], default=EARLIER)
    dots = dots.assign(kind=kind, y=dots["low"].where(known | open_above, dots["high"]))
    lines = slope.lines[slope.lines["group"].isin(shown)].assign(kind="line", cell=None, seed=None)
    columns = ["kind", "group", "cell", "seed", "x", "y"]
    parts = [part[columns].astype({"seed": "Int64"}) for part in (dots, lines) if len(part)]
    table = pd.concat(parts, ignore_index=True)
    x, y = table["x"].astype(float), table["y"].astype(float)
    return table.assign(x=axes.setting(x), y=np.exp(y))


def onset_chart(table: pd.DataFrame, theme: Theme, data: str, axes: OnsetAxes) -> alt.LayerChart:
    """Dots, triangles for what is only known to lie beyond, and a line for each group.

    Args:
        table: from `onset_table`.
        theme: light or dark.
        data: name of the data set with its rows.
        axes: their titles and scales.
    """
    import altair as alt

    groups = sorted(table["group"].unique())
    values = sorted(float(f"{x:.6g}") for x in table["x"].unique())
    labels = STEP_LABEL if axes.steps else "format(datum.value, '.3~g')"
    ticks = values if len(values) <= 10 else alt.Undefined
    x = alt.X(
        "x:Q",
        scale=_scale(table["x"], log=axes.base is not None),
        axis=alt.Axis(title=axes.x, values=ticks, format="~r", grid=False),
    )
    y = alt.Y(
        "y:Q",
        scale=_scale(table["y"], log=True),
        axis=alt.Axis(title=axes.y, labelExpr=labels, values=_powers(table["y"])),
    )
    legend = None if len(groups) == 1 else alt.Legend(title=None, labelLimit=300)
    colours = [*theme.series, *theme.levels[1::3]][: len(groups)]
    colour = alt.Color("group:N", scale=alt.Scale(domain=groups, range=colours), legend=legend)
    shape = alt.Shape(
        "kind:N",
        scale=alt.Scale(
            domain=[KNOWN, LATER, EARLIER], range=["circle", "triangle-up", "triangle-down"]
        ),
        legend=alt.Legend(title="onset", symbolStrokeColor=theme.muted),
    )
    rows = alt.Chart(alt.NamedData(data)).encode(x=x, y=y, color=colour)
    tooltip = [
        alt.Tooltip("cell:N"),
        alt.Tooltip("seed:Q"),
        alt.Tooltip("y:Q", title=axes.y, format=".4~r"),
        alt.Tooltip("kind:N", title="onset"),
    ]
    layers = [
        rows.transform_filter("datum.kind === 'line'").mark_line(strokeWidth=2, opacity=0.85),
        rows.transform_filter("datum.kind !== 'line'")
        .mark_point(size=48, opacity=0.8, strokeWidth=1.5)
        .encode(shape=shape, tooltip=tooltip),
    ]
    return alt.LayerChart(layer=layers, width=460, height=280)


def _powers(values: pd.Series) -> list[float]:
    """Powers of two among the values, so many that their labels do not touch."""
    low, high = (int(end) for end in np.log2([values.min(), values.max()]).round())
    return [2.0**k for k in range(low, high + 1, (high - low) // 8 + 1)]


def _scale(values: pd.Series, *, log: bool) -> alt.Scale:
    """All values with room around."""
    import altair as alt

    low, high = float(values.min()), float(values.max())
    if log:
        room = max((high / low) ** 0.08, 1.05)
        ends, kind = (low / room, high * room), "log"
    else:
        room = 0.08 * max(high - low, 1e-3)
        ends, kind = (low - room, high + room), "linear"
    return alt.Scale(type=kind, domain=[float(f"{end:.4g}") for end in ends], nice=False)
