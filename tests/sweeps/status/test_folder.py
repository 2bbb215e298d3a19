"""The study's folder, and the heartbeat of whoever runs it."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis import load
from study.config import TrialConfig
from study.store.results import Results
from study.store.states import state_of
from study.store.status import DamagedTraining, Status
from sweeps import show
from sweeps.faults import UsageError
from sweeps.files import spec
from sweeps.running.run import say_damage
from sweeps.search.search import Evidence
from sweeps.status import folder, heartbeat, study_state, training_states
from sweeps.status.heartbeat import Heartbeat
from tests.analysis import synthetic
from tests.sweeps.running.stand_in import StandIn, given, run
from tests.sweeps.tiny import TINY, memophase


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results.open(tmp_path / "results")


def publish(sweep: spec.Sweep, results: Results) -> None:
    folder.publish(sweep, Evidence(results))


def nothing() -> dict:
    return {}


def beat(results: Results, **changes) -> None:
    now = time.time()
    runner = {"token": "x", "host": socket.gethostname(), "pid": os.getpid()}
    runner |= {"started": now - 9, "beat": now, "progress": {}} | changes
    results.store.publish("runs/x.json", json.dumps(runner).encode())


def test_a_sweep_is_read_back(results: Results):
    sweep = spec.loads(TINY)
    publish(sweep, results)
    study = folder.read(results)
    assert study is not None
    assert (study.name, study.axes, study.facet) == ("tiny", ["corpus.size"], None)
    assert [t.hash for t in study.trainings] == [t.hash for t in sweep.trainings]
    assert {t.last_step for t in study.trainings} == {32}
    assert study.trainings[-1].cell == {"corpus.size": 8}


def test_a_folder_belongs_to_one_study(results: Results):
    folder.refuse_other_study(spec.loads(TINY), results, "results")
    publish(spec.loads(TINY), results)
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


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", "x"), ("hash", "../../x"), ("hash", ".."), ("hash", ""), ("cell", 7)],
)
def test_a_listed_training_that_is_none_is_named(results: Results, name: str, value: object):
    publish(spec.loads(TINY), results)
    document = json.loads(results.store.read("sweep.json"))
    document["trainings"][1][name] = value
    results.store.publish("sweep.json", json.dumps(document).encode())
    with pytest.raises(UsageError, match=f"garbled.*{name} of a training is"):
        folder.read(results)


def test_states_tell_what_is_left(results: Results):
    states = {"a": ("finished", 32), "b": ("running", 8), "c": ("diverged", 8), "d": ("failed", 8)}
    for name, (state, step) in states.items():
        status = Status(training=name, state=state, step=step)  # type: ignore[arg-type]
        results.store.publish(f"trainings/{name}/status.json", status.to_bytes())
    results.store.publish("trainings/e/status.json", b"{}")
    results.store.publish("trainings/f", b"in the way")
    found = training_states.by_status(dict.fromkeys("abcdefg", 32), results)
    states = {hash_: state.name for hash_, state in found.items()}
    assert states == {
        "a": "finished",
        "b": "unfinished",
        "c": "diverged",
        "d": "failed",
        "e": "damaged",
        "f": "damaged",
        "g": "waiting",
    }
    assert [hash_ for hash_, state in found.items() if state.done] == ["a", "c"]
    assert not training_states.by_status({"a": 64}, results)["a"].done


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


@pytest.mark.parametrize("hours", [-1.0, 1.0, 24 * 365.0])
def test_a_run_outlives_a_night_of_sleep_and_clocks_that_jump(results, monkeypatch, hours: float):
    with Heartbeat(results.store, nothing):
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3600 * hours)
        found = heartbeat.runners(results.store)
        assert [runner.pid for runner in found.alive] == [os.getpid()]
        assert found.ignored == []
        with (
            pytest.raises(UsageError, match="is being run by process"),
            Heartbeat(results.store, nothing),
        ):
            pass
    assert results.store.names("runs") == []


def test_a_run_whose_clock_jumps_ends_as_any_other(ray: type[StandIn], tmp_path: Path, monkeypatch):
    """Wall clocks only date records: durations, waits and what is left go by clocks that cannot
    be set."""
    real, jumps = time.time, iter(3600.0 * hours for hours in (24, -48, 24 * 365, -1, 0.5, 0))

    def train(_: StandIn, trials, watcher, more) -> None:
        for pack in given(more):
            shift = next(jumps, 0.0)
            monkeypatch.setattr(time, "time", lambda s=shift: real() + s)
            watcher.started(pack["name"])
            for document in pack["trainings"]:
                synthetic.publish(tmp_path, TrialConfig.from_dict(document))
            watcher.measured(pack["name"], {"step": 16})
            left.append(watcher._progress.eta())  # pyright: ignore[reportPrivateUsage]
            found = heartbeat.runners(Results.open(tmp_path).store)
            assert [runner.pid for runner in found.alive] == [os.getpid()]
            watcher.completed(pack["name"])

    left: list[float | None] = []
    ray.train = train
    begun = time.perf_counter()
    text = TINY.replace("seeds: 2", "seeds: 2\nresources: {members_per_pack: 1}")
    outcome, said = run(tmp_path, spec.loads(text))
    took = time.perf_counter() - begun
    assert outcome.complete
    assert outcome.usage is not None
    assert 0 < outcome.usage.seconds <= took
    assert len(left) == 4
    assert all(seconds is None or 0 <= seconds < 60 for seconds in left), left
    assert said.count("event=completed") == 4
    assert Results.open(tmp_path).store.names("runs") == []


def test_another_process_of_the_same_number_holds_nothing(results: Results):
    for other in (heartbeat.process(os.getpid()) + "0", "another start of the machine 17"):
        beat(results, process=other)
        assert heartbeat.runners(results.store).alive == []
    beat(results, process=heartbeat.process(os.getpid()))
    assert len(heartbeat.runners(results.store).alive) == 1
    assert heartbeat.process(2**30) == ""


def test_status_of_a_folder_that_nobody_runs(results: Results):
    sweep = spec.loads(TINY)
    publish(sweep, results)
    first, second, third, _ = sweep.trainings
    folder.mark_failed(results, first.config, "ValueError: no")
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


def test_no_damage_is_hidden_by_a_config_that_is_known(results: Results, caplog):
    """Every byte is read, whatever the files' times say."""
    sweep = spec.loads(TINY)
    for training in sweep.trainings:
        results.publish(training.config, "finished", 32, {}, b"weights")
    longer = spec.loads(TINY, ["training.steps=64"])
    assert {s.name for s in training_states.verified(sweep.trainings, results).values()} == {
        "finished"
    }
    assert {s.name for s in training_states.verified(longer.trainings, results).values()} == {
        "unfinished"
    }

    own = [Path(results.store.full(f"trainings/{t.hash}")) for t in sweep.trainings]
    checkpoint = own[0] / "checkpoint-000000032.pt"
    before = checkpoint.stat()
    checkpoint.write_bytes(b"Weights")
    os.utime(checkpoint, ns=(before.st_atime_ns, before.st_mtime_ns))
    (own[1] / "config.json").write_bytes((own[2] / "config.json").read_bytes())
    (own[3] / "config.json").write_text("{")
    found = training_states.verified(sweep.trainings, results)
    assert [found[t.hash].name for t in sweep.trainings] == [
        "damaged",
        "damaged",
        "finished",
        "damaged",
    ]
    assert "does not match its checksum" in found[sweep.trainings[0].hash].reason
    assert "not that of this training" in found[sweep.trainings[1].hash].reason
    assert "garbled" in found[sweep.trainings[3].hash].reason
    say_damage(sweep, sweep.trainings, found)
    assert len(caplog.messages) == 3
    assert caplog.messages[0].startswith(f"size=4 seed 0 ({sweep.trainings[0].hash}) is damaged: ")


WRONG = [
    b"",
    b"[]",
    b"\xff",
    b"[" * 100_000,
    {"beat": "now"},
    {"beat": None},
    {"beat": 1e400},
    {"beat": 10**400},
    {"started": [1]},
    {"pid": "1"},
    {"pid": -1},
    {"pid": 10**40},
    {"pid": True},
    {"host": 7},
    {"token": None},
    {"progress": 3},
    {"progress": {"eta_seconds": "soon"}},
    {"host": "other", "beat": 9e9, "started": 9e9},
    {"beat": 9e9},
]


@pytest.mark.parametrize("wrong", [*WRONG, None], ids=lambda wrong: str(wrong)[:30])
def test_a_heartbeat_that_cannot_be_holds_nothing_and_is_named(results: Results, caplog, wrong):
    publish(spec.loads(TINY), results)
    if isinstance(wrong, dict):
        beat(results, **wrong)
    elif wrong is None:
        Path(results.store.full("runs/x.json")).mkdir(parents=True)
    else:
        results.store.publish("runs/x.json", wrong)
    found = study_state.study_state(results.store.root)
    assert found.runner is None
    (line,) = found.ignored
    assert line.startswith(f"{results.store.full('runs/x.json')} is ignored: ")
    assert "\n" not in line
    assert line in show.study_state(found)
    assert found.document()["ignored"] == [line]
    with Heartbeat(results.store, nothing):
        assert caplog.messages == [line]
        assert [r.pid for r in heartbeat.runners(results.store).alive] == [os.getpid()]
    assert results.store.names("runs") == []


def test_a_file_in_the_place_of_the_heartbeats_is_named(results: Results):
    publish(spec.loads(TINY), results)
    results.store.publish("runs", b"in the way")
    (line,) = study_state.study_state(results.store.root).ignored
    assert line.startswith(f"{results.store.full('runs')} is ignored: ")


def test_clocks_that_differ_a_little_hold_a_folder_all_the_same(results: Results):
    beat(results, host="elsewhere", beat=time.time() + 30, started=time.time() + 20)
    with pytest.raises(UsageError, match=r"on elsewhere \(for 0 s\)"):
        Heartbeat(results.store, nothing).__enter__()


def test_a_sweep_that_became_longer_is_told_alike_by_everyone(results: Results):
    """Every training finished its 32 steps; then the sweep was run with 64 and interrupted."""
    for training in spec.loads(TINY).trainings:
        tables = synthetic.tables(training.config)
        results.publish(training.config, "finished", 32, tables, b"weights")
    longer = spec.loads(TINY, ["training.steps=64"])
    publish(longer, results)
    first = longer.trainings[0]
    results.publish(first.config, "running", 32, {}, b"weights")
    location = results.store.root
    words = show.study_state(study_state.study_state(location)).splitlines()
    assert words == [
        "tiny: 0 of 4 trainings done (4 unfinished)",
        "nobody runs it; run it to go on",
    ]
    found = load(location).trainings
    assert set(found["state"]) == {"unfinished"}
    assert set(found["last_step"]) == {64}
    assert {s.name for s in training_states.verified(longer.trainings, results).values()} == {
        "unfinished"
    }
    beat(results)
    assert "(4 running)" in show.study_state(study_state.study_state(location))
    assert set(load(location).trainings["state"]) == {"running"}


@pytest.mark.parametrize(
    ("published", "attended", "state"),
    [
        (None, True, "waiting"),
        (DamagedTraining("no"), True, "damaged"),
        (("running", 0), True, "waiting"),
        (("running", 8), True, "running"),
        (("running", 8), False, "unfinished"),
        (("running", 32), True, "finished"),
        (("finished", 8), False, "unfinished"),
        (("finished", 32), True, "finished"),
        (("failed", 0), True, "failed"),
        (("failed", 8), False, "failed"),
        (("failed", 32), False, "finished"),
        (("diverged", 8), True, "diverged"),
    ],
)
def test_where_a_training_stands(published, attended, state):
    if isinstance(published, tuple):
        published = Status(training="a", state=published[0], step=published[1])
    assert state_of(published, 32, attended=attended) == state
