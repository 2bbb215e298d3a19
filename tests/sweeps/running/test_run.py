"""What a run does when packs fail or Ray dies, with a stand-in that trains in this process."""

import json
from pathlib import Path

import pytest

from sweeps.running import run as running
from sweeps.running.ray_process import RayLost, RayNotStarted
from sweeps.running.tuner import Trials
from sweeps.running.watcher import Watcher
from tests.sweeps.running.stand_in import More, StandIn, Train, given, run, trained
from tests.sweeps.tiny import TINY, memophase

OUT_OF_MEMORY = """\
Failure # 1 (occurred at 2026-01-01_00-00-00)
ray::ImplicitFunc.train()
  File "pack.py", line 1, in step
MemoryError: out of memory: 7.0 GiB asked for
"""


def test_members_of_packs_too_large_for_memory_are_trained_alone(ray, tmp_path: Path):
    sizes = []

    def train(_: StandIn, trials: Trials, watcher: Watcher, more: More) -> None:
        for pack in given(more):
            sizes.append(len(pack["trainings"]))
            if sizes[-1] == 1:
                trained(pack, watcher)
            else:
                watcher.started(pack["name"])
                watcher.retried(pack["name"], OUT_OF_MEMORY)
                watcher.failed(pack["name"], OUT_OF_MEMORY)

    ray.train = train
    outcome, shown = run(tmp_path)
    assert outcome.complete
    assert sizes == [2, 2, 1, 1, 1, 1]
    (alone,) = [line for line in shown.splitlines() if "event=retrying_alone" in line]
    assert "4 trainings of failed packs are tried once more, each alone" in alone
    assert "MemoryError: out of memory: 7.0 GiB asked for" in alone
    retrying = [line for line in shown.splitlines() if "event=retrying " in line]
    assert [line.split('"')[1] for line in retrying] == ["size=4 ×2 seeds", "size=8 ×2 seeds"]
    assert ray.started == 1


def dies(times: int) -> Train:
    """Trains one pack, then dies; so many times."""
    left = [times]

    def train(_: StandIn, trials: Trials, watcher: Watcher, more: More) -> None:
        for pack in given(more):
            trained(pack, watcher)
            if left[0]:
                left[0] -= 1
                raise RayLost("its raylet was ended", log="raylet: killed\n")

    return train  # type: ignore[return-value]


def test_a_ray_that_dies_is_started_once_more(ray, tmp_path: Path):
    ray.train = dies(1)
    outcome, shown = run(tmp_path)
    assert outcome.complete
    assert ray.started == 2
    (lost,) = [line for line in shown.splitlines() if "event=ray_lost" in line]
    assert "its raylet was ended" in lost
    assert (tmp_path / "failures" / "ray.txt").read_text() == "raylet: killed\n"
    begun = [line for line in shown.splitlines() if "event=begin" in line]
    assert [line.split()[3] for line in begun] == ["done=0/4", "done=2/4"]
    assert shown.splitlines()[-1].split("done=")[1].startswith("4/4")


def test_one_that_dies_again_ends_the_run_in_a_line(ray, tmp_path: Path):
    ray.train = dies(2)
    (tmp_path / "tiny.yaml").write_text(TINY.replace("seeds: 2", "seeds: 3"))
    result = memophase("run", str(tmp_path / "tiny.yaml"), "--results", str(tmp_path / "r"))
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: Ray was started again and was lost: its raylet was ended; log: ")
    assert "go on: memophase run" in line
    assert ray.started == 2
    assert not list((tmp_path / "r" / "runs").iterdir())
    told = json.loads(memophase("status", str(tmp_path / "r"), "--json").stdout)
    assert 0 < told["done"] < told["total"] == 6


def never_up(monkeypatch: pytest.MonkeyPatch, ray: type[StandIn], times: int) -> list[int]:
    """A Ray that does not come up, so many times; how often it was tried."""
    tried = [0]
    entered = ray.__enter__

    def enter(self: StandIn) -> StandIn:
        tried[0] += 1
        if tried[0] <= times:
            raise RayNotStarted("its raylet (process 7) was ended", log="raylet: no port\n")
        return entered(self)

    monkeypatch.setattr(ray, "__enter__", enter)
    return tried


def test_a_ray_that_does_not_come_up_is_tried_again(ray, tmp_path: Path, monkeypatch):
    ray.train = dies(1)
    tried = never_up(monkeypatch, ray, running.STARTS - 1)
    outcome, shown = run(tmp_path)
    assert outcome.complete
    assert tried == [running.STARTS + 1], "the one that died later was not started again"
    assert shown.count("event=ray_not_started") == running.STARTS - 1


def test_one_that_never_comes_up_is_told_in_a_line(ray, tmp_path: Path, monkeypatch):
    tried = never_up(monkeypatch, ray, 100)
    (tmp_path / "tiny.yaml").write_text(TINY)
    result = memophase("run", str(tmp_path / "tiny.yaml"), "--results", str(tmp_path / "r"))
    assert result.exit_code == 1
    assert tried == [running.STARTS]
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: Ray did not start, 5 times over: its raylet (process 7) was")
    assert "too busy" in line
    assert (tmp_path / "r/failures/ray.txt").read_text() == "raylet: no port\n"
    assert not list((tmp_path / "r" / "runs").iterdir())


def test_a_cluster_is_not_started_again(ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ray.train = dies(1)
    monkeypatch.setattr(running.access, "reachable", lambda address: address)
    with pytest.raises(RayLost, match="the Ray cluster at head:6379 was lost: its raylet was"):
        run(tmp_path, address="head:6379")
    assert ray.started == 1
