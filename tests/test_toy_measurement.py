"""A measurement added from outside the package, from its declaration to the report."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import load
from analysis.charts.curves import curve_panels
from analysis.frames import loading
from analysis.frames.dictionary import data_dictionary
from analysis.report.folder import write_report
from study.measures import Column, Curve, Measurement, StringLosses, registered
from study.measures.registry import GROUP, columns
from study.store import records
from study.store.results import Results
from study.training.remeasure import measure_again
from study.training.run import run_pack
from tests.installed import name_entry_points
from tests.study.small import small

FIRST = Column(
    name="first_token",
    table="curves",
    symbol="x̄",
    meaning="mean first token of the generated strings",
    range="0 … v-1",
    generated=True,
    curve=Curve(panel="first tokens", name="first token"),
)
ZEROS = Column(
    name="zeros",
    table="levels",
    meaning="share of symbol 0 among the nodes of a level that parse",
    unit="share",
    range="[0, 1]",
    null="where no node parses",
    generated=True,
    curve=Curve(panel="zeros"),
)
HARDEST = Column(
    name="hardest",
    table="curves",
    meaning="largest loss of a training string",
    unit="nats",
    range="≥ 0",
    curve=Curve(panel="hardest", name="hardest"),
)


def of_strings(reference, strings):
    symbols = reference.grammar.parse(strings).symbols
    shares = [np.mean(level[level >= 0] == 0) if (level >= 0).any() else None for level in symbols]
    return {"curves": {"first_token": [float(strings[:, 0].mean())]}, "levels": {"zeros": shares}}


def of_losses(losses: StringLosses):
    return {"curves": {"hardest": [float(losses.training_loss.max())]}}


TOKENS = Measurement(columns=(FIRST, ZEROS), measure=of_strings)
LOSSES = Measurement(columns=(HARDEST,), measure=of_losses)
CONFIG = small(measurement__likelihood_per_octave=2, grammar__depth=3, training__keep="log2")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    """A training without the measurements."""
    folder = tmp_path_factory.mktemp("plain")
    run_pack([CONFIG], Results.open(folder))
    return folder


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """The same training with both."""
    folder = tmp_path_factory.mktemp("extended")
    with registered(TOKENS), registered(LOSSES):
        run_pack([CONFIG], Results.open(folder))
    return folder


def content(folder: Path, name: str) -> pd.DataFrame:
    results = Results.open(folder)
    status = results.verified(CONFIG.hash)
    assert status is not None
    return results.table(status, name).to_pandas()


def test_its_columns_are_in_tables_and_frames(extended):
    with registered(TOKENS), registered(LOSSES):
        curves = content(extended, "curves").set_index("step")
        assert curves["first_token"].isna().tolist() == [False, True, False, True, False]
        assert curves["hardest"].notna().all()
        largest = content(extended, "likelihood").query("p_value.notna()").groupby("step")["loss"]
        assert curves["hardest"].tolist() == pytest.approx(largest.max().tolist())
        levels = content(extended, "levels").query("step == 32")
        assert levels["zeros"].notna().any()
        loaded = load(extended)["curves"].set_index("step")
        pd.testing.assert_series_equal(loaded["first_token"], curves["first_token"])


def test_nothing_else_changes(plain, extended):
    """Neither the hash nor the training nor any other column."""
    for name in set(records.SCHEMAS) - {"timing"}:
        pd.testing.assert_frame_equal(content(plain, name), content(extended, name))
    results, others = Results.open(plain), Results.open(extended)
    status, other = results.status(CONFIG.hash), others.status(CONFIG.hash)
    assert results.read(status, "checkpoint") == others.read(other, "checkpoint")
    assert results.read(status, "levels") != others.read(other, "levels")


def test_tables_stay_readable_on_either_side(plain, extended):
    with registered(TOKENS):
        assert content(plain, "curves")["first_token"].isna().all()
        assert content(extended, "curves")["first_token"].notna().any()
    assert "first_token" not in content(extended, "curves")


def test_going_on_fills_what_was_not_measured_with_null(tmp_path):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=16)], results)
    with registered(TOKENS):
        (status,) = run_pack([small()], results)
        curves = results.table(status, "curves").to_pandas().set_index("step")
    assert curves["first_token"].isna().tolist() == [True, True, False]


def test_finished_trainings_are_measured_again(plain, extended, tmp_path):
    with registered(LOSSES):
        (status,) = measure_again(Results.open(plain), [CONFIG.hash], Results.open(tmp_path))
        again = Results.open(tmp_path).table(status, "curves").to_pandas().set_index("step")
        at_once = content(extended, "curves").set_index("step")
    assert (
        again.loc[[8, 16, 32], "hardest"].tolist() == at_once.loc[[8, 16, 32], "hardest"].tolist()
    )


def test_it_is_in_the_report(extended, tmp_path):
    with registered(TOKENS), registered(LOSSES):
        paths = write_report(extended, tmp_path / "out", title="toy", axes=["corpus.size"])
    data = paths.page.parent / "data"
    curves = pd.read_csv(data / "curves.csv")
    assert curves.query("panel == 'first tokens'")["series"].unique().tolist() == ["first token"]
    assert curves.query("panel == 'first tokens'")["step"].tolist() == [8, 16, 32]
    assert curves.query("panel == 'hardest'")["step"].tolist() == [8, 11, 16, 23, 32]
    assert set(curves.query("panel == 'zeros'")["series"]) >= {"level 3"}
    dictionary = pd.read_csv(data / "data_dictionary.csv").set_index(["table", "column"])
    row = dictionary.loc[("curves", "first_token")]
    assert row["symbol"] == FIRST.symbol
    assert row["null"] == "where no strings are generated"
    assert dictionary.loc[("levels", "zeros"), "null"] == (
        "where no node parses, and where no strings are generated"
    )
    assert "mean first token of the generated strings" in paths.page.read_text()


def test_the_data_dictionary_has_a_row_for_every_column_of_every_table():
    dictionary = data_dictionary()
    named = list(zip(dictionary["table"], dictionary["column"], strict=True))
    assert named == [(t, name) for t in records.SCHEMAS for name in records.SCHEMAS[t].names]


def test_an_index_without_its_columns_is_passed_over(extended, monkeypatch, caplog):
    monkeypatch.setattr(loading, "FEWEST", 1)
    assert "first_token" not in load(extended)["curves"]
    assert (extended / "index" / "manifest.json").exists()
    with registered(TOKENS), caplog.at_level(logging.WARNING):
        assert load(extended)["curves"]["first_token"].notna().any()
        assert "other measurements were registered" in caplog.text
        caplog.clear()
        assert load(extended)["curves"]["first_token"].notna().any()
        assert not caplog.text
    assert "first_token" not in load(extended)["curves"]


def test_a_curve_may_join_a_panel():
    before = len(curve_panels())
    joined = replace(FIRST, curve=Curve(panel="copying", name="first token"))
    with registered(Measurement(columns=(joined,), measure=of_strings)):
        panel = next(panel for panel in curve_panels() if panel.name == "copying")
        assert list(panel.series)[-1] == "first_token"
    assert len(curve_panels()) == before


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (replace(FIRST, name="excess_copies"), "there is such a column"),
        (replace(FIRST, table="noise"), "numbers may be added to curves, levels, typicality"),
        (replace(FIRST, kind="text"), "numbers may be added"),
        (replace(FIRST, key=True), "numbers may be added"),
        (replace(FIRST, name="first token"), "is no name for a column"),
        (replace(FIRST, symbol="E"), "the symbol E means something else"),
        (replace(FIRST, curve=Curve(panel="partial", name="x")), "levels fill the panel 'partial'"),
        (replace(ZEROS, curve=Curve(panel="copying")), "levels fill the panel 'copying'"),
        (replace(FIRST, curve=Curve(panel="it's", name="x")), "is no name for a panel"),
        (replace(FIRST, table="typicality"), "drawn of curves and levels alone"),
        (replace(FIRST, curve=Curve(panel="validity", name="distinct")), "has a curve 'distinct'"),
    ],
)
def test_what_cannot_be_added_is_refused(column, fault):
    before = columns("curves")
    with (
        pytest.raises(ValueError, match=fault),
        registered(Measurement(columns=(column,), measure=of_strings)),
    ):
        pass
    assert columns("curves") == before


def test_columns_of_one_measurement_read_the_same():
    mixed = Measurement(columns=(FIRST, HARDEST), measure=of_strings)
    with pytest.raises(ValueError, match="all need generated strings, or none"), registered(mixed):
        pass


def test_a_measurement_fills_what_it_declares(tmp_path):
    short = Measurement(columns=(FIRST,), measure=of_strings)
    with registered(short), pytest.raises(ValueError, match=r"levels\.zeros"):
        run_pack([small()], Results.open(tmp_path))


def test_an_installed_package_adds_a_measurement_by_an_entry_point(tmp_path):
    """In a process that registers nothing itself, as the workers of a sweep."""
    points = {"tokens": "tests.test_toy_measurement:TOKENS"}
    name_entry_points(tmp_path, GROUP, **points)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(small().to_dict()))
    subprocess.run(
        [sys.executable, "-m", "study", str(config), "--out", str(tmp_path / "out")],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    results = Results.open(tmp_path / "out")
    with registered(TOKENS):
        curves = results.table(results.verified(small().hash), "curves").to_pandas()
    assert curves["first_token"].notna().any()
