"""Who runs the study of a results folder, by the heartbeats in its `runs/`."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.store.storage import Store

FOLDER = "runs"
STALE = 60.0
"""Seconds between a beat and now, to either side, beyond which a runner counts as gone."""


@dataclass(frozen=True)
class Runner:
    """Who runs a study.

    Attributes:
        token: names this run.
        host, pid: where it runs.
        started, beat: Unix seconds.
        progress: what it says of itself, such as the seconds that are left.
        process: tells its process from all that have had or will have its number; empty where the
            system does not say.
    """

    token: str
    host: str
    pid: int
    started: float
    beat: float
    progress: Mapping[str, Any] = field(default_factory=dict)
    process: str = ""

    @classmethod
    def from_bytes(cls, data: bytes) -> Runner:
        """The runner in a heartbeat.

        Raises:
            ValueError, TypeError, OverflowError, RecursionError: when it is none.
        """
        runner = cls(**json.loads(data))
        if not all(isinstance(x, str) for x in (runner.token, runner.host, runner.process)):
            raise TypeError("token, host and process are text")
        if type(runner.pid) is not int or not 0 < runner.pid < 2**32:
            raise TypeError("a process has a positive number")
        if not (_is_number(runner.started) and _is_number(runner.beat)):
            raise TypeError("times are numbers")
        if not isinstance(runner.progress, Mapping):
            raise TypeError("progress is a mapping")
        if runner.eta is None and runner.progress.get("eta_seconds") is not None:
            raise TypeError("the time that is left is a number")
        return runner

    @property
    def eta(self) -> float | None:
        """Seconds that are left, as it says; None where it does not know."""
        seconds = self.progress.get("eta_seconds")
        return seconds if _is_number(seconds) else None

    def alive(self, now: float) -> bool:
        """Whether it still runs, as far as can be seen from here.

        On this machine the process itself is looked for: its beats are old after the machine has
        slept, and of any time after its clock has jumped.
        """
        here = self.host == socket.gethostname()
        if here and self.process:
            return self.process == process(self.pid)
        if abs(now - self.beat) > STALE:
            return False
        return not here or _exists(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True)
class Runners:
    """What the heartbeats of a results folder say.

    Attributes:
        alive: who runs it.
        ignored: the heartbeats that say nothing that can be true, each with its file, in a line.
    """

    alive: list[Runner]
    ignored: list[str]


def runners(store: Store) -> Runners:
    """Who runs the study of a results folder; nothing that lies there is taken for more than that.

    Clocks that jumped and machines whose clocks differ leave beats of the future: they hold no
    folder, since nobody could tell when they end.
    """
    found, now = Runners([], []), time.time()
    try:
        names = store.names(FOLDER)
    except OSError as error:
        found.ignored.append(f"{store.full(FOLDER)} is ignored: {error.strerror or error}")
        return found
    for name in names:
        if name.startswith(".") or not name.endswith(".json"):
            continue
        path = f"{FOLDER}/{name}"
        try:
            runner = Runner.from_bytes(store.read(path))
        except FileNotFoundError:
            continue  # it ended since
        except OSError as error:
            found.ignored.append(f"{store.full(path)} is ignored: {error.strerror or error}")
        except (ValueError, TypeError, OverflowError, RecursionError):
            found.ignored.append(f"{store.full(path)} is ignored: it is no heartbeat")
        else:
            if runner.alive(now):
                found.alive.append(runner)
            elif runner.beat - now > STALE:
                ahead = f"its beat is {runner.beat - now:.0f} s ahead of this machine's clock"
                found.ignored.append(f"{store.full(path)} is ignored: {ahead}")
    return found


def process(pid: int) -> str:
    """What tells a living process from others of its number: when it began, since which start of
    the machine; empty where there is none, or the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot} {began}"


def _is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number; whole ones may be too large to be seconds."""
    if type(value) is int:
        return abs(value) < 2**53
    return type(value) is float and math.isfinite(value)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
