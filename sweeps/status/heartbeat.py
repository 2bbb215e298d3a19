"""One runner per results folder: each writes a heartbeat, a second one sees it and stops.

Results never depend on it, since they are deterministic and published whole: it saves work.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from study.store.runners import FOLDER, Runner, process, runners
from study.store.storage import Store
from sweeps.faults import UsageError

EVERY = 10.0
"""Seconds between beats."""

logger = logging.getLogger(__name__)


def refuse(store: Store, others: Sequence[Runner]) -> None:
    """What is being run is left alone.

    Raises:
        UsageError: naming the first of its runners.
    """
    if others:
        since = max(0, int(time.time() - others[0].started))
        raise UsageError.of(
            f"is being run by {others[0]} (for {since} s); wait for it, or end it and try again",
            place=store.root,
        )


class Heartbeat:
    """Holds a results folder for this process while a `with` block lasts."""

    def __init__(self, store: Store, progress: Callable[[], Mapping[str, Any]]) -> None:
        self._store, self._progress = store, progress
        self._started = time.time()
        self._token = secrets.token_hex(4)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beats, daemon=True)

    def __enter__(self) -> Heartbeat:
        found = runners(self._store)
        for line in found.ignored:
            logger.warning(line)
        refuse(self._store, found.alive)
        self._beat()
        earlier = [r for r in runners(self._store).alive if (r.started, r.token) < self._key]
        if earlier:  # two started at once: the earlier one goes on
            self._store.delete(self._path)
            refuse(self._store, earlier)
        self._sweep()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(OSError):  # the heartbeat of a process that is gone holds nothing
            self._store.patient().delete(self._path)

    @property
    def _key(self) -> tuple[float, str]:
        return self._started, self._token

    @property
    def _path(self) -> str:
        return f"{FOLDER}/{self._token}.json"

    def _sweep(self) -> None:
        """Remove the heartbeats of runners that are gone, and what else lies there."""
        alive = {f"{runner.token}.json" for runner in runners(self._store).alive}
        for name in self._store.names(FOLDER):
            if name not in alive:
                self._store.remove(f"{FOLDER}/{name}")

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
            process=process(os.getpid()),
        )
        self._store.publish(self._path, (json.dumps(asdict(me), indent=1) + "\n").encode())
