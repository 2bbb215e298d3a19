"""A sweep as labelled arrays: every value where its labels say, and nothing else."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from analysis import AnalysisError, Tables, load
from tests.analysis import synthetic


def test_every_value_lies_at_its_labels(tables: Tables):
    sweep = tables.to_xarray()
    settings = ["grammar.depth", "corpus.size", "network.width", "seed"]
    assert sweep["excess_copies"].dims == (*settings, "step")
    assert sweep["partial_memorization"].dims == (*settings, "step", "level")
    named = tables.trainings.set_index("training")[settings]
    rng = np.random.default_rng(0)
    for table, keys, columns in (
        ("curves", ["step"], {"excess_copies": "excess_copies", "typicality_slope": None}),
        ("levels", ["step", "level"], {"typicality_slope": "typicality_slope_by_level"}),
    ):
        frame = tables[table]
        for row in rng.choice(len(frame), 40):
            own = frame.iloc[row]
            where = named.loc[own["training"]].to_dict()
            at = {**where, **{key: own[key] for key in keys}}
            for column, name in columns.items():
                value = sweep[name or column].sel(at).item()
                np.testing.assert_equal(value, float(own[column]))
            assert sweep["training"].sel(where).item() == own["training"]


def test_there_are_no_more_values_than_were_measured(tables: Tables):
    sweep = tables.to_xarray()
    assert int(sweep["excess_copies"].count()) == tables["curves"]["excess_copies"].count()
    assert int(sweep["rule_kl"].count()) == tables["levels"]["rule_kl"].count()
    whole = {c for name in ("curves", "levels") for c in tables[name]} - {"training"}
    assert whole <= set(sweep.variables)


def test_quantities_and_settings_have_symbols_and_units(tables: Tables):
    sweep = tables.to_xarray()
    assert sweep["excess_copies"].attrs == {"symbol": "E", "units": "share"}
    assert sweep["heldout_loss"].attrs == {"units": "nats per leaf"}
    assert sweep["typicality_slope"].attrs == {"symbol": "T_E", "units": "1"}
    assert sweep["typicality_slope_by_level"].attrs["symbol"] == "T_{E,l}"
    assert sweep["corpus.size"].attrs["symbol"] == "N"


def test_what_was_not_measured_is_missing(tmp_path):
    for size, width in ((32, 16), (128, 64)):
        synthetic.publish(tmp_path, synthetic.config(size=size, width=width, steps=256))
    sweep = load(tmp_path).to_xarray()
    assert sweep.sizes["corpus.size"] == sweep.sizes["network.width"] == 2
    gap = {"corpus.size": 32, "network.width": 64}
    assert sweep.sel(gap)["excess_copies"].isnull().all()
    assert sweep.sel(gap)["training"].values.tolist() == [""]


def test_a_single_cell_has_its_seeds_alone(tmp_path):
    for seed in range(2):
        synthetic.publish(tmp_path, synthetic.config(seed=seed, steps=256))
    assert load(tmp_path).to_xarray()["excess_copies"].dims == ("seed", "step")


def test_settings_that_hardly_ever_meet_are_refused(tables: Tables, monkeypatch):
    monkeypatch.setattr("analysis.frames.arrays.LARGEST", 1000)
    with pytest.raises(AnalysisError, match="54 trainings would lie in an array of"):
        tables.to_xarray()


def test_without_xarray_it_says_how_to_install_it(tables: Tables, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(AnalysisError, match=r"pip install 'memophase\[xarray\]'"):
        tables.to_xarray()
