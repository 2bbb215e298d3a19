"""Sweeps that are interrupted, put to sleep, or run out of disk: nothing is lost, all is said."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.store.results import Results
from tests.sweeps import processes
from tests.sweeps.tiny import TINY, contents, in_process

pytestmark = [pytest.mark.long, pytest.mark.ray]

OPTIONS = ["--set", "training.steps=4096", "--set", "measurement.per_octave=4"]
QUEUED = ["--set", "resources={members_per_pack: 1, max_concurrent: 2}"]
"""Of four packs two wait."""
LAST = 4096
ASLEEP = 45.0
"""Seconds for which nothing of a run goes on."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disturbed")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def undisturbed(home: Path) -> dict[str, dict[str, str]]:
    done = in_process("run", "tiny.yaml", *OPTIONS, "--results", "undisturbed", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    return contents(home / "undisturbed")


def steps(folder: Path) -> dict[str, int]:
    statuses = Results.open(folder).statuses()
    return {training: status.step for training, status in statuses if status is not None}  # type: ignore[union-attr]


@contextlib.contextmanager
def training(
    name: str, home: Path, *more: str
) -> Iterator[tuple[subprocess.Popen[str], Path, Path]]:
    """A run that has measured: its process, its log and its results."""
    log = home / f"{name}.log"
    with processes.started(
        "run", "tiny.yaml", *OPTIONS, *more, "--results", name, cwd=home, log=log
    ) as child:
        processes.wait_for(lambda: log.read_text().count("event=measured") > 2)
        yield child, log, home / name


def says_how_to_go_on(log: Path, name: str) -> None:
    last = log.read_text().splitlines()[-1]
    assert last.startswith("interrupted; what was measured is kept. Run the same command again")
    words = ["memophase", "run", "tiny.yaml", *OPTIONS, "--results", name]
    assert shlex.split(last.partition("to go on: ")[2]) == words
    assert "Traceback" not in log.read_text()


def test_ctrl_c_once_finishes_what_is_being_measured(home: Path, undisturbed):
    with training("once", home) as (child, log, folder):
        before = steps(folder)
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(90) == 1, log.read_text()
    said = log.read_text()
    assert said.count("event=finishing") == 1
    after = steps(folder)
    assert all(after[each] >= step for each, step in before.items())
    assert max(after.values()) < LAST, "it went on to the end"
    finished = said.partition("event=finishing")[2]
    assert finished.count("event=measured") == finished.count("event=ended") == 2, said
    assert "done=0/4" in said.splitlines()[-2]
    says_how_to_go_on(log, "once")
    assert not list((folder / "runs").iterdir())
    resumed = in_process("run", "tiny.yaml", *OPTIONS, "--results", "once", cwd=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert contents(folder) == undisturbed


def test_after_ctrl_c_no_pack_starts_that_waited(home: Path):
    with training("queued", home, *QUEUED) as (child, log, folder):
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(90) == 1, log.read_text()
    before, _, finished = log.read_text().partition("event=finishing")
    assert before.count("event=started") == 2, before
    assert "event=started" not in finished, finished
    assert len(steps(folder)) == 2


def test_ctrl_c_twice_stops_now(home: Path):
    with training("twice", home) as (child, log, folder):
        os.killpg(child.pid, signal.SIGINT)
        time.sleep(0.05)
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(60) == 1, log.read_text()
    says_how_to_go_on(log, "twice")
    assert not list((folder / "runs").iterdir())


def test_a_terminal_that_hangs_up_is_an_interruption(home: Path):
    with training("hung-up", home) as (child, log, folder):
        os.kill(child.pid, signal.SIGHUP)
        assert child.wait(60) == 1, log.read_text()
    says_how_to_go_on(log, "hung-up")
    assert not list((folder / "runs").iterdir())


def test_a_machine_that_sleeps_goes_on_when_it_wakes(home: Path, undisturbed):
    """All that belongs to the run stands still, while the clocks go on."""
    with training("asleep", home) as (child, log, folder):
        family = {child.pid, *processes.descendants(child.pid), *processes.in_session(child.pid)}
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(ASLEEP)
        second = in_process("run", "tiny.yaml", *OPTIONS, "--results", "asleep", cwd=home)
        assert second.returncode == 2
        assert f"is being run by process {child.pid} on" in second.stderr
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        assert child.wait(200) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert contents(folder) == undisturbed


@pytest.fixture
def disk(home: Path) -> Iterator[Path]:
    """A file system of its own, of half a MiB."""
    folder = home / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_nothing_is_lost(home: Path, disk: Path, undisturbed):
    arguments = ("run", "tiny.yaml", *OPTIONS, "--results", "disk/results")
    ended = in_process(*arguments, cwd=home)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: the disk is full (disk/results); what was measured is kept.")
    for name, step in steps(disk / "results").items():
        assert Results.open(disk / "results").verified(name) is not None
        assert step < LAST
    assert steps(disk / "results"), "nothing had been measured"
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    resumed = in_process(*arguments, cwd=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert contents(disk / "results") == undisturbed
