"""Exponents of onsets, and scaled axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Tables
from analysis.charts.curves import curve_panels
from analysis.charts.panels import series_of
from analysis.statistics.collapses import copy_curves, scaled_cells
from analysis.statistics.curves import curves_table
from analysis.statistics.onset_exponents import COLUMNS, ONSETS, onset_exponents
from analysis.statistics.onset_slopes import Dependence
from analysis.statistics.onsets import GENERALIZATION
from analysis.statistics.phase_diagram import phase_table
from analysis.statistics.regimes import last_steps, regimes


def test_exponents_are_those_of_the_claims(tables: Tables):
    found = onset_exponents(tables)
    assert list(found.columns) == COLUMNS
    assert set(found["setting"]) == {"N", "W", "L"}
    assert len(found) == 3 * len(ONSETS)
    own = found[(found["onset"] == "τ_gen") & (found["setting"] == "N")].iloc[0]
    slope = Dependence(onset=GENERALIZATION, field="corpus.size").slope(tables)
    assert own[["exponent", "lower", "upper"]].tolist() == pytest.approx(list(slope.estimate[:3]))
    assert own["trainings"] == len(slope.tested)


def test_what_was_built_in_is_found(tables: Tables):
    """Synthetic log2 τ_mem rises by 1.1 per doubling of N and falls by 0.9 per doubling of W."""
    found = onset_exponents(tables).set_index(["onset", "setting"])
    assert found.loc[("τ_mem", "W"), "exponent"] == pytest.approx(-0.9, abs=0.15)
    assert found.loc[("τ_mem", "N"), "exponent"] == pytest.approx(1.1, abs=0.15)
    assert found.loc[("τ_mem", "W"), "lower"] < -0.8


def test_nothing_varies_nothing_grows(tables: Tables):
    one = tables.trainings[tables.trainings["cell"] == tables.trainings["cell"].iloc[0]]
    frames = {**{name: tables[name] for name in ("curves", "levels")}, "trainings": one}
    assert onset_exponents(frames).empty


def test_copy_curves_are_over_step_per_string(tables: Tables):
    curves = curves_table(tables, series_of(curve_panels()))
    found = copy_curves(curves, tables.trainings)
    assert np.allclose(found["scaled"], found["step"] / found["size"])
    assert (found.groupby("group")["size"].nunique() == 3).all()
    assert found["group"].nunique() == 6
    alone = tables.trainings[tables.trainings["corpus.size"] == 32]
    assert copy_curves(curves, alone).empty


def test_cells_by_n_over_what_the_top_rules_need(tables: Tables):
    last = last_steps(regimes(tables), tables.trainings)
    phase = phase_table(last, tables.trainings, axes=["corpus.size", "network.width"])
    found = scaled_cells(phase.cells, tables.trainings)
    depth = found["row"].str.extract(r"L=(\d)")[0].astype(int)
    assert np.allclose(found["enough"], 6 * 4.0 ** (depth + 1))
    assert np.allclose(found["ratio"], found["size"] / found["enough"])
    assert pd.Series(found["row"]).nunique() == 6
