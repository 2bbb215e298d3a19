"""Ray Tune's events, handed on to whoever watches the packs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Ray colours its tracebacks, for files too."""


class Events(tune.Callback):
    """Tells of what happens; Ray Tune's pickles of the experiment leave out whom.

    Args:
        tell: called with the name of a method of `watcher.Watcher` and its arguments.

    Attributes:
        running: ids of the trials under way.
    """

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self.running: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {}  # nothing is ever restored from Ray Tune's snapshot

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Ray Tune placed a trial."""
        self.running.add(trial.trial_id)
        self._tell("started", name(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """A trial reported."""
        if "step" in result:
            values = {key: value for key, value in result.items() if isinstance(value, dict)}
            values.pop("config", None)
            for note in result.get("notes", ()):
                self._tell("noted", name(trial), note)
            self._tell("measured", name(trial), {"step": result["step"], **values})

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """A trial ended."""
        self.running.discard(trial.trial_id)
        self._tell("completed", name(trial))
        _slim(trial)

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """A trial failed and will be placed again."""
        self._tell("retried", name(trial), _error(trial))

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """A trial failed more often than it may."""
        self.running.discard(trial.trial_id)
        self._tell("failed", name(trial), _error(trial))


def name(trial: Trial) -> str:
    """The pack that a trial trains."""
    return trial.config["pack"]["name"]


def _slim(trial: Trial) -> None:
    """Drop what an ended trial reported, which Ray Tune would keep until the last one ends.

    It keeps statistics of every number, some 170 KiB a training; what was measured is on disk.
    """
    trial.metric_analysis.clear()
    trial.metric_n_steps.clear()
    trial.evaluated_params.clear()
    trial.run_metadata.last_result = {}


def _error(trial: Trial) -> str:
    """What the last failure said, with its traceback."""
    file = trial.error_file
    if not file or not Path(file).exists():
        return "the worker died"
    return COLOURS.sub("", Path(file).read_text())
