"""What packs measure, handed on to TensorBoard and MLflow: a run of theirs for every training.

Both hear what Ray Tune's callback tells of every published step. They add to what is looked at and
nothing depends on them: what one of them fails with is said once, and the sweep goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from sweeps.faults import Fault, UsageError
from sweeps.planning.packing import Pack

logger = logging.getLogger(__name__)


class Tracker(Protocol):
    """A place where measured numbers are looked at."""

    def log(
        self,
        training: str,
        name: str,
        config: Mapping[str, Any],
        step: int,
        numbers: Mapping[str, float],
    ) -> None:
        """Numbers of a training's measured step.

        Args:
            training: its hash.
            name: of its cell and seed.
            config: its settings, dotted.
            numbers: what is defined of its order parameters.
        """

    def close(self) -> None:
        """Write what is left."""


class TensorBoard:
    """Event files below a folder, one run for every training, for `tensorboard --logdir DIR`.

    Raises:
        UsageError: when tensorboardX is not there or the folder cannot be written.
    """

    def __init__(self, folder: str) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            what = "needs tensorboardX: pip install tensorboardX"
            raise UsageError.of(what, place="--tensorboard") from None
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"'{folder}' cannot be written: {error.strerror or error}"
            raise UsageError.of(what, place="--tensorboard") from None
        self._folder, self._open = Path(folder), SummaryWriter
        self._writers: dict[str, Any] = {}

    def log(
        self,
        training: str,
        name: str,
        config: Mapping[str, Any],
        step: int,
        numbers: Mapping[str, float],
    ) -> None:
        """See `Tracker`."""
        if training not in self._writers:
            folder = self._folder / f"{_file_name(name)} {training}"
            self._writers[training] = self._open(str(folder), flush_secs=10)
        for quantity, value in numbers.items():
            self._writers[training].add_scalar(quantity, value, step)

    def close(self) -> None:
        """See `Tracker`."""
        for writer in self._writers.values():
            writer.close()


class MLflow:
    """Runs of an MLflow experiment, one for every training; gone on with when the sweep is.

    Args:
        uri: of the tracking server or store, as MLflow takes it.
        experiment: its name.

    Raises:
        UsageError: when MLflow is not there, or does not answer at the URI.
    """

    def __init__(self, uri: str, experiment: str) -> None:
        try:
            from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]
        except ImportError:
            what = "needs MLflow: pip install mlflow-skinny"
            raise UsageError.of(what, place="--mlflow") from None
        try:
            self._client = MlflowClient(tracking_uri=uri)
            found = self._client.get_experiment_by_name(experiment)
            self._experiment = (
                found.experiment_id if found else self._client.create_experiment(experiment)
            )
        except Exception as error:  # its exceptions have no common ground with those of its stores
            said = str(error).partition("\n")[0] or type(error).__name__
            raise UsageError.of(f"'{uri}' cannot be used: {said}", place="--mlflow") from None
        self._runs: dict[str, str] = {}

    def log(
        self,
        training: str,
        name: str,
        config: Mapping[str, Any],
        step: int,
        numbers: Mapping[str, float],
    ) -> None:
        """See `Tracker`."""
        if training not in self._runs:
            self._runs[training] = self._run(training, name, config)
        for quantity, value in numbers.items():
            self._client.log_metric(self._runs[training], quantity, value, step=step)

    def close(self) -> None:
        """See `Tracker`."""
        for run in self._runs.values():
            self._client.set_terminated(run)

    def _run(self, training: str, name: str, config: Mapping[str, Any]) -> str:
        """The run of a training, the one that an earlier run of the sweep began if there is one."""
        query = f"tags.training = '{training}'"
        earlier = self._client.search_runs([self._experiment], filter_string=query, max_results=1)
        if earlier:
            return earlier[0].info.run_id
        tags = {"training": training, "mlflow.runName": name}
        run = self._client.create_run(self._experiment, tags=tags).info.run_id
        for setting, value in config.items():
            self._client.log_param(run, setting, value)
        return run


class Trackers:
    """All that hear of a run; one that fails hears no more, which is said.

    Args:
        trackers: who hears.
    """

    def __init__(self, trackers: list[Tracker]) -> None:
        self._trackers = trackers

    def measured(self, pack: Pack, result: Mapping[str, Any]) -> None:
        """A pack published a measured step: `step`, and order parameters by training hash."""
        for training in pack.trainings if self._trackers else ():
            numbers = _numbers(result.get(training.hash, {}))
            name = f"{training.cell.label} seed {training.config.seed}".strip()
            config = training.config.flat()
            self._each(
                lambda to, t=training.hash, n=name, c=config, x=numbers: to.log(
                    t, n, c, int(result["step"]), x
                )
            )

    def close(self) -> None:
        """The run is over."""
        self._each(lambda tracker: tracker.close())

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for tracker in list(self._trackers):
            try:
                act(tracker)
            except Exception as error:  # whatever it is, the sweep does not depend on it
                self._trackers.remove(tracker)
                said = str(error).partition("\n")[0] or type(error).__name__
                logger.warning("%s hears no more of this run: %s", type(tracker).__name__, said)


def opened(tensorboard: str | None, mlflow: str | None, experiment: str) -> Trackers:
    """Those that are asked for.

    Raises:
        UsageError: naming every one that cannot be had.
    """
    trackers: list[Tracker] = []
    faults: list[Fault] = []
    wanted: list[Callable[[], Tracker]] = []
    if mlflow is not None:
        wanted.append(lambda: MLflow(mlflow, experiment))
    if tensorboard is not None:
        wanted.append(lambda: TensorBoard(tensorboard))
    for make in wanted:
        try:
            trackers.append(make())
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(faults)
    return Trackers(trackers)


def _numbers(measured: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in measured.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _file_name(name: str) -> str:
    """A name without what file systems give a meaning."""
    return "".join(letter if letter not in '/\\:*?"<>|' else "_" for letter in name)
