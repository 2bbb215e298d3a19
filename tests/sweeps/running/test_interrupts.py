"""Ctrl-C: once finishes the measurements under way, twice stops now; and full disks."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.store.results import Results
from study.training.pack import PackTrainer
from sweeps.running.interrupts import first_interrupt
from sweeps.running.ray_process import RayLost, RayProcess
from sweeps.running.run import _end_cleanly_when_terminated
from sweeps.running.stopper import AfterMeasurement
from sweeps.running.watcher import StorageFull, is_full
from tests.sweeps.tiny import memophase

SETTINGS = [
    "--set=grammar.depth=2",
    "--set=grammar.vocab_size=4",
    "--set=grammar.num_synonyms=2",
    "--set=network.width=8",
    "--set=corpus.size=4",
    "--set=diffusion.num_timesteps=21",
    "--set=training.steps=32",
    "--set=training.batch_size=8",
    "--set=measurement.first_step=8",
    "--set=measurement.generated=40",
    "--set=measurement.budget=null",
    "--set=measurement.likelihood_per_octave=1",
]


@pytest.fixture
def handlers() -> Iterator[None]:
    """What signals do is afterwards as it was."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_first_ctrl_c_acts_and_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    acted: list[str] = []
    with pytest.raises(KeyboardInterrupt), first_interrupt(lambda: acted.append("once")):
        os.kill(os.getpid(), signal.SIGINT)
        assert acted == ["once"]
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
    assert acted == ["once"]


def test_other_threads_leave_signals_alone():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with first_interrupt(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_polite_end_is_an_interruption(handlers, number: signal.Signals):
    signal.signal(number, signal.SIG_DFL)
    _end_cleanly_when_terminated()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


def test_under_nohup_a_terminal_may_hang_up(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _end_cleanly_when_terminated()
    os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.parametrize(("times", "last"), [(1, 8), (2, 0)])
def test_one_training_finishes_its_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, last: int
):
    """Struck before the first step is measured: once it is published all the same."""
    whole, left = PackTrainer.train, [times]

    def struck(self, until):
        whole(self, until)
        while left[0]:
            left[0] -= 1
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(PackTrainer, "train", struck)
    ended = memophase("train", "--out", str(tmp_path), *SETTINGS)
    assert ended.exit_code == 1
    assert ended.stderr == "interrupted\n"
    published = [status.step for _, status in Results.open(tmp_path).statuses()]  # type: ignore[union-attr]
    assert published == [last] * (last > 0)
    assert memophase("train", "--out", str(tmp_path), *SETTINGS).exit_code == 0


def test_every_trial_under_way_reports_once_more():
    asked, running = threading.Event(), {"a", "b"}
    stopper = AfterMeasurement(asked, running)
    assert not stopper("a", {})
    assert not stopper.stop_all()
    asked.set()
    assert not stopper.stop_all()
    assert stopper("a", {})
    running.discard("a")
    running.add("c")  # it came up where the first one ended, and is not waited for
    assert not stopper.stop_all()
    running.discard("b")  # it failed
    assert stopper.stop_all()
    assert stopper("c", {})


class Watcher:
    def __getattr__(self, _: str):
        return lambda *arguments: None


def hearing(*messages: tuple) -> RayProcess:
    """A Ray that says these things, one after the other."""
    ray, said = RayProcess("local"), list(messages)
    ray._heard = lambda: said.pop(0)  # type: ignore[method-assign]
    ray._words = lambda: ""  # type: ignore[method-assign]
    return ray


@pytest.mark.parametrize(
    "said",
    [
        ("told", "retried", "pack", "Traceback …\nOSError: [Errno 28] No space left on device"),
        ("told", "retried", "pack", "OSError: [Errno 122] Disk quota exceeded: 'x'"),
        ("lost", "[Errno 28] No space left on device"),
    ],
    ids=str,
)
def test_a_full_disk_ends_the_run_at_its_first_failure(said: tuple):
    ray = hearing(("told", "started", "pack"), said)
    with pytest.raises(StorageFull, match="the disk is full"):
        ray._until("trained", Watcher())  # type: ignore[arg-type]


def test_other_failures_are_tried_again():
    ray = hearing(("told", "retried", "pack", "ValueError: no"), ("trained",))
    assert ray._until("trained", Watcher()) == []  # type: ignore[arg-type]
    with pytest.raises(RayLost):
        hearing(("lost", "its raylet was ended"))._until("trained", Watcher())  # type: ignore[arg-type]
    assert not is_full("OSError: [Errno 5] Input/output error")


def test_a_full_disk_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from sweeps.running import run as running
    from tests.sweeps.tiny import TINY

    (tmp_path / "tiny.yaml").write_text(TINY)

    class Full:
        def __init__(self, address: str) -> None:
            raise StorageFull("the disk is full")

    monkeypatch.setattr(running, "RayProcess", Full)
    done = memophase("run", str(tmp_path / "tiny.yaml"), "--results", str(tmp_path / "r"))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: the disk is full ({tmp_path / 'r'}); what was measured is kept")
    assert "go on: memophase run" in line
    with contextlib.suppress(FileNotFoundError):
        assert not list((tmp_path / "r" / "runs").iterdir())
