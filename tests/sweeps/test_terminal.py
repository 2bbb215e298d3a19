"""Readers of the output that go away: nothing ends for it, and the exit code stays true."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from study.store.results import Results
from sweeps.terminal import Unread
from tests.sweeps.tiny import ROOT, TINY, command

SETTINGS = [
    "--out=one",
    "--set=grammar.depth=2",
    "--set=grammar.vocab_size=4",
    "--set=grammar.num_synonyms=2",
    "--set=network.width=8",
    "--set=corpus.size=4",
    "--set=diffusion.num_timesteps=21",
    "--set=training.steps=8",
    "--set=measurement.first_step=8",
    "--set=measurement.generated=40",
    "--set=measurement.budget=null",
]


def left_alone(*arguments: str, cwd: Path, lines: int, errors: bool = False) -> tuple[int, str]:
    """A command whose reader leaves after some lines: its exit code, and what it said besides."""
    child = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors else subprocess.PIPE,
    )
    assert child.stdout is not None
    for _ in range(lines):
        assert child.stdout.readline()
    child.stdout.close()
    said = child.stderr.read().decode() if child.stderr else ""
    if child.stderr:
        child.stderr.close()
    return child.wait(180), said


@pytest.mark.ray
def test_a_sweep_goes_on_when_its_reader_leaves(tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    code, said = left_alone("run", "tiny.yaml", cwd=tmp_path, lines=1)
    assert (code, said) == (0, "")
    statuses = Results.open(tmp_path / "results" / "tiny").statuses()
    assert [status.state for _, status in statuses] == ["finished"] * 4  # type: ignore[union-attr]


@pytest.mark.parametrize("errors", [False, True], ids=["errors kept", "errors to the same pipe"])
def test_a_plan_whose_reader_has_left_is_no_error(tmp_path: Path, errors: bool):
    (tmp_path / "tiny.yaml").write_text(TINY)
    arguments = ("plan", "tiny.yaml", "--no-time")
    assert left_alone(*arguments, cwd=tmp_path, lines=0, errors=errors) == (0, "")


def test_a_refused_request_stays_refused_though_nobody_reads_why(tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(TINY + "sedes: 3\n")
    code, _ = left_alone("plan", "tiny.yaml", cwd=tmp_path, lines=0, errors=True)
    assert code == 2


def test_what_is_written_after_the_reader_left_is_dropped():
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        unread = Unread(stream)
        print("heard", file=unread, flush=True)
        assert os.read(reading, 100) == b"heard\n"
        os.close(reading)
        for _ in range(3):
            print("x" * 100_000, file=unread, flush=True)
        assert not unread.isatty()


@pytest.mark.parametrize("arguments", [("settings",), ("presets",), ("--help",)])
def test_head_ends_quietly(arguments: tuple[str, ...]):
    shell = 'set -o pipefail; "$@" | head -n 1; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, "-m", "sweeps", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


def test_a_terminal_that_hangs_up_is_a_reader_that_left():
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        unread = Unread(stream)
        print("heard", file=unread, flush=True)
        assert os.read(ours, 100) == b"heard\r\n"
        os.close(ours)
        for _ in range(3):
            print("nobody hears this", file=unread, flush=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_log_on_a_full_disk_is_dropped(tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("plan", "tiny.yaml", "--no-time"),
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_streams_that_are_closed_lead_nowhere(tmp_path: Path):
    """A results file opened first would else get their number, and be written to."""
    done = subprocess.run(
        ["bash", "-c", '"$@" <&- >&- 2>&-', "bash", *command("train", *SETTINGS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ((_, status),) = Results.open(tmp_path / "one").statuses()
    assert Results.open(tmp_path / "one").verified(status.training) == status  # type: ignore[union-attr]
