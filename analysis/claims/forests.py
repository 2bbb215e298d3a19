"""The figure of an effect: over all seeds, and by what the trainings that it rests on share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.forest import SHOWN, forest_chart, forest_table
from analysis.charts.theme import Theme
from analysis.statistics.seeds import Estimate, over_seeds

if TYPE_CHECKING:
    import altair as alt


def forest_figure(
    estimate: Estimate,
    effects: pd.DataFrame,
    *,
    name: str,
    title: str,
    caption: str,
    axis: str,
    symbol: str,
) -> Figure | None:
    """A forest plot; None where there is no effect to show.

    Args:
        estimate: over everything.
        effects: `row`, `seed` and `value`; the values of a row and seed are averaged.
        name: of the claim.
        title, caption: of the figure; what ticks, dots and lines are is added.
        axis: title of the horizontal axis.
        symbol: of the effect.
    """
    if estimate.mean is None:
        return None
    seeds = effects.groupby(["row", "seed"], sort=False)["value"].mean().dropna().reset_index()
    rows = over_seeds(seeds, by=["row"]).rename(columns={"row": "cell"})
    ticks = seeds.rename(columns={"row": "cell"})
    table = forest_table(estimate, rows, ticks, value="value")
    data = f"{name.replace('-', '_')}_effects"

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return forest_chart(table, theme, data, axis=axis, symbol=symbol)

    return Figure(
        name=name,
        title=title,
        caption=(
            f"{caption} Ticks: seeds. Dots and lines: means over seeds with 95 % Student t "
            f"intervals, where there are two seeds. At most {SHOWN} rows are drawn."
        ),
        data={data: table},
        draw=draw,
    )
