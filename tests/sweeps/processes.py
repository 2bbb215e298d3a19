"""Processes that a test started, and their descendants; read from /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.sweeps.tiny import command


@contextlib.contextmanager
def started(*arguments: str, cwd: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """The command line as a process group of its own, ended with all its descendants."""
    with log.open("w") as sink:
        child = subprocess.Popen(
            command(*arguments),
            cwd=cwd,
            stdout=sink,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    seen: set[int] = set()
    try:
        yield child
    finally:
        seen |= set(descendants(child.pid)) | set(in_session(child.pid))
        for pid in [child.pid, *seen]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        child.wait()


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    """Wait until a condition holds; fail the test when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Ids of a process's children."""
    return [each for each, (parent, _, _) in _table().items() if parent == pid]


def descendants(pid: int) -> list[int]:
    """Ids of a process's children, their children and so on."""
    children: dict[int, list[int]] = {}
    for each, (parent, _, _) in _table().items():
        children.setdefault(parent, []).append(each)
    found, queue = [], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def in_session(session: int) -> list[int]:
    """Ids of the living processes of a session; orphans stay in theirs."""
    return [pid for pid, (_, own, _) in _table().items() if own == session]


def workers(pid: int) -> list[int]:
    """The Ray workers under a process that are training."""
    names = {each: command_line(each) for each in descendants(pid)}
    return [
        each for each, name in names.items() if name.startswith("ray::") and "Agent" not in name
    ]


def called(pid: int, name: str) -> list[int]:
    """The processes under another that run an executable of some name, such as `raylet`."""
    found = []
    for each in descendants(pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{each}/comm").read_text().strip() == name:
                found.append(each)
    return found


def agents(session: int) -> set[int]:
    """Ray's helpers in a session, which outlive a killed head for a minute."""
    return {pid for pid in in_session(session) if "Agent" in command_line(pid)}


def _table() -> dict[int, tuple[int, int, str]]:
    """Process id -> parent, session, state; zombies left out."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, _, session = file.read_text().rpartition(")")[2].split()[:4]
            if state != "Z":
                found[int(file.parent.name)] = (int(parent), int(session), state)
    return found


def command_line(pid: int) -> str:
    """What a process was started with, or calls itself; empty where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def alive() -> list[int]:
    """Ids of all living processes."""
    return list(_table())
