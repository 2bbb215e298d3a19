"""One quantity along an axis: every seed as a thin line, their mean with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.theme import BAND, Theme
from analysis.statistics.seeds import over_seeds

if TYPE_CHECKING:
    import altair as alt

SHOWN = 40
"""More lines than these hide each other; the data files hold them all."""


def profiles_table(values: pd.DataFrame) -> pd.DataFrame:
    """The mean over seeds, then the seeds.

    Args:
        values: `seed`, `x` and `mean`, one row per point of a seed's line.

    Returns:
        `kind` ("all" or "seed"), `seed` (missing for the mean), `x`, `mean`, `lower`, `upper` and
        `seeds`; a seed has only a mean.
    """
    whole = over_seeds(values, by=["x"], value="mean").assign(kind="all", seed=None)
    shown = values["seed"].drop_duplicates().head(SHOWN)
    own = values[values["seed"].isin(shown)]
    own = own.assign(kind="seed", lower=None, upper=None, seeds=1)
    columns = ["kind", "seed", "x", "mean", "lower", "upper", "seeds"]
    types = {**dict.fromkeys(("mean", "lower", "upper", "x"), "float64"), "seed": "Int64"}
    parts = [part[columns].astype(types) for part in (whole, own) if len(part)]
    return pd.concat(parts).sort_values(["kind", "seed", "x"], ignore_index=True)


def profiles_chart(
    table: pd.DataFrame, theme: Theme, data: str, *, x: str, y: str, doubling: bool = False
) -> alt.LayerChart:
    """Lines over the axis, and a line at zero.

    Args:
        table: from `profiles_table`.
        theme: light or dark.
        data: name of the data set with its rows.
        x, y: titles of the axes.
        doubling: whether the horizontal axis is logarithmic.
    """
    import altair as alt

    ticks = sorted(table["x"].unique().tolist())
    log = alt.Scale(type="log", base=2, nice=False)
    scale = log if doubling else alt.Scale(domain=[0, 1])
    axis = alt.Axis(title=x, grid=False)
    if doubling:
        axis = alt.Axis(title=x, grid=False, values=ticks)
    rows = alt.Chart(alt.NamedData(data)).encode(
        x=alt.X("x:Q", scale=scale, axis=axis),
        y=alt.Y("mean:Q", axis=alt.Axis(title=y, tickCount=6)),
    )
    whole = rows.transform_filter("datum.kind === 'all'")
    tooltip = [
        alt.Tooltip("x:Q", title=x),
        alt.Tooltip("mean:Q", title=y, format=".3~g"),
        alt.Tooltip("lower:Q", format=".3~g"),
        alt.Tooltip("upper:Q", format=".3~g"),
        alt.Tooltip("seeds:Q"),
    ]
    dot = {"size": 50, "filled": True, "color": theme.series[0]}
    zero = alt.Chart(alt.sequence(1)).mark_rule(color=theme.muted, strokeDash=[2, 3])
    layers = [
        zero.encode(y=alt.YDatum(0, type="quantitative")),
        rows.transform_filter("datum.kind === 'seed'")
        .mark_line(color=theme.muted, opacity=0.45, strokeWidth=1)
        .encode(detail="seed:N"),
        whole.mark_area(color=theme.series[0], opacity=BAND).encode(y="lower:Q", y2="upper:Q"),
        whole.mark_line(color=theme.series[0], strokeWidth=2.5, point=dot)
        .encode(tooltip=tooltip),
    ]  # fmt: skip
    return alt.LayerChart(layer=layers, width=560, height=260)
