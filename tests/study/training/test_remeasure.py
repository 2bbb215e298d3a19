"""Measuring later: the tables of kept checkpoints are those of a training measured so at once."""

from __future__ import annotations

import pytest

from study.config import ConfigError
from study.store import records
from study.store.results import FOLDER, Results
from study.training.remeasure import NotKept, main, measure_again
from study.training.run import run_pack
from tests.study.small import small

KEPT = {"training__keep": "log2"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Results:
    """Two trainings generating little, with their checkpoints."""
    results = Results.open(tmp_path_factory.mktemp("kept"))
    coarse = {**KEPT, "measurement__per_octave": 1, "measurement__generated": 20}
    run_pack([small(**coarse), small(**coarse, seed=1)], results)
    return results


def frames(results: Results, training: str) -> dict:
    status = results.verified(training)
    return {
        name: results.table(status, name).to_pandas()
        for name in records.SCHEMAS
        if name != "timing"
    }


def test_tables_equal_those_of_a_training_measured_so_from_the_start(kept, tmp_path):
    again, fresh = Results.open(tmp_path / "again"), Results.open(tmp_path / "fresh")
    statuses = measure_again(kept, kept.trainings(), again, measurement={"generated": 64})
    assert {(status.state, status.step) for status in statuses} == {("finished", 32)}
    run_pack([small(), small(seed=1)], fresh)
    for seed in (0, 1):
        training = small(seed=seed).hash
        mine, others = frames(again, training), frames(fresh, training)
        assert mine["curves"].pop("batch_loss").isna().all()
        assert others["curves"].pop("batch_loss").notna().all()
        for name, frame in others.items():
            assert mine[name].equals(frame), name


def test_nothing_is_measured_twice_and_the_source_stays(kept, tmp_path):
    again = Results.open(tmp_path)
    before = {t: kept.status(t) for t in kept.trainings()}
    measure_again(kept, kept.trainings(), again)
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    measure_again(kept, kept.trainings(), again)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == files
    assert {t: kept.status(t) for t in kept.trainings()} == before


def test_a_measured_training_can_go_on(kept, tmp_path):
    again = Results.open(tmp_path)
    measure_again(kept, kept.trainings(), again, measurement={"generated": 64})
    (status,) = run_pack([small(training__steps=64)], again)
    assert (status.state, status.step) == ("finished", 64)


def test_a_later_first_step_measures_fewer(kept, tmp_path):
    again = Results.open(tmp_path)
    (status, _) = measure_again(kept, kept.trainings(), again, measurement={"first_step": 16})
    assert again.table(status, "curves")["step"].to_pylist() == [16, 32]


def test_steps_that_were_not_kept_are_named(kept, tmp_path):
    again = Results.open(tmp_path)
    with pytest.raises(NotKept, match=r"no checkpoint of step 11; it kept 1, 2, 4, 8, 16, 32"):
        measure_again(kept, kept.trainings(), again, measurement={"per_octave": 2})
    with pytest.raises(ConfigError, match="unknown field"):
        measure_again(kept, kept.trainings(), again, measurement={"generate": 2})
    assert again.trainings() == []


def test_without_kept_checkpoints_there_is_nothing_to_measure(tmp_path):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=8)], results)
    with pytest.raises(NotKept, match=r"training.keep: log2"):
        measure_again(results, results.trainings(), Results.open(tmp_path / "again"))


def test_from_the_command_line(kept, tmp_path, capsys):
    out = tmp_path / "again"
    arguments = [kept.store.root, "--out", str(out), "--set", "generated=64"]
    assert main([*arguments, "--training", kept.trainings()[0]]) == 0
    assert "measured 1 trainings" in capsys.readouterr().out
    assert len(list((out / FOLDER).iterdir())) == 1
    assert main([kept.store.root, "--out", str(out), "--set", "per_octave=3"]) == 2
    assert "error: training" in capsys.readouterr().err
