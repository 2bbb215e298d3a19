"""One runner per results folder: each writes a heartbeat, a second one sees it and stops.

Results never depend on it, since they are deterministic and published whole: it saves work.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from study.store.storage import Store
from sweeps.faults import UsageError

FOLDER = "runs"
EVERY = 10.0
"""Seconds between beats."""
STALE = 60.0
"""Seconds without a beat after which a runner counts as gone."""


@dataclass(frozen=True)
class Runner:
    """Who runs a study.

    Attributes:
        token: names this run.
        host, pid: where it runs.
        started, beat: Unix seconds.
        progress: what it says of itself, such as the seconds that are left.
    """

    token: str
    host: str
    pid: int
    started: float
    beat: float
    progress: Mapping[str, Any] = field(default_factory=dict)

    def alive(self, now: float) -> bool:
        """Whether it still runs, as far as can be seen from here."""
        if now - self.beat > STALE:
            return False
        return self.host != socket.gethostname() or _exists(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def runners(store: Store) -> list[Runner]:
    """The runners of a results folder that are alive."""
    now, found = time.time(), []
    for name in store.names(FOLDER):
        if name.startswith(".") or not name.endswith(".json"):
            continue
        try:
            runner = Runner(**json.loads(store.read(f"{FOLDER}/{name}")))
        except (ValueError, TypeError, FileNotFoundError):
            continue
        if runner.alive(now):
            found.append(runner)
    return found


class Heartbeat:
    """Holds a results folder for this process while a `with` block lasts."""

    def __init__(self, store: Store, progress: Callable[[], Mapping[str, Any]]) -> None:
        self._store, self._progress = store, progress
        self._started = time.time()
        self._token = secrets.token_hex(4)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beats, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._refuse(runners(self._store))
        self._beat()
        earlier = [r for r in runners(self._store) if (r.started, r.token) < self._key]
        if earlier:  # two started at once: the earlier one goes on
            self._store.delete(self._path)
            self._refuse(earlier)
        self._sweep()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._store.delete(self._path)

    @property
    def _key(self) -> tuple[float, str]:
        return self._started, self._token

    @property
    def _path(self) -> str:
        return f"{FOLDER}/{self._token}.json"

    def _refuse(self, others: list[Runner]) -> None:
        if others:
            since = int(time.time() - others[0].started)
            raise UsageError.of(
                f"is being run by {others[0]} (for {since} s); wait for it, "
                "or end it and try again",
                place=self._store.root,
            )

    def _sweep(self) -> None:
        """Delete the heartbeats of runners that are gone."""
        alive = {f"{runner.token}.json" for runner in runners(self._store)}
        for name in self._store.names(FOLDER):
            if name not in alive:
                self._store.delete(f"{FOLDER}/{name}")

    def _beats(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self._beat()
            except OSError:
                continue  # a beat may be missed; the run itself goes on

    def _beat(self) -> None:
        me = Runner(
            token=self._token,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=self._started,
            beat=time.time(),
            progress=dict(self._progress()),
        )
        self._store.publish(self._path, (json.dumps(asdict(me), indent=1) + "\n").encode())


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
