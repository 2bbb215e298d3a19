"""Overproduction: how often rules are generated against how often they should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.charts.domains import domain_signal, extents
from analysis.charts.panels import banded, cell_choice, numbers_tooltip, rule_at, step_axis
from analysis.charts.panels import series_legend as legend
from analysis.charts.theme import Theme, level_colours
from analysis.statistics.seeds import over_seeds, runs

if TYPE_CHECKING:
    import altair as alt

COLUMNS = ["level", "rank", "generated", "training_frequency", "true_frequency"]
"""The columns of `rules` that are drawn, beside training and step."""

RANKS_SHOWN = 4
"""The commonest rules of a level; the others are in the data files."""


def overproduction_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """log2 of generated / max(p_l(k), f_D(k)) of every rule rank k and level l, over seeds.

    0 where a rule is as common among the generated nodes as in the grammar or in the training
    strings, whichever is more; undefined where it is never generated. Levels with uniform rules
    have no ranks that mean anything and are left out.

    Returns:
        `cell`, `level`, `rank`, `series` (`rule 1` is the commonest), `step`, `mean`, `lower`,
        `upper`, `seeds` and `run`.
    """
    rules = tables["rules"][["training", "step", *COLUMNS]]
    rules = rules[~_uniform(rules)]
    expected = rules[["training_frequency", "true_frequency"]].max(axis=1)
    ratio = (rules["generated"] / expected).where(rules["generated"] > 0)
    cell = tables["trainings"].set_index("training")["cell"]
    frame = rules.assign(value=np.log2(ratio), cell=rules["training"].map(cell))
    keys = ["cell", "level", "rank"]
    table = over_seeds(frame, by=[*keys, "step"]).sort_values([*keys, "step"], ignore_index=True)
    table["series"] = "rule " + table["rank"].astype(str)
    return runs(table, by=keys)


def _uniform(rules: pd.DataFrame) -> pd.Series:
    """Whether the row's level has equal rule probabilities in its training."""
    keys = ["training", "level"]
    true = rules.drop_duplicates([*keys, "rank"]).groupby(keys)["true_frequency"]
    spread = (true.max() - true.min()).rename("spread").reset_index()
    return rules[keys].merge(spread, on=keys, how="left")["spread"].set_axis(rules.index) < 1e-9


def overproduction_chart(
    table: pd.DataFrame, theme: Theme, *, cells: list[str], picked: str, data: str
) -> alt.TopLevelMixin:
    """One panel per level with ranked rules; arguments as of `curves_chart`."""
    import altair as alt

    axis = "generated / expected"
    ranks = [f"rule {rank}" for rank in sorted(table["rank"].unique())][:RANKS_SHOWN]
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=ranks, range=level_colours(theme, len(ranks))),
        legend=legend(),
    )
    y = alt.Y(
        "mean:Q",
        scale=alt.Scale(domain=alt.ExprRef(domain_signal(data)), nice=False),
        axis=alt.Axis(
            title=axis, tickCount=5, labelExpr="'×' + format(pow(2, datum.value), '.3~g')"
        ),
    )
    x = step_axis(sorted(table["step"].unique().tolist()))
    base = alt.Chart().encode(x=x, detail=["rank:O", "run:O"])
    tooltip = numbers_tooltip(
        alt.Tooltip("level:O"), alt.Tooltip("series:N", title="rule"),
        alt.Tooltip("step:Q", format=","),
    )  # fmt: skip
    layers = [*rule_at([0.0], theme, axis), *banded(base, y, colour, tooltip, title=axis)]
    layered = alt.LayerChart(layer=layers, data=alt.NamedData(data), width=270, height=170)
    header = alt.Header(
        title=None, labelExpr="'level ' + datum.value", labelFontSize=13, labelFontWeight=600,
        labelAnchor="start", labelColor=theme.ink,
    )  # fmt: skip
    faceted = layered.facet(facet=alt.Facet("level:O", header=header), columns=3)
    limits = extents(table).get(picked, [-1.0, 1.0])
    domain = alt.param(name=domain_signal(data), value=limits)
    return faceted.add_params(domain, cell_choice(cells, picked))
