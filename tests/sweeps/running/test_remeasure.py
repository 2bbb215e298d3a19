"""`memophase measure`: other measurements from kept checkpoints, through the command line."""

from pathlib import Path

import pytest

from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.search.search import Evidence
from sweeps.status import folder
from tests.sweeps.tiny import TINY, memophase


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A finished study whose trainings kept their checkpoints."""
    sweep = spec.loads(TINY.replace("batch_size: 8", "batch_size: 8, keep: log2"))
    results = Results.open(tmp_path / "kept")
    run_pack([training.config for training in sweep.trainings], results)
    folder.publish(sweep, Evidence(results))
    return tmp_path / "kept"


def test_a_study_is_measured_again_and_reports_as_any_other(kept: Path):
    again = memophase("measure", str(kept), "--set=measurement.generated=60")
    assert again.exit_code == 0, again.output
    results = Results.open(kept / "measured")
    study = folder.read(results)
    assert study is not None
    assert sorted(t.hash for t in study.trainings) == results.trainings()
    for training in results.trainings():
        status = results.verified(training)
        assert status is not None
        assert status.state == "finished"
        assert results.config(training).measurement.generated == 60
        emitted = results.table(status, "emissions").to_pandas().groupby("step")["count"].sum()
        assert (emitted <= 60).all()
    status = memophase("status", str(kept / "measured"))
    assert "4 of 4 trainings done" in status.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--set=measurement.generatd=60"], "did you mean"),
        (["--set=training.steps=60"], "is no setting of the measurements"),
        (["--set=measurement.generated"], "is not of the form"),
        (["--set=measurement.generated=few"], "must be a whole number"),
        (["--set=measurement.first_step=7"], "kept no checkpoint of step 7"),
    ],
)
def test_what_cannot_be_measured_is_one_line_and_exit_2(kept: Path, options, says):
    result = memophase("measure", str(kept), *options)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert not (kept / "measured").exists()


def test_trainings_that_kept_nothing_are_named(tmp_path: Path):
    sweep = spec.loads(TINY)
    results = Results.open(tmp_path)
    run_pack([sweep.trainings[0].config], results)
    result = memophase("measure", str(tmp_path))
    assert result.exit_code == 2
    assert f"training {sweep.trainings[0].hash} kept no checkpoints" in result.stderr
