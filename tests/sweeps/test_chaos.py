"""A hundred and more random kill -9 of everything that runs a sweep: nothing is lost or done twice,
and the tables are those of a grid that nobody disturbed.

Most of what a kill costs is the start of the next Ray. So a run loses several processes, workers
and Rays that it replaces by itself among them, before it ends, and trainings are tiny.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from tests.sweeps import processes
from tests.sweeps.tiny import contents, in_process
from tests.sweeps.upkeep.studies import files

pytestmark = [pytest.mark.long, pytest.mark.ray]

SWEEP = """\
name: hunted
base:
  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}
  diffusion: {num_timesteps: 21}
  training: {steps: 256, batch_size: 8}
  measurement: {first_step: 8, per_octave: 2, likelihood_per_octave: 1, budget: null, generated: 20}
grid:
  network.width: [8, 16]
  corpus.size: [2, 4, 8]
seeds: 2
resources: {members_per_pack: 3}
"""
LAST = 256
BOUNDARY = ("--set", "search={kind: boundary, level: 0.3, width: 0.2}")
"""A band that narrow takes most of the lattice."""
KILLS = 20
"""Of one slice on a Ray of its own."""
SLICES = [("boundary", 1), ("grid", 2), ("boundary", 3), ("grid", 4), ("grid", 5)]
"""What is searched, and the seed of the moments."""
LOSSES = 8
"""Of one slice on a cluster of two nodes, nodes above all."""
VICTIMS = ("run", "driver", "worker", "worker", "raylet", "gcs_server")
SHORT, LONG = 0.3, 3.0
"""Seconds between two kills, at most: within a volley, and else."""
PATIENCE = 900.0
"""Seconds for a run that nobody disturbs any more, however much else goes on."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chaos")
    (folder / "hunted.yaml").write_text(SWEEP)
    return folder


@pytest.fixture(scope="module")
def undisturbed(home: Path) -> dict[str, dict[str, str]]:
    """What the grid's trainings publish where nobody disturbs them, without Ray."""
    sweep = spec.loads(SWEEP)
    for _, alike in groupby(sweep.trainings, lambda training: training.config.network.width):
        run_pack([training.config for training in alike], Results.open(home / "undisturbed"))
    return contents(home / "undisturbed")


def complete(folder: str, home: Path, *options: str) -> str:
    """Run what is left, undisturbed; returns what was said."""
    arguments = ("run", "hunted.yaml", *options, "--results", folder)
    done = in_process(*arguments, cwd=home, seconds=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


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
        begun: of them, those that struck while some training had begun and was not done.
        folders: results that are complete.
    """

    def __init__(self, home: Path, name: str, seed: int, *options: str) -> None:
        self.home, self.name, self.options = home, name, options
        self.moments = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self.begun = 0
        self.folders: list[Path] = []
        self.log = home / f"{name}.log"

    @property
    def total(self) -> int:
        return sum(self.struck.values())

    def go(self, kills: int) -> None:
        """Until so many were struck, and every sweep that was begun is complete."""
        while self.total < kills:
            folder = self.home / f"{self.name}-{len(self.folders)}"
            arguments = ("run", "hunted.yaml", *self.options, "--results", folder.name)
            code = None
            while code != 0 and self.total < kills:
                with processes.started(*arguments, cwd=self.home, log=self.log) as child:
                    code = self._hunted(child, folder, kills)
                self._tell(folder, code)
            if code != 0:
                complete(folder.name, self.home, *self.options)
            self.folders.append(folder)

    def _hunted(self, child: subprocess.Popen[str], folder: Path, kills: int) -> int | None:
        """A run that loses one process after another; its exit code, None where it was killed."""
        while child.poll() is None and self.total < kills:
            self._bide(child, folder)
            before = steps(folder)
            if child.poll() is None and self.strike(child):
                self.begun += any(0 < step < LAST for step in before.values())
            after = steps(folder)
            assert all(after[training] >= step for training, step in before.items()), "lost steps"
        if child.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
        code = child.poll()
        assert code in (0, 1, -signal.SIGKILL), self.log.read_text()
        assert "Traceback" not in self.log.read_text(), self.log.read_text()
        return code

    def _bide(self, child: subprocess.Popen[str], folder: Path) -> None:
        """Until the next kill: soon, after a while, or once something more is published."""
        before, kind = steps(folder), self.moments.choice(["soon", "soon", "later", "published"])
        if kind == "published":
            processes.wait_for(
                lambda: steps(folder) != before or child.poll() is not None, PATIENCE
            )
        longest = LONG if kind == "later" else SHORT
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(self.moments.uniform(0, longest))

    def strike(self, child: subprocess.Popen[str]) -> bool:
        """Kill one; says whether there was one to kill."""
        victim = self.moments.choice(VICTIMS)
        found = chosen(victim, child.pid)
        if not found:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.moments.choice(found), signal.SIGKILL)
            self.struck[victim] += 1
            return True
        return False

    def _tell(self, folder: Path, code: int | None) -> None:
        """How far it has come, for who watches."""
        done = f"{self.total} kills, {self.begun} of them while some training had begun"
        print(f"{folder.name}: ended with {code}; {done}: {dict(self.struck)}", file=sys.stderr)
        sys.stderr.flush()


def is_as_undisturbed(folder: Path, undisturbed: dict[str, dict[str, str]], *options: str) -> None:
    """Nothing is lost, nothing is there twice, and what a search found follows from it alone."""
    found = contents(folder)
    assert found == {training: undisturbed[training] for training in found}
    listed = [each["hash"] for each in json.loads((folder / "sweep.json").read_text())["trainings"]]
    assert sorted(listed) == sorted(found)
    assert not list((folder / "runs").iterdir())
    before = files(folder)
    shutil.rmtree(folder / "search", ignore_errors=True)
    complete(folder.name, folder.parent, *options)
    assert files(folder) == before


@pytest.mark.parametrize(("search", "seed"), SLICES)
def test_random_kills_of_a_run_and_its_ray(search: str, seed: int, home: Path, undisturbed):
    options = BOUNDARY if search == "boundary" else ()
    hunt = Hunt(home, f"{search}-{seed}", seed, *options)
    hunt.go(KILLS)
    assert hunt.total >= KILLS
    for folder in hunt.folders:
        is_as_undisturbed(folder, undisturbed, *options)
        if search == "grid":
            assert set(contents(folder)) == set(undisturbed)


@pytest.fixture
def cluster() -> Iterator:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.shutdown()


@pytest.mark.parametrize("search", ["grid", "boundary"])
def test_random_losses_of_nodes(search: str, home: Path, undisturbed, cluster):
    """The second node is lost again and again, and a new one comes; workers and runs die too."""
    node = cluster.add_node(num_cpus=1)

    class Losses(Hunt):
        def strike(self, child: subprocess.Popen[str]) -> bool:
            nonlocal node
            if self.moments.random() < 0.3:
                victim = self.moments.choice(["run", "driver"])
                found = chosen(victim, child.pid)
                for pid in found[:1]:
                    os.kill(pid, signal.SIGKILL)
                    self.struck[victim] += 1
                return bool(found)
            cluster.remove_node(node, allow_graceful=False)
            self.struck["node"] += 1
            node = cluster.add_node(num_cpus=1)
            return True

    options = BOUNDARY if search == "boundary" else ()
    hunt = Losses(home, f"nodes-{search}", 1, *options, "--address", cluster.address)
    hunt.go(LOSSES)
    assert hunt.struck["node"] >= LOSSES // 2
    for folder in hunt.folders:
        is_as_undisturbed(folder, undisturbed, *options)
