"""The index changes how fast results are read, and nothing else."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
import pytest

from analysis import load
from analysis.frames import index, loading
from analysis.frames.tables import Rows
from study.config import TrialConfig
from study.store.results import Results
from tests.analysis import synthetic


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six finished trainings and one that goes on, small enough that any index is worth while."""
    monkeypatch.setattr(loading, "FEWEST", 1)
    synthetic.sweep(tmp_path, sizes=(32, 128), widths=(16,), seeds=3)
    synthetic.publish(tmp_path, synthetic.config(size=512), until=256)
    return tmp_path


def frames(folder: Path) -> dict[str, pd.DataFrame]:
    tables = load(folder)
    return {name: tables[name] for name in tables}


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, other[name])


def read_trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes of the trainings whose own tables are read from now on."""
    seen = []
    table = Results.table

    def noted(results, status, name):
        seen.append(status.training)
        return table(results, status, name)

    monkeypatch.setattr(Results, "table", noted)
    return seen


def test_frames_are_equal_with_and_without_it(folder, monkeypatch):
    without = frames(folder)
    assert (folder / "index" / "manifest.json").exists()
    seen = read_trainings(monkeypatch)
    load(folder)["curves"]
    assert set(seen) == {synthetic.config(size=512).hash}  # the one that goes on
    same(frames(folder), without)


def test_a_training_that_went_on_is_read_anew(folder):
    load(folder)
    longer = synthetic.config(size=32, width=16, steps=8192)
    assert longer.hash == synthetic.config(size=32, width=16).hash
    synthetic.publish(folder, longer)
    curves = load(folder)["curves"]
    assert curves[curves["training"] == longer.hash]["step"].max() == 8192


@pytest.mark.parametrize("victim", ["manifest.json", "curves", "trainings"])
@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_a_damaged_index_is_passed_over_said_and_written_anew(folder, caplog, victim, damage):
    whole = frames(folder)
    (file,) = (folder / "index").glob(f"{victim}*")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING):
        same(frames(folder), whole)
    if (victim, damage) != ("manifest.json", "gone"):  # no index at all is nothing to speak of
        assert "the index of the results is passed over" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        same(frames(folder), whole)
    assert caplog.text == ""


def test_results_that_cannot_be_written_are_read_all_the_same(folder, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(index.Store, "publish", refused)
    assert len(load(folder)["curves"]) > 0
    assert not (folder / "index").exists()


def test_a_report_of_some_trainings_keeps_the_others_in_the_index(folder, monkeypatch):
    load(folder)
    longer = synthetic.config(size=32, width=16, steps=8192)
    synthetic.publish(folder, longer)
    load(folder, only={longer.hash})
    seen = read_trainings(monkeypatch)
    whole = load(folder)
    assert set(seen) == {synthetic.config(size=512).hash}
    assert whole["curves"]["training"].nunique() == 7
    assert whole["curves"].query("training == @longer.hash")["step"].max() == 8192


def test_the_rows_of_the_last_step(folder):
    tables = load(folder)
    last = tables.read("noise", ["window", "position"], Rows(last=True))
    whole = tables["noise"].merge(tables.trainings[["training", "step"]])
    pd.testing.assert_frame_equal(last, whole[list(last)])


def test_an_index_in_the_words_of_another_memophase_is_written_anew(folder, monkeypatch):
    load(folder)
    flat = TrialConfig.flat
    monkeypatch.setattr(TrialConfig, "flat", lambda trial: {**flat(trial), "corpus.new": 7})
    seen = read_trainings(monkeypatch)
    assert (load(folder).trainings["corpus.new"] == 7).all()
    assert len(set(seen)) == 7
    seen.clear()
    load(folder)
    assert len(set(seen)) == 1
