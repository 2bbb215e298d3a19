"""Grids of small panels that all show the picked cell: curves with bands over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.domains import BANDS_FROM, EMPTY, domain_signal, extents
from analysis.charts.layout import headroom
from analysis.charts.theme import BAND, STEP_LABEL, Theme, level_colours, spaced
from analysis.statistics.series import Series

if TYPE_CHECKING:
    import altair as alt

WIDTH, HEIGHT = 270, 170

LEGEND_LETTERS = 46
"""More do not fit in one line below a panel."""

SHARES = (0.0, 1.05)
"""What panels of shares show at least; beyond 1, so that its label does not push the title up."""

SHOWN_BANDS = f"(datum.seeds >= {BANDS_FROM} || datum.seeds === 1) && isValid(datum.lower)"
"""Which rows have a band: over seeds, or of a single seed the error within its training."""

BANDS_SAID = (
    "Bands: 95 % Student t intervals, from three seeds on; of a single seed ±1.96 standard errors "
    "within its training, where they are known, which say nothing of other seeds. ▲ and ▼ at the "
    "frame: a band goes on beyond it."
)
"""What captions say of bands."""


@dataclass(frozen=True)
class Panel:
    """One panel of curves.

    Attributes:
        name: its key in the table.
        title, axis: what is drawn, and the label of its vertical axis.
        series: column of the table -> name in the legend; empty when levels are the series.
        level_column: column of `levels` that is drawn once per level.
        thresholds: values at which a thin line is drawn.
        least: what the vertical axis shows at least; it follows the picked cell.
    """

    name: str
    title: str
    axis: str
    series: Mapping[str, str]
    level_column: str | None = None
    thresholds: tuple[float, ...] = ()
    least: tuple[float, float] | None = None


def series_of(panels: Sequence[Panel]) -> list[Series]:
    """What the panels show, one entry per column."""
    found = []
    for panel in panels:
        found += [Series(panel.name, column, name) for column, name in panel.series.items()]
        if panel.level_column is not None:
            found.append(Series(panel.name, panel.level_column, None))
    return found


def panel_domains(
    table: pd.DataFrame, panels: Sequence[Panel], data: str
) -> dict[str, Mapping[str, list[float]]]:
    """Signal -> cell -> vertical domain of every panel that has data."""
    numbers = ["cell", "mean", "lower", "upper", "seeds"]
    shown = set(table["panel"].unique())
    return {
        domain_signal(data, panel.name): extents(
            table.loc[table["panel"] == panel.name, numbers], panel.least
        )
        for panel in panels
        if panel.name in shown
    }


def panel_grid(
    table: pd.DataFrame,
    panels: Sequence[Panel],
    x: alt.X | Mapping[str, alt.X],
    theme: Theme,
    *,
    data: str,
    picked: str,
    worth: bool = False,
) -> alt.ConcatChart:
    """The panels that have data, three to a row.

    Args:
        table: `panel`, `series`, `level`, `cell`, `mean`, `lower`, `upper`, `seeds`, `run` and the
            fields of `x`.
        panels: in reading order.
        x: the horizontal axis that all of them have, or each panel's own by name.
        theme: light or dark.
        data: name of the data set with the picked cell's rows.
        picked: the cell that is shown first.
        worth: whether `x` is a `worth_axis`.
    """
    import altair as alt

    deepest = table["level"].max()
    levels = level_colours(theme, 1 if pd.isna(deepest) else int(deepest) + 1)
    series = table[["panel", "series", "level"]].drop_duplicates()
    shown = {str(name): own for name, own in series.groupby("panel", observed=True)}
    domains = panel_domains(table[table["cell"] == picked], panels, data)
    drawn = [
        _panel(
            panel,
            shown[panel.name],
            x[panel.name] if isinstance(x, Mapping) else x,
            theme,
            levels,
            data,
            worth=worth,
        )
        for panel in panels
        if panel.name in shown
    ]
    names = [domain_signal(data, panel.name) for panel in panels if panel.name in shown]
    signals = [
        alt.param(name=name, value=domains.get(name, {}).get(picked, EMPTY)) for name in names
    ]
    if worth:
        signals.append(alt.param(name=WORTH, value=1))
    return alt.ConcatChart(
        concat=drawn,
        columns=3,
        spacing={"row": 26, "column": 34},
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(color="independent")),
        params=[
            signal.param  # pyright: ignore[reportArgumentType] - parameters have one
            for signal in signals
        ],
    )


def step_axis(
    steps: Sequence[int],
    *,
    field: str = "step",
    title: str | None = "training step",
    count: int = 6,
) -> alt.X:
    """Training steps on a log scale."""
    import altair as alt

    axis = alt.Axis(
        title=title,
        grid=False,
        values=spaced(steps, count),
        labelExpr=STEP_LABEL,
        labelOverlap="greedy",
    )
    scale = alt.Scale(type="log", domain=[steps[0], steps[-1]], nice=False, padding=6)
    return alt.X(f"{field}:Q", scale=scale, axis=axis)


WORTH, AT = "step_worth", "at"
"""The signal that holds what a step is worth on a `worth_axis`, and the field that it makes."""


def worth_axis(steps: Sequence[int]) -> alt.X:
    """Training steps on a log scale, or what they are worth in epochs or operations."""
    import altair as alt

    def worth(values: Sequence[int]) -> alt.ExprRef:
        return alt.ExprRef(f"[{', '.join(f'{value} * {WORTH}' for value in values)}]")

    axis = alt.Axis(
        title="training step",
        grid=False,
        values=worth(spaced(steps, 6)),
        labelExpr=f"{WORTH} === 1 ? ({STEP_LABEL}) : format(datum.value, '.3~s')",
        labelOverlap="greedy",
    )
    ends = worth([steps[0], steps[-1]])
    return alt.X(
        f"{AT}:Q", scale=alt.Scale(type="log", domain=ends, nice=False, padding=6), axis=axis
    )


def banded(
    base: alt.Chart,
    y: alt.Y,
    colour: alt.Color,
    tooltip: list[alt.Tooltip],
    *,
    title: str,
    domain: str,
    height: int = HEIGHT,
    bands: alt.Chart | None = None,
) -> list[alt.Chart]:
    """Bands, lines, and dots that say their numbers; where the frame cuts a band off, a triangle.

    Args:
        base: what they share.
        y: the means.
        colour: tells lines apart.
        tooltip: of the dots.
        title: of the vertical axis.
        domain: expression of the vertical domain.
        height: of the panel, in pixels.
        bands: `base` with fewer rows, where bands of all lines would hide each other.
    """
    import altair as alt

    low = alt.Y("lower:Q", title=title)
    intervals = (bands or base).transform_filter(SHOWN_BANDS)
    ends = (
        ("triangle-up", f"datum.upper > ({domain})[1]", 5),
        ("triangle-down", f"datum.lower < ({domain})[0]", height - 5),
    )
    cut = [
        intervals.transform_filter(beyond)
        .mark_point(shape=shape, filled=True, size=26, opacity=0.8)
        .encode(y=alt.value(at), color=colour)
        for shape, beyond, at in ends
    ]
    return [
        intervals.mark_area(opacity=BAND, clip=True).encode(y=low, y2="upper:Q", color=colour),
        *cut,
        base.mark_line(strokeWidth=2).encode(y=y, color=colour),
        base.mark_point(filled=True, size=22, opacity=1).encode(y=y, color=colour, tooltip=tooltip),
    ]


def numbers_tooltip(*first: alt.Tooltip) -> list[alt.Tooltip]:
    """What a dot says: what it is, and its mean and interval."""
    import altair as alt

    return [
        *first,
        alt.Tooltip("mean:Q", title="mean", format=".3f"),
        alt.Tooltip("lower:Q", title="lower", format=".3f"),
        alt.Tooltip("upper:Q", title="upper", format=".3f"),
        alt.Tooltip("seeds:Q", title="seeds"),
    ]


def rule_at(values: Sequence[float], theme: Theme, title: str) -> list[alt.Chart]:
    """Thin dotted lines across a panel."""
    import altair as alt

    return [
        alt.Chart(alt.sequence(1))
        .mark_rule(strokeDash=[2, 3], strokeWidth=1, color=theme.muted, clip=True)
        .encode(y=alt.YDatum(value, type="quantitative", title=title))
        for value in values
    ]


def series_legend(columns: int = 4) -> alt.Legend:
    """The legend below a panel."""
    import altair as alt

    return alt.Legend(
        orient="bottom", title=None, direction="horizontal", offset=4, columnPadding=8,
        labelLimit=260, columns=columns,
        symbolType="stroke", symbolSize=140, symbolOpacity=1, symbolStrokeWidth=3,
    )  # fmt: skip


def _panel(
    panel: Panel,
    table: pd.DataFrame,
    x: alt.X,
    theme: Theme,
    level_colour: Sequence[str],
    data: str,
    *,
    worth: bool,
) -> alt.LayerChart:
    import altair as alt

    names, colours = _series(panel, table, theme, level_colour)
    base = (
        alt.Chart(alt.NamedData(data))
        .transform_filter(f"datum.panel === '{panel.name}'")
        .encode(x=x, detail="run:O")
    )
    if worth:
        base = base.transform_calculate(**{AT: f"datum.step * {WORTH}"})
    legend = series_legend(4 if len("".join(names)) < LEGEND_LETTERS else 2)
    colour = alt.Color("series:N", scale=alt.Scale(domain=names, range=colours), legend=legend)
    domain = domain_signal(data, panel.name)
    limits = alt.Scale(domain=alt.ExprRef(domain), nice=False)
    y = alt.Y("mean:Q", scale=limits, axis=alt.Axis(title=panel.axis, tickCount=5))
    tooltip = numbers_tooltip(
        alt.Tooltip("series:N", title="curve"),
        alt.Tooltip("step:Q", title="step", format=","),
    )
    layers = [
        headroom(HEIGHT),
        *rule_at(panel.thresholds, theme, panel.axis),
        *banded(base, y, colour, tooltip, title=panel.axis, domain=domain),
    ]
    title = alt.Title(panel.title, fontSize=13)
    return alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=title)


def _series(
    panel: Panel, table: pd.DataFrame, theme: Theme, level_colour: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Names and colours of a panel's series; levels from root to leaves."""
    if panel.level_column is not None:
        levels = sorted(int(level) for level in table["level"].unique())
        return [f"level {level}" for level in levels], [level_colour[level] for level in levels]
    present = set(table["series"])
    pairs = zip(panel.series.values(), cycle(theme.series), strict=False)
    named = {name: colour for name, colour in pairs if name in present}
    return list(named), list(named.values())
