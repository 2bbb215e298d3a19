"""The typicality slope of every cell while copying sets in, and over all cells: claim C1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.theme import Theme
from analysis.claims.claims import TypicalFirst

if TYPE_CHECKING:
    import altair as alt

ALL = "all cells"

CELLS_SHOWN = 40
"""More rows than this do not fit a page; the data files hold them all."""


def slopes_table(found: TypicalFirst) -> pd.DataFrame:
    """One row per cell that was tested and one for all cells, then one per training.

    Returns:
        `kind` ("all", "cell" or "seed"), `row` (the cell, or `all cells`), `mean`, `lower`,
        `upper`, `seeds`; a training has only a mean.
    """
    claim = found.claim
    whole = {"mean": claim.effect, "lower": claim.lower, "upper": claim.upper}
    first = pd.DataFrame([{"kind": "all", "row": ALL, **whole, "seeds": claim.seeds}])
    cells = found.cells.head(CELLS_SHOWN).rename(columns={"cell": "row"}).assign(kind="cell")
    seeds = found.trainings[found.trainings["typicality_slope"].notna()]
    seeds = seeds[seeds["cell"].isin(cells["row"])]
    seeds = seeds.rename(columns={"cell": "row", "typicality_slope": "mean"})
    seeds = seeds.assign(kind="seed", lower=None, upper=None, seeds=1)
    columns = ["kind", "row", "mean", "lower", "upper", "seeds"]
    numbers = dict.fromkeys(("mean", "lower", "upper"), "float64")
    parts = [part[columns].astype(numbers) for part in (first, cells, seeds) if len(part)]
    return pd.concat(parts, ignore_index=True)


def slopes_chart(table: pd.DataFrame, theme: Theme, data: str) -> alt.LayerChart:
    """Intervals around dots, the trainings as small ticks; right of zero, typical ones first."""
    import altair as alt

    order = table[table["kind"] != "seed"]["row"].tolist()
    means = pd.concat([table["mean"], pd.Series([0.0])])
    room = 0.35 * float(means.max() - means.min())
    limits = [float(means.min()) - room, float(means.max()) + room]
    x = alt.X(
        "mean:Q",
        scale=alt.Scale(domain=limits, nice=False),
        axis=alt.Axis(title="typicality slope T: atypical first ← 0 → typical first", tickCount=7),
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
        summary.mark_point(filled=True, color=theme.series[0], opacity=1).encode(
            size=size,
            tooltip=[
                alt.Tooltip("row:N", title="cell"),
                alt.Tooltip("mean:Q", title="T", format=".3f"),
                alt.Tooltip("lower:Q", title="lower", format=".3f"),
                alt.Tooltip("upper:Q", title="upper", format=".3f"),
                alt.Tooltip("seeds:Q", title="seeds"),
            ],
        ),
    ]
    return alt.LayerChart(layer=layers, width=560, height=alt.Step(20))
