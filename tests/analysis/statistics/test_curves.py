"""Curves over training: gaps where nothing is defined, and only there."""

from __future__ import annotations

import numpy as np

from analysis import Tables
from analysis.charts.curves import curve_panels
from analysis.charts.panels import series_of
from analysis.statistics.curves import curves_table

SERIES = series_of(curve_panels())


def test_curves_have_gaps_where_nothing_is_defined(tables: Tables):
    table = curves_table(tables, SERIES)
    relative = table[table["series"] == "A = T_E/E"]
    early = tables["curves"].groupby("step")["relative_slope"].count()
    assert set(relative["step"]) == set(early[early > 0].index)
    assert table["mean"].notna().all()
    assert set(table[table["panel"] == "partial"]["level"]) == {0, 1, 2}


def test_a_hole_in_a_curve_splits_it(tables: Tables):
    curves = tables["curves"].copy()
    curves.loc[curves["step"] == 512, "novel_validity"] = np.nan
    table = curves_table({**tables, "curves": curves}, SERIES)
    own = table[(table["series"] == "novel validity V") & (table["cell"] == table["cell"].iloc[0])]
    assert 512 not in set(own["step"])
    runs = own.groupby("run")["step"].agg(["min", "max"])
    assert runs["max"].tolist() == [256, 4096]


def test_a_step_without_generated_strings_is_no_gap(tables: Tables):
    table = curves_table(tables, SERIES)
    own = table[table["cell"] == "L=3 · N=256 · W=64"].set_index("series")
    copied, lost = own.loc["excess copies E"], own.loc["controls"]
    assert set(copied["step"]) == {64 * 2**i for i in range(7)}
    assert set(lost["step"]) > set(copied["step"])
    assert copied["run"].nunique() == lost["run"].nunique() == 1
