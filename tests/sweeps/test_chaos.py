"""A hundred and more random kill -9 of everything that runs a sweep: nothing is lost or done twice,
and the tables are those of a run that nobody disturbed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.store.results import Results
from tests.sweeps import processes
from tests.sweeps.tiny import TINY, contents, in_process

pytestmark = [pytest.mark.long, pytest.mark.ray]

OPTIONS = ["--set", "training.steps=4096", "--set", "measurement.per_octave=4"]
KILLS = 20
"""Of one slice; five slices on a Ray of our own, and one of `NODES` on a cluster of two nodes."""
SLICES = range(5)
NODES = 12
SEED = 1
"""Of the first slice."""
VICTIMS = ("run", "driver", "worker", "raylet", "gcs_server")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chaos")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def undisturbed(home: Path) -> dict[str, dict[str, str]]:
    """What a run that nobody disturbs publishes."""
    done = in_process("run", "tiny.yaml", *OPTIONS, "--results", "undisturbed", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    return contents(home / "undisturbed")


def steps(folder: Path) -> dict[str, int]:
    """Training -> its published step, by statuses alone: others may be writing."""
    statuses = Results.open(folder).statuses() if folder.exists() else ()
    return {training: status.step for training, status in statuses if status is not None}  # type: ignore[union-attr]


def chosen(victim: str, run: int) -> list[int]:
    """The processes of a kind that a run has now."""
    if victim == "run":
        return [run]
    if victim == "worker":
        return processes.workers(run)
    if victim == "driver":
        return [pid for pid in processes.children(run) if "serve(" in processes.command_line(pid)]
    return processes.called(run, victim)


class Hunt:
    """Runs a sweep again and again, and kills what runs it, until enough were struck.

    Attributes:
        struck: kind of victim -> kills.
        folders: results that are complete.
    """

    def __init__(self, home: Path, name: str, seed: int, victims: tuple[str, ...]) -> None:
        self.home, self.name, self.victims = home, name, victims
        self.moments = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self.folders: list[Path] = []
        self.log = home / f"{name}.log"

    @property
    def total(self) -> int:
        return sum(self.struck.values())

    def go(self, kills: int, *options: str) -> None:
        """Until so many were struck, and every sweep that was begun is complete."""
        while self.total < kills:
            folder = self.home / f"{self.name}-{len(self.folders)}"
            arguments = ("run", "tiny.yaml", *OPTIONS, *options, "--results", folder.name)
            code = None
            while code != 0 and self.total < kills:
                with processes.started(*arguments, cwd=self.home, log=self.log) as child:
                    code = self._hunted(child, folder, kills)
            if code != 0:
                done = in_process(*arguments, cwd=self.home)
                assert done.returncode == 0, done.stdout + done.stderr
            self.folders.append(folder)

    def _hunted(self, child: subprocess.Popen[str], folder: Path, kills: int) -> int | None:
        """A run that loses one process after another; its exit code, None where it was killed."""
        while child.poll() is None and self.total < kills:
            before = steps(folder)
            if self.moments.random() < 0.5:  # while something trains, however fast the machine is
                processes.wait_for(lambda b=before: steps(folder) != b or child.poll() is not None)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(self.moments.uniform(0, 3))
            before = steps(folder)
            if child.poll() is None:
                self.strike(child)
            after = steps(folder)
            assert all(after[training] >= step for training, step in before.items()), "lost steps"
        if child.poll() is None and self.total >= kills:
            child.wait(150)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
        code = child.poll()
        assert code in (0, 1, -signal.SIGKILL, None), self.log.read_text()
        return code

    def strike(self, child: subprocess.Popen[str]) -> None:
        victim = self.moments.choice(self.victims)
        found = chosen(victim, child.pid)
        if not found:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.moments.choice(found), signal.SIGKILL)
            self.struck[victim] += 1


@pytest.mark.parametrize("part", SLICES)
def test_random_kills_of_a_run_and_its_ray(part: int, home: Path, undisturbed):
    hunt = Hunt(home, f"hunt-{part}", SEED + part, VICTIMS)
    hunt.go(KILLS)
    print(f"\nslice {part}: {dict(hunt.struck)} over {len(hunt.folders)} sweeps", file=sys.stderr)
    assert hunt.total >= KILLS
    for folder in hunt.folders:
        assert contents(folder) == undisturbed


@pytest.fixture
def cluster() -> Iterator:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.shutdown()


def test_random_losses_of_nodes(home: Path, undisturbed, cluster):
    """The second node is lost again and again, and a new one comes; workers and runs die too."""
    node = cluster.add_node(num_cpus=1)

    class Losses(Hunt):
        def strike(self, child: subprocess.Popen[str]) -> None:
            nonlocal node
            if self.moments.random() < 0.3:
                super().strike(child)
                return
            cluster.remove_node(node, allow_graceful=False)
            self.struck["node"] += 1
            node = cluster.add_node(num_cpus=1)

    hunt = Losses(home, "nodes", SEED, ("run", "driver"))
    hunt.go(NODES, "--address", cluster.address)
    print(f"\nnodes: {dict(hunt.struck)} over {len(hunt.folders)} sweeps", file=sys.stderr)
    assert hunt.struck["node"] >= NODES // 2
    for folder in hunt.folders:
        assert contents(folder) == undisturbed
