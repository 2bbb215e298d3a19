"""The state of every training of a study, read from its results folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from study.store.results import Results
from study.store.states import DONE, StateName, state_of
from study.store.status import DamagedTraining, Status
from sweeps.space.cells import Training

READERS = 8
BATCH = 64
"""Trainings that are looked at by one of the readers in a row."""
READ_AT_MOST = 256 * 2**20
"""Bytes of a study that `inspected` reads whole."""


@dataclass(frozen=True)
class TrainingState:
    """How far a training is.

    Attributes:
        name: see `StateName`.
        step: the last published step.
        composition: the pack it was trained in, where results depend on it.
        reason: of a failure or damage.
        size: bytes of the files of that step.
    """

    name: StateName
    step: int = 0
    composition: tuple[str, ...] = ()
    reason: str = ""
    size: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return self.name in DONE


def by_status(
    last_steps: Mapping[str, int], results: Results, *, attended: bool = False
) -> dict[str, TrainingState]:
    """How far each training is by its status alone.

    Args:
        last_steps: hash -> the step at which it is to end.
        results: where they are published.
        attended: whether anybody runs them.
    """
    return _all(last_steps, results.status, attended)


def inspected(last_steps: Mapping[str, int], results: Results) -> dict[str, TrainingState]:
    """How far each training is, told while nobody runs them, with damage to their files.

    Every byte is read where these are few enough to take seconds; of more, sizes are compared.
    """
    by_status = _all(last_steps, results.status, False)
    few = sum(state.size for state in by_status.values()) <= READ_AT_MOST
    return _all(last_steps, results.verified if few else results.measured, False)


def verified(trainings: Sequence[Training], results: Results) -> dict[str, TrainingState]:
    """How far each training is after every file of it was read, so that damage shows."""
    configs = {training.hash: training.config for training in trainings}
    last_steps = {hash_: config.last_step for hash_, config in configs.items()}
    return _all(last_steps, lambda hash_: results.verified(hash_, configs[hash_]), False)


def _all(
    last_steps: Mapping[str, int], read: Callable[[str], Status | None], attended: bool
) -> dict[str, TrainingState]:
    """How far each training is, several read at a time: most of it is waiting for files."""

    def several(batch: Sequence[str]) -> list[TrainingState]:
        return [_state(read, name, last_steps[name], attended) for name in batch]

    names = list(last_steps)
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    with ThreadPoolExecutor(READERS) as pool:
        found = [state for batch in pool.map(several, batches) for state in batch]
    return dict(zip(names, found, strict=True))


def _state(
    read: Callable[[str], Status | None], training: str, last_step: int, attended: bool
) -> TrainingState:
    try:
        status = read(training)
    except DamagedTraining as damage:
        return TrainingState(state_of(damage, last_step, attended=attended), reason=str(damage))
    name = state_of(status, last_step, attended=attended)
    if status is None:
        return TrainingState(name)
    size = sum(entry.size for entry in status.files.values())
    return TrainingState(name, status.step, tuple(status.composition), status.error or "", size)
