"""Running a sweep: what is unfinished is packed, trained through Ray Tune, and accounted for."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.results import Results
from sweeps import folder, packing, tuner
from sweeps.faults import UsageError
from sweeps.folder import Standing
from sweeps.heartbeat import Heartbeat
from sweeps.packing import Pack
from sweeps.progress import Progress
from sweeps.spec import Sweep, Training


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        standings: hash -> where each training of the sweep stands.
        trained: how many trainings this run took on.
        logs: hash of a failed training -> where its log is.
    """

    standings: dict[str, Standing]
    trained: int = 0
    logs: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every training is done."""
        return all(standing.done for standing in self.standings.values())


def absolute(location: str) -> str:
    """A results location that means the same in every process."""
    return location if "://" in location else str(Path(location).expanduser().absolute())


def run(sweep: Sweep, location: str, *, address: str, progress: Progress) -> Outcome:
    """Train what is unfinished of a sweep.

    Raises:
        UsageError: when the folder belongs to another study or runner, or there is no Ray.
        KeyboardInterrupt: when interrupted; everything published stays.
    """
    address = tuner.reachable(address)
    location = absolute(location)
    results = Results.open(location)
    try:
        folder.refuse_other_study(sweep, results, location)
        with Heartbeat(results.store, progress.snapshot):
            folder.publish(sweep, results)
            return _run(sweep, results, location, address, progress)
    except OSError as error:
        raise UsageError.of(f"cannot be used: {error.strerror or error}", place=location) from None


def _run(
    sweep: Sweep, results: Results, location: str, address: str, progress: Progress
) -> Outcome:
    steps = {training.hash: training.config.last_step for training in sweep.trainings}
    before = folder.standings(steps, results, verify=True)
    unfinished = [t for t in sweep.trainings if not before[t.hash].done]
    outcome = Outcome(before, trained=len(unfinished))
    progress.begin(len(sweep.trainings), len(unfinished))
    if unfinished:
        folder.clear_tune(results)
        try:
            with tuner.connected(address):
                outcome.logs = _train(sweep, unfinished, before, results, location, progress)
        finally:
            folder.clear_tune(results)
        outcome.standings = folder.standings(steps, results)
    return outcome


def _train(
    sweep: Sweep,
    unfinished: Sequence[Training],
    before: dict[str, Standing],
    results: Results,
    location: str,
    progress: Progress,
) -> dict[str, str]:
    """Train packs; members of packs that failed are tried once more, each alone."""
    resources = sweep.file.resources
    concurrent = tuner.slots(resources)
    packs = packing.packed(
        unfinished,
        {training: standing.step for training, standing in before.items()},
        slots=concurrent,
        members=resources.members_per_pack,
        on_gpu=resources.gpus_per_pack > 0,
        compositions={training: standing.composition for training, standing in before.items()},
    )

    def attempt(packs: Sequence[Pack]) -> list[tuple[Pack, str]]:
        progress.take(packs)
        token = secrets.token_hex(4)
        tuner.train(
            packs, location, resources, concurrent=concurrent, watcher=progress, token=token
        )
        return [
            (pack, progress.errors[pack.name]) for pack in packs if pack.name in progress.errors
        ]

    failed = attempt(packs)
    alone = [
        Pack.of([t], pack.step)
        for pack, _ in failed
        if len(pack.trainings) > 1
        for t in pack.trainings
    ]
    failed = [(pack, error) for pack, error in failed if len(pack.trainings) == 1]
    if alone:
        failed += attempt(alone)
    logs = {}
    for pack, error in failed:
        (training,) = pack.trainings
        logs[training.hash] = folder.note_failure(results, training.hash, error)
        folder.mark_failed(results, training.hash, _last_line(error))
    return logs


def _last_line(error: str) -> str:
    lines = error.strip().splitlines()
    return lines[-1] if lines else "unknown"
