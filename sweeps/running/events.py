"""Ray Tune's events, handed on to whoever watches the packs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from ray import tune
from ray.tune.experiment import Trial

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Ray colours its tracebacks, for files too."""


class Watcher(Protocol):
    """Who is told what happens to the packs."""

    def started(self, pack: str) -> None:
        """A pack was placed, or placed again."""

    def measured(self, pack: str, result: dict[str, Any]) -> None:
        """A pack published a measured step."""

    def completed(self, pack: str) -> None:
        """A pack is done."""

    def failed(self, pack: str, error: str) -> None:
        """A pack failed for good."""


class Events(tune.Callback):
    """Tells the watcher; Ray Tune's pickles of the experiment leave it out."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def __getstate__(self) -> dict[str, Any]:
        return {}  # nothing is ever restored from Ray Tune's snapshot

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Ray Tune placed a trial."""
        self._watcher.started(name(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """A trial reported."""
        if "step" in result:
            self._watcher.measured(name(trial), result)

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """A trial ended."""
        self._watcher.completed(name(trial))

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """A trial failed more often than it may."""
        self._watcher.failed(name(trial), _error(trial))


def name(trial: Trial) -> str:
    """The pack that a trial trains."""
    return trial.config["pack"]["name"]


def _error(trial: Trial) -> str:
    """What the last failure said, with its traceback."""
    file = trial.error_file
    if not file or not Path(file).exists():
        return "the worker died"
    return COLOURS.sub("", Path(file).read_text())
