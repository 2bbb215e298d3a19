"""The study's folder, and the heartbeat of whoever runs it."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.store.results import Results, Status
from sweeps.faults import UsageError
from sweeps.files import spec
from sweeps.status import folder, heartbeat
from sweeps.status.heartbeat import Heartbeat
from tests.sweeps.tiny import TINY, memophase


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results.open(tmp_path / "results")


def nothing() -> dict:
    return {}


def beat(results: Results, **changes) -> None:
    now = time.time()
    runner = {"token": "x", "host": socket.gethostname(), "pid": os.getpid()}
    runner |= {"started": now - 9, "beat": now, "progress": {}} | changes
    results.store.publish("runs/x.json", json.dumps(runner).encode())


def test_a_sweep_is_read_back(results: Results):
    sweep = spec.loads(TINY)
    folder.publish(sweep, results)
    study = folder.read(results)
    assert study is not None
    assert (study.name, study.axes, study.facet) == ("tiny", ["corpus.size"], None)
    assert [t.hash for t in study.trainings] == [t.hash for t in sweep.trainings]
    assert {t.last_step for t in study.trainings} == {32}
    assert study.trainings[-1].cell == {"corpus.size": 8}


def test_a_folder_belongs_to_one_study(results: Results):
    folder.refuse_other_study(spec.loads(TINY), results, "results")
    folder.publish(spec.loads(TINY), results)
    folder.refuse_other_study(spec.loads(TINY, ["corpus.size=4"]), results, "results")
    with pytest.raises(UsageError, match="holds the study 'tiny', not 'other'"):
        folder.refuse_other_study(spec.loads(TINY, ["name=other"]), results, "results")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "garbled"),
        (b"[]", "garbled"),
        (b'{"version": 99}', "version 99"),
        (b"\xff", "garbled"),
    ],
)
def test_a_bad_sweep_json_is_named(results: Results, content: bytes, what: str):
    results.store.publish("sweep.json", content)
    with pytest.raises(UsageError, match=what):
        folder.read(results)


def test_standings_tell_what_is_left(results: Results):
    states = {"a": ("finished", 32), "b": ("running", 8), "c": ("diverged", 8), "d": ("failed", 8)}
    for name, (state, step) in states.items():
        status = Status(training=name, state=state, step=step)  # type: ignore[arg-type]
        results.store.publish(f"trainings/{name}/status.json", status.to_bytes())
    results.store.publish("trainings/e/status.json", b"{}")
    results.store.publish("trainings/f", b"in the way")
    found = folder.standings(dict.fromkeys("abcdefg", 32), results)
    states = {name: standing.state for name, standing in found.items()}
    assert states == {
        "a": "finished",
        "b": "unfinished",
        "c": "diverged",
        "d": "failed",
        "e": "damaged",
        "f": "damaged",
        "g": "waiting",
    }
    assert [name for name, standing in found.items() if standing.done] == ["a", "c"]
    assert not folder.standings({"a": 64}, results)["a"].done


def test_a_second_runner_is_told_who_is_first(results: Results):
    with Heartbeat(results.store, nothing):
        assert [r.pid for r in heartbeat.runners(results.store).alive] == [os.getpid()]
        with (
            pytest.raises(UsageError, match=f"is being run by process {os.getpid()} on "),
            Heartbeat(results.store, nothing),
        ):
            pass
    assert heartbeat.runners(results.store).alive == []
    with Heartbeat(results.store, nothing):
        pass
    assert results.store.names("runs") == []


def test_of_two_that_start_at_once_the_earlier_goes_on(results: Results, monkeypatch):
    ours = Heartbeat(results.store, nothing)
    publish = type(results.store).publish

    def late(store, path, data):
        publish(store, path, data)
        if not path.endswith("x.json"):
            beat(results, started=time.time() - 99)

    monkeypatch.setattr(type(results.store), "publish", late)
    with pytest.raises(UsageError, match="is being run by"), ours:
        pass
    assert results.store.names("runs") == ["x.json"]


def test_gone_runners_hold_nothing(results: Results):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for gone in ({"pid": ended.pid}, {"host": "elsewhere", "beat": time.time() - 61}):
        beat(results, **gone)
        with Heartbeat(results.store, nothing):
            assert "x.json" not in results.store.names("runs")
    beat(results, host="elsewhere", beat=time.time() - 30)
    with pytest.raises(UsageError, match="on elsewhere"), Heartbeat(results.store, nothing):
        pass


def test_status_of_a_folder_that_nobody_runs(results: Results):
    sweep = spec.loads(TINY)
    folder.publish(sweep, results)
    first, second, third, _ = sweep.trainings
    folder.mark_failed(results, first.hash, "ValueError: no")
    results.publish(second.config, "finished", 32, {}, b"weights")
    results.publish(third.config, "running", 8, {}, b"weights")
    told = json.loads(memophase("status", results.store.root, "--json").stdout)
    assert (told["total"], told["done"]) == (4, 1)
    assert (told["failed"], told["unfinished"], told["waiting"]) == (1, 1, 1)
    assert (told["steps_done"], told["steps_total"]) == (40, 128)
    assert told["failures"][0]["reason"] == "failed: ValueError: no"
    assert told["runner"] is None
    beat(results, progress={"eta_seconds": 75.0})
    words = memophase("status", results.store.root).stdout
    assert f"run by process {os.getpid()}" in words
    assert "1m15s left" in words
    assert "size=4 seed 0: failed: ValueError: no" in words


def test_no_damage_is_hidden_by_a_config_that_is_known(results: Results):
    """Every byte is read, whatever the files' times say."""
    sweep = spec.loads(TINY)
    for training in sweep.trainings:
        results.publish(training.config, "finished", 32, {}, b"weights")
    longer = spec.loads(TINY, ["training.steps=64"])
    assert {s.state for s in folder.verified(sweep.trainings, results).values()} == {"finished"}
    assert {s.state for s in folder.verified(longer.trainings, results).values()} == {"unfinished"}

    own = [Path(results.store.full(f"trainings/{t.hash}")) for t in sweep.trainings]
    checkpoint = own[0] / "checkpoint-000000032.pt"
    before = checkpoint.stat()
    checkpoint.write_bytes(b"Weights")
    os.utime(checkpoint, ns=(before.st_atime_ns, before.st_mtime_ns))
    (own[1] / "config.json").write_bytes((own[2] / "config.json").read_bytes())
    (own[3] / "config.json").write_text("{")
    found = folder.verified(sweep.trainings, results)
    assert [found[t.hash].state for t in sweep.trainings] == [
        "damaged",
        "damaged",
        "finished",
        "damaged",
    ]
    assert "does not match its checksum" in found[sweep.trainings[0].hash].reason
    assert "not that of this training" in found[sweep.trainings[1].hash].reason
    assert "garbled" in found[sweep.trainings[3].hash].reason
