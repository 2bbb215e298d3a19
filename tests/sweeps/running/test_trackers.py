"""TensorBoard and MLflow hear what is measured, one run for every training, and stop nothing."""

from __future__ import annotations

import builtins
import io
import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from sweeps.faults import UsageError
from sweeps.files import spec
from sweeps.planning import packing
from sweeps.running import trackers
from sweeps.running.progress import Progress
from tests.sweeps.tiny import TINY, memophase


def played(told: trackers.Trackers) -> list[str]:
    """A run of two packs that measure twice; returns the hashes of all trainings."""
    sweep = spec.loads(TINY)
    packs = packing.packed(sweep.trainings, {}, slots=2)
    with Progress(Console(file=io.StringIO()), "tiny", trackers=told) as progress:
        progress.begin(4, 4)
        progress.take(packs, slots=2)
        for pack in packs:
            progress.started(pack.name)
            for step in (8, 16):
                members = {
                    t.hash: {"copy_fraction": step / 64, "position": None, "label": "x"}
                    for t in pack.trainings
                }
                progress.measured(pack.name, {"step": step, **members})
            progress.completed(pack.name)
    return [training.hash for training in sweep.trainings]


def test_tensorboard_reads_what_was_measured(tmp_path: Path):
    from tensorboardX.proto import event_pb2
    from tensorboardX.record_writer import RecordWriter  # noqa: F401  what wrote them

    hashes = played(trackers.opened(str(tmp_path / "board"), None, "tiny"))
    runs = {folder.name: folder for folder in (tmp_path / "board").iterdir()}
    assert sorted(name.split()[-1] for name in runs) == sorted(hashes)
    assert {name.rpartition(" ")[0] for name in runs} == {
        f"size={size} seed {seed}" for size in (4, 8) for seed in (0, 1)
    }
    (file,) = next(iter(runs.values())).iterdir()
    found = {}
    for record in records(file.read_bytes()):
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
    assert found == {("copy_fraction", 8): 0.125, ("copy_fraction", 16): 0.25}


def records(data: bytes):
    """The records of an event file: length (8 bytes), its checksum (4), the record, its own (4)."""
    while data:
        length = int.from_bytes(data[:8], "little")
        yield data[12 : 12 + length]
        data = data[12 + length + 4 :]


class Client:
    """In the place of `mlflow.MlflowClient`, with the signatures of its methods; see below."""

    made: ClassVar[list[Client]] = []

    def __init__(self, tracking_uri=None, registry_uri=None):
        if tracking_uri == "nowhere:":
            raise OSError("no such store\nand more")
        self.uri, self.runs, self.metrics, self.params, self.ended = tracking_uri, {}, [], [], []
        Client.made.append(self)

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name, artifact_location=None, tags=None):
        return f"experiment {name}"

    def search_runs(self, experiment_ids, filter_string="", run_view_type=1, max_results=1000):
        return [self.runs[t] for t in self.runs if f"'{t}'" in filter_string]

    def create_run(self, experiment_id, start_time=None, tags=None, run_name=None):
        assert experiment_id == "experiment tiny"
        info = types.SimpleNamespace(run_id=f"run of {tags['mlflow.runName']}")
        self.runs[tags["training"]] = types.SimpleNamespace(info=info)
        return self.runs[tags["training"]]

    def log_metric(self, run_id, key, value, timestamp=None, step=None, synchronous=None):
        self.metrics.append((run_id, key, value, step))

    def log_param(self, run_id, key, value, synchronous=None):
        self.params.append((run_id, key, value))

    def set_terminated(self, run_id, status=None, end_time=None):
        self.ended.append(run_id)


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    Client.made = []
    monkeypatch.setitem(sys.modules, "mlflow", types.SimpleNamespace(MlflowClient=Client))
    return Client.made


def test_mlflow_is_told_what_was_measured(mlflow: list[Client]):
    played(trackers.opened(None, "somewhere:", "tiny"))
    (client,) = mlflow
    assert client.uri == "somewhere:"
    names = [f"run of size={size} seed {seed}" for size in (4, 8) for seed in (0, 1)]
    assert sorted({run for run, *_ in client.metrics}) == names
    assert ("run of size=4 seed 0", "copy_fraction", 0.25, 16) in client.metrics
    assert ("run of size=8 seed 1", "corpus.size", 8) in client.params
    assert sorted(client.ended) == names


def test_what_fails_is_said_once_and_hears_no_more(mlflow, monkeypatch, caplog):
    def broken(self, *arguments, **options):
        raise OSError("the server is gone\nand more")

    monkeypatch.setattr(Client, "log_metric", broken)
    played(trackers.opened(None, "somewhere:", "tiny"))
    assert caplog.messages == ["MLflow hears no more of this run: the server is gone"]


def without(*names: str):
    whole = builtins.__import__

    def imported(name, *arguments, **options):
        if name.partition(".")[0] in names:
            raise ImportError(name)
        return whole(name, *arguments, **options)

    return imported


def test_what_cannot_be_had_is_told_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(builtins, "__import__", without("tensorboardX", "mlflow"))
    with pytest.raises(UsageError) as told:
        trackers.opened(str(tmp_path / "board"), "somewhere:", "tiny")
    assert [str(fault) for fault in told.value.faults] == [
        "--mlflow: needs MLflow: pip install mlflow-skinny",
        "--tensorboard: needs tensorboardX: pip install tensorboardX",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tensorboard", "file/board"], "--tensorboard: 'file/board' cannot be written: "),
        (["--mlflow", "nowhere:"], "--mlflow: 'nowhere:' cannot be used: no such store"),
    ],
)
def test_wrong_options_end_before_anything_is_written(
    mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
):
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    Path("file").write_text("in the way")
    done = memophase("run", "tiny.yaml", *options)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {said}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "tiny.yaml"]


def test_the_stand_in_has_the_signatures_of_mlflow():
    """Where MLflow is installed; it is no dependency of the tests."""
    import inspect

    real = pytest.importorskip("mlflow").MlflowClient
    for name in ("create_experiment", "search_runs", "create_run", "log_metric", "log_param"):
        theirs = list(inspect.signature(getattr(real, name)).parameters)
        ours = list(inspect.signature(getattr(Client, name)).parameters)
        assert theirs[: len(ours)] == ours
