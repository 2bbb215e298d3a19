"""T_E against T_L, training by training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.theme import Theme
from analysis.statistics.seeds import Estimate

if TYPE_CHECKING:
    import altair as alt

SHOWN = 2000
"""More dots than these hide each other; the data files hold them all."""


def pairs_table(trainings: pd.DataFrame, copying: Estimate, likelihood: Estimate) -> pd.DataFrame:
    """One row per training with both slopes and one for the mean over seeds.

    Args:
        trainings: `cell`, `seed`, `typicality_slope` (T_E) and `likelihood_slope` (T_L).
        copying, likelihood: T_E and T_L over seeds.

    Returns:
        `kind` ("training" or "mean"), `cell`, `seed`, `t`, `t_l`, and of the mean the ends of its
        intervals `t_lower`, `t_upper`, `t_l_lower`, `t_l_upper`.
    """
    every = -(-len(trainings) // SHOWN)
    named = {"typicality_slope": "t", "likelihood_slope": "t_l"}
    dots = trainings.iloc[::every].rename(columns=named)[["cell", "seed", "t", "t_l"]]
    ends = {
        f"{name}{part}": value
        for name, estimate in (("t", copying), ("t_l", likelihood))
        for part, value in (
            ("", estimate.mean), ("_lower", estimate.lower), ("_upper", estimate.upper),
        )
    }  # fmt: skip
    numbers = pd.DataFrame([ends]).astype(float)
    table = pd.concat([dots.assign(kind="training"), numbers.assign(kind="mean")])
    return table.astype({"seed": "Int64"}).reset_index(drop=True)


def pairs_chart(table: pd.DataFrame, theme: Theme, data: str) -> alt.LayerChart:
    """Dots in four quadrants; typical copied first and outliers known first is the lower right."""
    import altair as alt

    limits = {name: _limits(table[name]) for name in ("t", "t_l")}
    x = alt.X(
        "t:Q",
        scale=alt.Scale(domain=limits["t"], nice=False),
        axis=alt.Axis(
            title="T_E: atypical copied first ← 0 → typical first", tickCount=6, grid=False
        ),
    )
    y = alt.Y(
        "t_l:Q",
        scale=alt.Scale(domain=limits["t_l"], nice=False),
        axis=alt.Axis(title="T_L: outliers known first ← 0 → typical", tickCount=6, grid=False),
    )
    rows = alt.Chart(alt.NamedData(data))
    zero = alt.Chart(alt.sequence(1)).mark_rule(color=theme.muted, strokeDash=[2, 3])
    mean = rows.transform_filter("datum.kind === 'mean'")
    ends = {"color": theme.series[0], "strokeWidth": 3, "clip": True}
    layers = [
        zero.encode(x=alt.XDatum(0, type="quantitative")),
        zero.encode(y=alt.YDatum(0, type="quantitative")),
        rows.transform_filter("datum.kind === 'training'")
        .mark_point(filled=True, size=30, opacity=0.55, color=theme.series[1])
        .encode(x=x, y=y, tooltip=_tooltip()),
        mean.mark_rule(**ends).encode(x="t_lower:Q", x2="t_upper:Q", y="t_l:Q"),
        mean.mark_rule(**ends).encode(y="t_l_lower:Q", y2="t_l_upper:Q", x="t:Q"),
        mean.mark_point(filled=True, size=120, opacity=1, color=theme.series[0]).encode(
            x="t:Q", y="t_l:Q", tooltip=_tooltip()
        ),
    ]
    return alt.LayerChart(layer=layers, width=420, height=280)


def _limits(values: pd.Series) -> list[float]:
    """All dots and zero, with room around."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.12 * max(high - low, 1e-3)
    return [float(f"{x:.4g}") for x in (low - room, high + room)]


def _tooltip() -> list[alt.Tooltip]:
    import altair as alt

    return [
        alt.Tooltip("cell:N"),
        alt.Tooltip("seed:Q"),
        alt.Tooltip("t:Q", title="T_E", format=".3f"),
        alt.Tooltip("t_l:Q", title="T_L", format=".3f"),
    ]
