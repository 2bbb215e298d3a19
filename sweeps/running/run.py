"""Running a sweep: what is unfinished is packed, trained through Ray Tune, and accounted for."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.store.results import Results
from sweeps.faults import UsageError
from sweeps.files.spec import Sweep, Training
from sweeps.planning import memory, packing
from sweeps.planning.packing import Pack
from sweeps.running import tuner
from sweeps.running.progress import Progress
from sweeps.status import folder, usage
from sweeps.status.folder import Standing
from sweeps.status.heartbeat import Heartbeat
from sweeps.status.usage import Usage


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        standings: hash -> where each training of the sweep stands.
        trained: how many trainings this run took on.
        logs: hash of a failed training -> where its log is.
        usage: what it did with its processors; None where it trained nothing.
    """

    standings: dict[str, Standing]
    trained: int = 0
    logs: dict[str, str] = field(default_factory=dict)
    usage: Usage | None = None

    @property
    def complete(self) -> bool:
        """Whether every training is done."""
        return all(standing.done for standing in self.standings.values())


def absolute(location: str) -> str:
    """A results location that means the same in every process."""
    return location if "://" in location else str(Path(location).expanduser().absolute())


def run(
    sweep: Sweep, location: str, *, address: str, progress: Progress, began: float | None = None
) -> Outcome:
    """Train what is unfinished of a sweep.

    Args:
        sweep: what is to be trained.
        location: where its results are, path or URI.
        address: of Ray, see `tuner.connected`.
        progress: told what happens.
        began: when the command did, by `time.perf_counter`; None: now.

    Raises:
        UsageError: when the folder belongs to another study or runner, there is no Ray, or no GPU
            where one is needed.
        KeyboardInterrupt: when interrupted; everything published stays.
    """
    began = time.perf_counter() if began is None else began
    address = tuner.reachable(address)
    location = absolute(location)
    results = Results.open(location)
    try:
        folder.refuse_other_study(sweep, results, location)
        with Heartbeat(results.store, progress.snapshot):
            folder.publish(sweep, results)
            return _run(sweep, results, location, address, progress, began)
    except OSError as error:
        raise UsageError.of(f"cannot be used: {error.strerror or error}", place=location) from None


def _run(
    sweep: Sweep,
    results: Results,
    location: str,
    address: str,
    progress: Progress,
    began: float,
) -> Outcome:
    steps = {training.hash: training.config.last_step for training in sweep.trainings}
    before = folder.verified(sweep.trainings, results)
    unfinished = [t for t in sweep.trainings if not before[t.hash].done]
    _refuse_missing_gpu(sweep, unfinished)
    outcome = Outcome(before, trained=len(unfinished))
    progress.begin(len(sweep.trainings), len(unfinished))
    if unfinished:
        folder.clear_tune(results)
        try:
            with tuner.connected(address):
                slots = tuner.slots(sweep.file.resources)
                outcome.logs = _train(sweep, unfinished, before, results, location, progress, slots)
        finally:
            folder.clear_tune(results)
        outcome.standings = folder.standings(steps, results)
        outcome.usage = usage.counted(
            {t.hash: before[t.hash].step for t in unfinished},
            results,
            seconds=time.perf_counter() - began,
            slots=slots,
            cpus=sweep.file.resources.cpus_per_pack,
        )
        usage.publish(outcome.usage, results)
    return outcome


def _refuse_missing_gpu(sweep: Sweep, unfinished: Sequence[Training]) -> None:
    """Once and before anything starts, not by the failure of every training."""
    tf32 = [t for t in unfinished if t.config.training.precision == "tf32"]
    if tf32 and not sweep.file.resources.gpus_per_pack:
        what = "tf32 needs a GPU; set resources.gpus_per_pack, or use float32 or bfloat16"
        raise UsageError.of(what, place=sweep.source, field="training.precision")


def _train(
    sweep: Sweep,
    unfinished: Sequence[Training],
    before: dict[str, Standing],
    results: Results,
    location: str,
    progress: Progress,
    slots: int,
) -> dict[str, str]:
    """Train packs; members of packs that failed are tried once more, each alone."""
    resources = sweep.file.resources
    packs = packing.packed(
        unfinished,
        {training: standing.step for training, standing in before.items()},
        slots=slots,
        members=resources.members_per_pack,
        memory=memory.per_pack(resources),
        on_gpu=resources.gpus_per_pack > 0,
        compositions={training: standing.composition for training, standing in before.items()},
    )

    def attempt(packs: Sequence[Pack]) -> list[tuple[Pack, str]]:
        progress.take(packs, slots)
        token = secrets.token_hex(4)
        tuner.train(packs, location, resources, concurrent=slots, watcher=progress, token=token)
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
        folder.mark_failed(results, training.config, _last_line(error))
    return logs


def _last_line(error: str) -> str:
    lines = error.strip().splitlines()
    return lines[-1] if lines else "unknown"
