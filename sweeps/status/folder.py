"""The folder of a study beside its trainings: which sweep it holds, and what stands finished in it.

<results>/sweep.json          the sweep as it was last run, and the trainings it consists of
          last-run.json       what the last run did with its processors
          runs/<token>.json   the heartbeat of whoever runs it
          failures/<name>.txt why a pack failed
          tune/               Ray Tune's own files while a run lasts
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from study.store.results import DamagedTraining, Results, Status
from sweeps.faults import UsageError
from sweeps.files.spec import Sweep, Training

FILE = "sweep.json"
VERSION = 1
READERS = 8
BATCH = 64
"""Trainings that are looked at by one of the readers in a row."""

T = TypeVar("T")

Progress = Literal["waiting", "running", "finished", "diverged", "failed", "damaged"]


@dataclass(frozen=True)
class Standing:
    """Where a training stands.

    Attributes:
        state: `waiting` without a published step; `damaged` when what is there cannot be trusted
            and will be redone; else the published state, `running` again when the sweep has become
            longer than what was trained.
        step: the last published step.
        composition: the pack it was trained in, where results depend on it.
        reason: of a failure or damage.
    """

    state: Progress
    step: int = 0
    composition: tuple[str, ...] = ()
    reason: str = ""

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return self.state in ("finished", "diverged")


@dataclass(frozen=True)
class Listed:
    """A training as `sweep.json` lists it."""

    hash: str
    seed: int
    label: str
    last_step: int
    cell: Mapping[str, Any]


@dataclass(frozen=True)
class Study:
    """The content of `sweep.json`.

    Attributes:
        axes, facet: how the report lays out its phase diagrams.
        trainings: what the sweep consists of.
    """

    name: str
    axes: list[str]
    facet: str | None
    trainings: list[Listed]


def publish(sweep: Sweep, results: Results) -> None:
    """Say in the results folder which sweep it holds."""
    document = {
        "version": VERSION,
        "name": sweep.name,
        "sweep": sweep.document,
        "report": {"axes": sweep.report_axes, "facet": sweep.facet},
        "skipped": list(sweep.skipped),
        "trainings": [
            {
                "hash": training.hash,
                "seed": training.config.seed,
                "label": training.cell.label,
                "last_step": training.config.last_step,
                "cell": training.cell.coordinates,
            }
            for training in sweep.trainings
        ],
    }
    results.store.publish(FILE, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def publish_measured(source: Results, into: Results, measured: Mapping[str, Status | None]) -> None:
    """Say that a folder holds another's sweep, its trainings measured again.

    Args:
        source: the results with the sweep; without one nothing is said.
        into: the results with the measured trainings.
        measured: hash in the source -> status of its measured training.
    """
    if source.store.size(FILE) is None:
        return
    document = json.loads(source.store.read(FILE))
    document["trainings"] = [
        {**listed, "hash": status.training, "last_step": status.step}
        for listed in document["trainings"]
        if (status := measured.get(listed["hash"])) is not None
    ]
    into.store.publish(FILE, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def read(results: Results) -> Study | None:
    """The study in a results folder; None where no sweep was run.

    Raises:
        UsageError: when `sweep.json` is garbled or was written by a newer version.
    """
    place = f"{results.store.full(FILE)}"
    try:
        document = json.loads(results.store.read(FILE))
        if document["version"] > VERSION:
            what = f"has version {document['version']}, this memophase reads up to {VERSION}"
            raise UsageError.of(what, place=place)
        return Study(
            name=document["name"],
            axes=document["report"]["axes"],
            facet=document["report"]["facet"],
            trainings=[Listed(**training) for training in document["trainings"]],
        )
    except FileNotFoundError:
        return None
    except UsageError:
        raise
    except OSError as error:
        raise UsageError.of(f"cannot be read: {error.strerror or error}", place=place) from None
    except (ValueError, KeyError, TypeError) as error:
        what = f"is garbled ({error!r}); delete it and run the sweep again, trainings are kept"
        raise UsageError.of(what, place=place) from None


def refuse_other_study(sweep: Sweep, results: Results, location: str) -> None:
    """A results folder belongs to one study.

    Raises:
        UsageError: when it holds a sweep of another name.
    """
    held = read(results)
    if held is not None and held.name != sweep.name:
        raise UsageError.of(
            f"holds the study '{held.name}', not '{sweep.name}'; "
            "choose another folder with --results, or another name with --set name=…",
            place=location,
        )


def standings(last_steps: Mapping[str, int], results: Results) -> dict[str, Standing]:
    """Where each training stands by its status alone.

    Args:
        last_steps: hash -> the step at which it is to end.
        results: where they are published.
    """

    def standing(item: tuple[str, int]) -> Standing:
        training, last_step = item
        return _standing(lambda: results.status(training), last_step)

    return dict(zip(last_steps, _all(standing, last_steps.items()), strict=True))


def verified(trainings: Sequence[Training], results: Results) -> dict[str, Standing]:
    """Where each training stands after every file of it was read, so that damage shows."""

    def standing(training: Training) -> Standing:
        config = training.config
        return _standing(lambda: results.verified(training.hash, config), config.last_step)

    found = _all(standing, trainings)
    return {training.hash: each for training, each in zip(trainings, found, strict=True)}


def _all(function: Callable[[T], Standing], items: Collection[T]) -> list[Standing]:
    """The function of every item, several at a time: most of it is waiting for files."""
    rows = list(items)
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(lambda batch: [function(item) for item in batch], batches)
        return [standing for batch in found for standing in batch]


def _standing(read: Callable[[], Status | None], last_step: int) -> Standing:
    try:
        status = read()
    except (DamagedTraining, OSError) as damage:
        return Standing("damaged", reason=str(damage))
    if status is None:
        return Standing("waiting")
    return Standing(
        _state(status, last_step), status.step, tuple(status.composition), status.error or ""
    )


def _state(status: Status, last_step: int) -> Progress:
    if status.state in ("diverged", "failed"):
        return status.state
    return "finished" if status.is_done(last_step) else "running"


def note_failure(results: Results, name: str, text: str) -> str:
    """Keep what a pack failed with; returns where."""
    path = f"failures/{name}.txt"
    results.store.publish(path, text.encode())
    return results.store.full(path)


def mark_failed(results: Results, training: str, error: str) -> None:
    """Say in the training's own status that it failed; where not even that can be written, not."""
    try:
        status = results.status(training) or Status(training=training, state="failed", step=0)
        results.mark(status, "failed", error)
    except (DamagedTraining, OSError):
        return


def clear_tune(results: Results) -> None:
    """Delete Ray Tune's own files; the results never depend on them."""
    store = results.store
    if "tune" in store.names():
        store.filesystem.delete_dir(store.full("tune"))
