"""Maps tell what the curves tell, at every moment that cells are compared at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Tables, load
from analysis.charts.curves import curve_panels
from analysis.charts.panels import series_of
from analysis.report.findings import find
from analysis.report.maps import document
from analysis.statistics.curves import curves_table
from analysis.statistics.moments import best_steps, worth_of_a_step
from analysis.statistics.onsets import onsets, onsets_by_cell
from analysis.statistics.order_parameters import limits, order_parameters
from analysis.statistics.overproduction import overproduction_table
from analysis.statistics.within import NORMAL, with_errors_within
from sweeps.space import cost
from tests.analysis import synthetic

AXES = ["corpus.size", "network.width"]


@pytest.fixture(scope="module")
def curves(tables: Tables) -> pd.DataFrame:
    return curves_table(tables, series_of(curve_panels()))


def test_every_order_parameter_has_a_map(tables: Tables, curves: pd.DataFrame):
    parameters, table = order_parameters(
        curves, overproduction_table(tables), onsets_by_cell(onsets(tables))
    )
    keys = [one.key for one in parameters]
    named = ["E", "lambda_1", "lambda_2", "V", "T_E", "T_L", "A", "position", "gap"]
    assert keys[: len(named)] == named
    assert {"Q_2", "Q_3", "tau_mem", "tau_gen", "tau_partial"} <= set(keys)
    assert set(table["key"]) == set(keys)


def test_a_map_is_the_mean_over_seeds_at_its_step(tables: Tables, curves: pd.DataFrame):
    _, table = order_parameters(
        curves, overproduction_table(tables), onsets_by_cell(onsets(tables))
    )
    cell, step = "L=3 · N=256 · W=64", 1024
    own = tables.trainings[tables.trainings["cell"] == cell]["training"]
    rows = tables["curves"][tables["curves"]["training"].isin(own)]
    expected = rows[rows["step"] == step]["excess_copies"].mean()
    shown = table[(table["key"] == "E") & (table["cell"] == cell) & (table["step"] == step)]
    assert shown["mean"].item() == pytest.approx(expected)


def test_the_page_s_maps_are_these_numbers_in_the_order_of_cells(tables: Tables):
    found = find(tables, axes=AXES, facet="grammar.depth", expected=None)
    held = document(found.maps, found.cells)
    rows = found.maps.values[found.maps.values["key"] == "V"]
    assert held["steps"] == sorted(held["steps"])
    for row in rows.sample(20, random_state=0).to_dict("records"):
        at = held["steps"].index(row["step"]), held["cells"].index(row["cell"])
        assert held["values"]["V"]["mean"][at[0]][at[1]] == pytest.approx(row["mean"], rel=5e-3)
    last = held["steps"].index(4096)
    names = ("underfit", "generalizing", "slop", "memorizing")
    for row in found.phase.cells.to_dict("records"):
        number = held["regimes"]["regime"][last][held["cells"].index(row["cell"])]
        assert names[number] == row["regime"]


def test_a_step_is_worth_its_epochs_and_what_planning_counts(tables: Tables):
    trial = synthetic.config(size=256, width=64)
    worth = worth_of_a_step(tables.trainings).set_index("cell").loc["L=3 · N=256 · W=64"]
    assert worth["epochs"] == trial.training.batch_size / 256
    assert worth["flop"] == cost.optimizer_step(trial)
    assert worth["enough"] == 6 * 4**4


def test_the_best_step_has_the_least_held_out_loss(tables: Tables, curves: pd.DataFrame):
    best = best_steps(curves)
    losses = curves[(curves["panel"] == "loss") & (curves["series"] == "controls")]
    generated = set(curves.loc[curves["series"] == "excess copies E", "step"])
    for cell, own in losses[losses["step"].isin(generated)].groupby("cell"):
        assert best[cell] == own.loc[own["mean"].idxmin(), "step"]


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        ("share", [0.2, 0.9], [0.0, 1.0]),
        ("share", [0.0, 0.03], [0.0, 0.1]),
        ("signed", [-0.2, 0.1], [-0.2, 0.2]),
        ("steps", [64.0, 4096.0], [64.0, 4096.0]),
        ("steps", [64.0, 64.0], [64.0, 128.0]),
    ],
)
def test_colours_span(kind, values, found):
    assert limits(kind, pd.Series(values)) == found


def test_a_single_seed_shows_the_error_within_its_training(tmp_path):
    trial = synthetic.config(steps=256)
    synthetic.publish(tmp_path, trial)
    tables, series = load(tmp_path), series_of(curve_panels())
    plain = curves_table(tables, series)
    assert plain["lower"].isna().all()
    shown = with_errors_within(plain, tables, series)
    excess = shown[shown["series"] == "excess copies E"]
    assert (excess["upper"] - excess["mean"]).tolist() == pytest.approx(
        [NORMAL * 0.01] * len(excess)
    )
    partial = shown[(shown["panel"] == "partial") & (shown["level"] == 1)]
    assert (partial["mean"] - partial["lower"]).tolist() == pytest.approx(
        [NORMAL * 0.02] * len(partial)
    )
    assert shown[shown["series"] == "novel validity V"]["lower"].isna().all()


def test_several_seeds_keep_their_own_interval(tables: Tables, curves: pd.DataFrame):
    same = with_errors_within(curves, tables, series_of(curve_panels()))
    assert np.array_equal(same["lower"], curves["lower"], equal_nan=True)
