"""One effect of every cell and over all cells, with intervals: a forest plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.cuts import cut_ends
from analysis.charts.theme import Theme
from analysis.statistics.seeds import Estimate

if TYPE_CHECKING:
    import altair as alt

ALL = "all cells"

SHOWN = 40
"""More cells than this do not fit a page; the data files hold them all."""


def forest_table(
    whole: Estimate, cells: pd.DataFrame, trainings: pd.DataFrame, *, value: str
) -> pd.DataFrame:
    """One row for all cells and one per cell, then one per training.

    Args:
        whole: the effect over all cells.
        cells: `cell`, `mean`, `lower`, `upper`, `seeds`.
        trainings: `cell` and the effect of each training.
        value: the column that holds it.

    Returns:
        `kind` ("all", "cell" or "seed"), `row` (the cell, or `all cells`), `mean`, `lower`,
        `upper`, `seeds`; a training has only a mean.
    """
    first = pd.DataFrame([{"kind": "all", "row": ALL, **whole._asdict()}])
    shown = cells.head(SHOWN).rename(columns={"cell": "row"}).assign(kind="cell")
    seeds = trainings[trainings["cell"].isin(shown["row"])]
    seeds = seeds.rename(columns={"cell": "row", value: "mean"})
    seeds = seeds.assign(kind="seed", lower=None, upper=None, seeds=1)
    columns = ["kind", "row", "mean", "lower", "upper", "seeds"]
    numbers = dict.fromkeys(("mean", "lower", "upper"), "float64")
    parts = [part[columns].astype(numbers) for part in (first, shown, seeds) if len(part)]
    return pd.concat(parts, ignore_index=True)


def forest_chart(
    table: pd.DataFrame, theme: Theme, data: str, *, axis: str, symbol: str
) -> alt.LayerChart:
    """Intervals around dots, the trainings as small ticks, and a line at zero.

    Args:
        table: from `forest_table`.
        theme: light or dark.
        data: name of the data set with its rows.
        axis: title of the horizontal axis.
        symbol: of the effect.
    """
    import altair as alt

    order = table[table["kind"] != "seed"]["row"].tolist()
    means = pd.concat([table["mean"], pd.Series([0.0])])
    room = 0.35 * float(means.max() - means.min())
    limits = [float(means.min()) - room, float(means.max()) + room]
    x = alt.X(
        "mean:Q",
        scale=alt.Scale(domain=limits, nice=False),
        axis=alt.Axis(title=axis, tickCount=7),
    )
    y = alt.Y(
        "row:N",
        sort=order,
        axis=alt.Axis(title=None, grid=False, domain=False, ticks=False, labelLimit=320),
    )
    rows = alt.Chart(alt.NamedData(data)).encode(x=x, y=y)
    summary = rows.transform_filter("datum.kind !== 'seed'")
    size = alt.condition("datum.kind === 'all'", alt.value(120), alt.value(56))
    width = alt.condition("datum.kind === 'all'", alt.value(3), alt.value(1.5))
    zero = alt.Chart(alt.sequence(1)).mark_rule(color=theme.muted, strokeDash=[2, 3])
    layers = [
        zero.encode(x=alt.XDatum(0, type="quantitative")),
        rows.transform_filter("datum.kind === 'seed'").mark_tick(
            color=theme.muted, opacity=0.7, thickness=1.5, height=9
        ),
        summary.mark_rule(color=theme.series[0], clip=True).encode(
            x="lower:Q", x2="upper:Q", strokeWidth=width
        ),
        *cut_ends(summary, limits, theme.series[0]),
        summary.mark_point(filled=True, color=theme.series[0], opacity=1).encode(
            size=size,
            tooltip=[
                alt.Tooltip("row:N", title="cell"),
                alt.Tooltip("mean:Q", title=symbol, format=".3f"),
                alt.Tooltip("lower:Q", title="lower", format=".3f"),
                alt.Tooltip("upper:Q", title="upper", format=".3f"),
                alt.Tooltip("seeds:Q", title="seeds"),
            ],
        ),
    ]
    return alt.LayerChart(layer=layers, width=560, height=alt.Step(20))
