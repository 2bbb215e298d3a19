"""What would stop or spoil a sweep is found, and what to do is said."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from study.store.storage import Store
from sweeps.running import access
from sweeps.upkeep import doctor, probe
from sweeps.upkeep.doctor import Finding
from tests.sweeps.tiny import memophase

Machines = list[dict[str, Any]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cluster(here: Path, monkeypatch: pytest.MonkeyPatch):
    """A cluster of two machines that are as this one, each of which the test may change."""
    machines: Machines = [{"node": f"10.0.0.{k}", "declared": 0.0} for k in range(2)]
    guarded = [True]

    def asked(address: str, location: str, token: str, *options: str, **environment: str) -> Any:
        if options:
            outcome = probe.REFUSED if guarded[0] else probe.TAKEN_IN
            return {"outcome": outcome, "why": "no token", "machines": []}
        found = []
        for k, changes in enumerate(machines):
            said = probe.machine(location, token, f"{token}-{k}")
            found.append(said | {"skew": 0.0, "skew_error": 0.001} | changes)
        return {"outcome": probe.TAKEN_IN, "machines": found}

    monkeypatch.setattr(doctor, "_asked", asked)
    monkeypatch.setattr(access, "reachable", lambda address: address)
    return machines, guarded


def faults(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.where, each.what) for each in found if each.state == "fault"]


def test_a_machine_that_is_well_leaves_no_trace(here: Path):
    done = memophase("doctor", "--results", "fresh")
    assert done.exit_code == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "all is well"
    assert [line.split(": ")[1] for line in lines[:-1]] == [
        "versions",
        "processors",
        "GPUs",
        "Ray's files",
        "storage",
        "clock",
        "disk",
    ]
    assert not (here / "fresh").exists()


def test_json_says_the_same(here: Path):
    (here / "results").mkdir()
    told = json.loads(memophase("doctor", "--json").stdout)
    assert told["healthy"] is True
    assert {finding["state"] for finding in told["findings"]} == {"ok"}
    assert {"where", "what", "state", "said", "advice"} == set(told["findings"][0])
    assert list((here / "results").iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_fault(here: Path):
    (here / "file").write_text("in the way")
    done = memophase("doctor", "--results", "file/results")
    assert done.exit_code == 1
    assert "FAULT" in done.stdout
    assert "choose another place with --results" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_full_disk_and_a_scarce_one_are_told(here: Path, monkeypatch: pytest.MonkeyPatch):
    for free, state in ((2**20, "fault"), (2**30, "note"), (2**40, "ok")):
        monkeypatch.setattr(doctor, "_free", lambda store, free=free: free)
        (disk,) = [f for f in doctor.examine("local", "results") if f.what == "disk"]
        assert disk.state == state
        assert (disk.advice == "") == (state == "ok")


def test_a_clock_of_the_storage_that_differs_is_told(here: Path, monkeypatch: pytest.MonkeyPatch):
    publish = Store.publish
    for late, state in ((-120.0, "fault"), (12.0, "note"), (0.2, "ok")):

        def shifted(store: Store, path: str, data: bytes, late: float = late) -> None:
            publish(store, path, data)
            os.utime(store.full(path), (time.time() + late,) * 2)

        monkeypatch.setattr(Store, "publish", shifted)
        (clock,) = [f for f in doctor.examine("local", "results") if f.what == "clock"]
        assert clock.state == state


def test_heartbeats_that_say_nothing_true_are_noted(here: Path):
    Store.open("results").publish("runs/x.json", b"{}")
    done = memophase("doctor")
    assert done.exit_code == 0
    assert "it is no heartbeat" in done.stdout


def test_a_cluster_that_is_well(cluster):
    found = list(doctor.examine("head:6379", "results"))
    assert faults(found) == []
    assert [f.what for f in found if f.where == "10.0.0.1"] == [
        "versions",
        "GPUs",
        "Ray's files",
        "clock",
        "storage",
        "disk",
    ]
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("changes", "what", "said"),
    [
        ({"python": "3.10.1"}, "versions", "Python 3.10.1 (here "),
        ({"packages": {"memophase": None}}, "versions", "memophase None (here "),
        ({"sources": "0" * 12}, "versions", "memophase is other code than here"),
        ({"declared": 2.0}, "GPUs", "Ray counts 2 there, the driver lists none"),
        (
            {"declared": 1.0, "gpus": ["A100"], "torch_cuda": None},
            "GPUs",
            "A100, but torch there is a build for CPUs",
        ),
        ({"skew": -90.0}, "clock", "90.0 s behind this machine's"),
        ({"seen": False}, "storage", "there is not what it is here"),
        ({"wrote": "elsewhere"}, "storage", "what it writes does not arrive here"),
        ({"trouble": "Read-only file system"}, "storage", "Read-only file system"),
        ({"free": 2**20}, "disk", "0.0 GiB free"),
        ({"scratch": "/scratch", "scratch_free": 2**20}, "Ray's files", "0.0 GiB free in /scratch"),
    ],
)
def test_what_is_wrong_with_one_machine_is_told_of_that_one(cluster, changes, what, said):
    machines, _ = cluster
    machines[1] |= changes
    found = list(doctor.examine("head:6379", "results"))
    (fault,) = [each for each in found if each.state == "fault"]
    assert (fault.where, fault.what) == ("10.0.0.1", what)
    assert said in fault.said
    assert fault.advice


def test_a_machine_that_does_not_answer_is_told(cluster, monkeypatch: pytest.MonkeyPatch):
    silent = [{"node": "10.0.0.9", "trouble": "no answer"}]
    told = {"outcome": probe.TAKEN_IN, "machines": silent}
    asked = doctor._asked
    monkeypatch.setattr(doctor, "_asked", lambda *a, **k: asked(*a, **k) if a[3:] else told)
    assert faults(list(doctor.examine("head:6379", "results"))) == [("10.0.0.9", "answers")]


def test_a_cluster_that_asks_for_no_token_is_a_fault(cluster):
    cluster[1][0] = False
    assert faults(list(doctor.examine("head:6379", "results"))) == [("head:6379", "token")]


def test_no_cluster_is_a_fault_and_no_address_a_wrong_request(here: Path):
    done = memophase("doctor", "--address", "127.0.0.1:1")
    assert done.exit_code == 1
    assert "no Ray cluster answers at '127.0.0.1:1'" in done.stdout
    assert "start one with `ray start --head`" in done.stdout
    wrong = memophase("doctor", "--address", "somewhere")
    assert wrong.exit_code == 2
    assert "'somewhere' is none of local, auto and HOST:PORT" in wrong.stderr
    assert not (here / "results").exists()


@pytest.mark.long
@pytest.mark.ray
def test_a_real_cluster_of_two_machines(here: Path, monkeypatch: pytest.MonkeyPatch):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        done = memophase("doctor", "--address", cluster.address, "--json")
        told = json.loads(done.stdout)
        machines = {f["where"] for f in told["findings"] if f["what"] == "clock"}
        assert len(machines) >= 2, done.stdout
        shared = [f["said"] for f in told["findings"] if f["what"] == "storage"]
        assert shared.count("shared with this machine, and can be written") == 2
        (token,) = [f for f in told["findings"] if f["what"] == "token"]
        assert told["healthy"] == (token["state"] == "ok")
        assert not (here / "results").exists()
    finally:
        cluster.shutdown()
