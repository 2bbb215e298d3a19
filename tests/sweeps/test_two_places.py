"""A study that runs in two places at once, each with a Ray of its own: joined, it is one study."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.search.search import Evidence
from sweeps.status import folder
from tests.sweeps import processes
from tests.sweeps.tiny import contents, in_process
from tests.sweeps.upkeep.studies import files

pytestmark = [pytest.mark.long, pytest.mark.ray]

SWEEP = """\
name: apart
base:
  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}
  diffusion: {num_timesteps: 21}
  training: {steps: 64, batch_size: 8}
  measurement: {first_step: 8, likelihood_per_octave: 1, budget: null, generated: 20}
grid:
  network.width: [8, 16]
  corpus.size: [2, 4, 8]
seeds: 2
"""
BOUNDARY = "search={kind: boundary, level: 0.3, width: 0.2}"
EARLY = "search={kind: boundary, level: 0.3, width: 0.2, budget: 1.0e+9}"
PATIENCE = 600.0
"""Seconds for a run, however much else goes on."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("apart")
    (home / "apart.yaml").write_text(SWEEP)
    return home


@pytest.fixture(scope="module")
def whole(home: Path) -> Path:
    """The grid where one process trains all of it, without Ray."""
    results, sweep = Results.open(home / "whole"), spec.loads(SWEEP)
    folder.publish(sweep, Evidence(results))
    for _, alike in groupby(sweep.trainings, lambda training: training.config.network.width):
        run_pack([training.config for training in alike], results)
    return home / "whole"


def command(*arguments: str, home: Path) -> str:
    """What a command that succeeds says."""
    done = in_process(*arguments, cwd=home, seconds=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_at_once(home: Path, **places: str) -> None:
    """Run the sweep in several places, in each with another change of it."""
    with contextlib.ExitStack() as stack:
        runs: dict[str, subprocess.Popen[str]] = {}
        for place, change in places.items():
            words = ("run", "apart.yaml", "--set", change, "--results", place)
            child = processes.started(*words, cwd=home, log=home / f"{place}.log")
            runs[place] = stack.enter_context(child)
        for place, run in runs.items():
            assert run.wait(PATIENCE) == 0, (home / f"{place}.log").read_text()


def test_two_parts_are_joined_to_what_one_run_makes_of_the_whole(home: Path, whole: Path):
    """They share the cells of one size, whose copies must agree."""
    run_at_once(home, here="grid.corpus.size=[2,4]", there="grid.corpus.size=[4,8]")
    before = files(home / "there")
    said = command("join", "here", "there", home=home)
    assert "  4 came from there" in said.splitlines(), said
    assert contents(home / "here") == contents(whole)
    assert files(home / "there") == before
    again = command("run", "apart.yaml", "--results", "here", home=home)
    assert "12 of 12 trainings done" in again
    assert "event=started" not in again
    listings = [(place / "sweep.json").read_bytes() for place in (home / "here", whole)]
    assert listings[0] == listings[1]


def test_a_boundary_search_goes_on_in_what_was_joined(home: Path, whole: Path):
    run_at_once(home, searched=EARLY, swept="grid.corpus.size=[8]")
    command("join", "searched", "swept", "--into", "both", home=home)
    before = contents(home / "both")
    assert 4 < len(before) < 12, "neither place did it all"
    said = command("run", "apart.yaml", "--set", BOUNDARY, "--results", "both", home=home)
    assert "event=started" in said
    after = contents(home / "both")
    assert before.items() <= after.items()
    assert after == {training: contents(whole)[training] for training in after}
    found = files(home / "both" / "search")
    assert found
    shutil.rmtree(home / "both" / "search")
    command("run", "apart.yaml", "--set", BOUNDARY, "--results", "both", home=home)
    assert files(home / "both" / "search") == found
