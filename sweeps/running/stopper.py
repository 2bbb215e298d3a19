"""Ends a run of Ray Tune when every trial under way has published what it measures."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any

from ray.tune import Stopper


class AfterMeasurement(Stopper):
    """Lets every trial report once more, then ends it, and all when these have ended.

    Args:
        asked: set when the run is to end.
        running: ids of the trials under way; others fill it.
    """

    def __init__(self, asked: threading.Event, running: Collection[str]) -> None:
        self._asked, self._running = asked, running
        self._awaited: set[str] | None = None

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether a trial that reports is to end."""
        if self._asked.is_set():
            self._those_under_way().discard(trial_id)
        return self._asked.is_set()

    def stop_all(self) -> bool:
        """Whether nothing is waited for any longer; what started since is not."""
        return self._asked.is_set() and not self._those_under_way() & set(self._running)

    def _those_under_way(self) -> set[str]:
        """The trials that ran when it was asked for, and have not reported since."""
        if self._awaited is None:
            self._awaited = set(self._running)
        return self._awaited

    def __getstate__(self) -> dict[str, Any]:
        return {}  # nothing is ever restored from Ray Tune's snapshot
