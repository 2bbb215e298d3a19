"""What a run shows, on a terminal and in a pipe."""

import io
import time

import pytest
from rich.console import Console

from sweeps.files import spec
from sweeps.planning import packing
from sweeps.running import progress as progress_module
from sweeps.running.progress import Progress, duration
from tests.sweeps.tiny import TINY


def played(console: Console) -> Progress:
    """A run of two packs of which one fails."""
    sweep = spec.loads(TINY)
    packs = packing.packed(sweep.trainings, {}, slots=2)
    progress = Progress(console, "tiny")
    with progress:
        progress.begin(4, 4)
        progress.take(packs, slots=2)
        for pack in packs:
            progress.started(pack.name)
        members = {
            t.hash: {"copy_fraction": x}
            for t, x in zip(packs[0].trainings, (0.25, 0.5), strict=True)
        }
        time.sleep(0.01)
        progress.measured(packs[0].name, {"step": 16, **members})
        halfway = progress.snapshot()
        progress.failed(packs[1].name, 'Traceback\n  File "x"\nValueError: no\n')
        progress.measured(packs[0].name, {"step": 32, **members})
        progress.completed(packs[0].name)
    assert halfway["running_packs"] == 2
    assert halfway["eta_seconds"] > 0
    return progress


def test_a_pipe_gets_plain_lines():
    sink = io.StringIO()
    progress = played(Console(file=sink))
    lines = sink.getvalue().splitlines()
    assert all(line.startswith("time=") for line in lines)
    events = [line.split("event=")[1].split()[0] for line in lines]
    assert events[:4] == ["begin", "packed", "started", "started"]
    assert events[4:] == ["measured", "failed", "measured", "completed"]
    assert "step=16/32 copy_fraction=0.375" in lines[4]
    assert all('pack="size=4 ×2 seeds"' in lines[i] for i in (2, 4, 6, 7))
    assert all('pack="size=8 ×2 seeds"' in lines[i] for i in (3, 5))
    assert 'error="ValueError: no"' in lines[5]
    assert all("eta=" in line for line in lines[1:6])  # at the end none is left
    assert "done=2/4" in lines[-1]
    assert "\x1b" not in sink.getvalue()
    assert "ValueError: no" in next(iter(progress.errors.values()))
    assert progress.snapshot()["done"] == 2


def test_packs_that_wait_for_a_slot_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress_module, "HEARTBEAT", 0.0)
    sink = io.StringIO()
    packs = packing.packed(spec.loads(TINY).trainings, {}, slots=2)
    with Progress(Console(file=sink), "tiny") as progress:
        progress.begin(4, 4)
        progress.take(packs, slots=2)
        time.sleep(1.5)
        progress.started(packs[0].name)
        time.sleep(1.2)
    waiting, running = sink.getvalue().splitlines()[2], sink.getvalue().splitlines()[-1]
    assert "event=waiting_for_a_free_slot queued_packs=2 " in waiting
    assert "event=heartbeat running_packs=1 " in running


def test_a_terminal_gets_a_table():
    sink = io.StringIO()
    played(Console(file=sink, force_terminal=True, width=120))
    assert "of 4 trainings done" in sink.getvalue()
    assert "event=" not in sink.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0s"), (59, "59s"), (61, "1m01s"), (3700, "1h01m"), (400_000, "4.6d")],
)
def test_durations(seconds: float, words: str):
    assert duration(seconds) == words
