"""Running a sweep: what its search asks for is trained through Ray Tune, and accounted for."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.store.results import Results
from sweeps.faults import UsageError
from sweeps.files.spec import Sweep
from sweeps.running import access, tuner
from sweeps.running.interrupts import first_interrupt
from sweeps.running.progress import Progress
from sweeps.running.ray_process import RayLost, RayNotStarted, RayProcess
from sweeps.running.supply import Supply
from sweeps.running.tuner import Trials
from sweeps.search.search import Answer, Evidence
from sweeps.space.cells import Training
from sweeps.status import folder, training_states, usage
from sweeps.status.heartbeat import Heartbeat
from sweeps.status.training_states import TrainingState
from sweeps.status.usage import Usage

RESTARTS = 1
"""Times that a Ray of our own is started again when it dies."""
STARTS = 5
"""Times in a row that it may fail to come up: on a machine that is busy with other things its parts
miss deadlines that Ray gives them, such as 15 s to import what one of them needs."""

logger = logging.getLogger(__name__)


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        states: hash -> the state of each training of the sweep.
        trainings: those that are known by now.
        trained: how many this run took on.
        logs: hash of a failed training -> where its log is.
        usage: what it did with its processors; None where it trained nothing.
    """

    states: dict[str, TrainingState]
    trainings: Sequence[Training] = ()
    trained: int = 0
    logs: dict[str, str] = field(default_factory=dict)
    usage: Usage | None = None

    @property
    def complete(self) -> bool:
        """Whether every training is done."""
        return all(state.done for state in self.states.values())


def absolute(location: str) -> str:
    """A results location that means the same in every process; what is none stays none."""
    if "://" in location or not location.strip():
        return location
    return str(Path(location).expanduser().absolute())


def run(
    sweep: Sweep, location: str, *, address: str, progress: Progress, began: float | None = None
) -> Outcome:
    """Train what is unfinished of a sweep.

    Storage that fails for some seconds is waited for once the folder is held, as trainings do.

    Args:
        sweep: what is to be trained.
        location: where its results are, path or URI.
        address: of Ray, see `access.reachable`.
        progress: told what happens.
        began: when the command did, by `time.perf_counter`; None: now.

    Raises:
        UsageError: when the folder belongs to another study or runner, there is no Ray, or none
            that keeps others out, or no GPU where one is needed.
        RayLost: when Ray died and was not, or not again, started anew; everything published stays.
        StorageFull: when results could not be published for want of space.
        KeyboardInterrupt: when interrupted; everything published stays.
    """
    began = time.perf_counter() if began is None else began
    address = access.reachable(address)
    if address == access.LOCAL:
        access.guarded(os.environ)
    location = absolute(location)
    results = Results.open(location)
    _end_cleanly_when_terminated()
    try:
        folder.refuse_other_study(sweep, results, location)
        with Heartbeat(results.store, progress.snapshot):
            return _run(sweep, results, location, address, progress, began)
    except OSError as error:
        raise UsageError.of(f"cannot be used: {error.strerror or error}", place=location) from None


def _end_cleanly_when_terminated() -> None:
    """A polite kill is an interruption, as a second Ctrl-C is, and so is a terminal that hangs up
    but under nohup."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _run(
    sweep: Sweep,
    results: Results,
    location: str,
    address: str,
    progress: Progress,
    began: float,
) -> Outcome:
    patient = results.patient()
    folder.clear_partial(patient)
    known = folder.publish(sweep, Evidence(patient))
    forgotten = sweep.search.forgotten(Evidence(patient))
    folder.clear_unpublished(patient, {training.hash for training in known}, forgotten)
    before = training_states.verified(known, results)
    say_damage(sweep, known, before)
    done = {hash_ for hash_, state in before.items() if state.done}
    coming = sweep.search.ask(Evidence(results, done), 1)
    folder.publish_outcome(sweep, Evidence(patient, done))
    progress.begin(len(known), len(known) - len(done))
    if isinstance(coming, Answer):
        return Outcome(before, known)
    _refuse_missing_gpu(sweep, [training for batch in coming for training in batch])
    supply, slots = _through_ray(sweep, before, patient, location, address, progress)
    after = folder.publish(sweep, supply.evidence())
    folder.publish_outcome(sweep, supply.evidence())
    steps = {training.hash: training.config.last_step for training in after}
    used = usage.counted(
        supply.before,
        results,
        seconds=time.perf_counter() - began,
        slots=slots,
        cpus=sweep.file.resources.cpus_per_pack,
    )
    usage.publish(used, patient)
    states = training_states.by_status(steps, results)
    return Outcome(states, after, len(supply.before), supply.logs, used)


def _through_ray(
    sweep: Sweep,
    states: dict[str, TrainingState],
    results: Results,
    location: str,
    address: str,
    progress: Progress,
) -> tuple[Supply, int]:
    """Train what the search asks for; returns what was supplied, and how many packs ran at a time.

    A Ray of our own that dies is started once more: what is on disk says what is left. One that
    dies again has a reason that a third would meet too, and a cluster is not ours to start. One
    that does not come up gets more chances: nothing was lost with it.
    """
    restarts, starts = (RESTARTS, STARTS) if address == access.LOCAL else (0, 1)
    resources, taken = sweep.file.resources, dict[str, int]()
    while True:
        folder.clear_tune(results)
        try:
            with RayProcess(address) as ray:
                starts = STARTS
                slots = tuner.slots(ray.nodes, resources)
                supply = Supply(sweep, results, location, states, slots, progress, taken)
                trials = Trials.of(location, resources, slots, secrets.token_hex(4))
                with first_interrupt(lambda r=ray: _finish(r, progress)):
                    ray.train(trials, supply, supply.tasks)
            return supply, slots
        except RayNotStarted as loss:
            starts -= 1
            if not starts:
                raise RayLost(_not_started(address, loss, results)) from None
            progress.not_started(str(loss))
        except RayLost as loss:
            log = folder.note_failure(results, "ray", loss.log)
            if not restarts:
                raise RayLost(f"{_whose(address)} was lost: {loss}; log: {log}") from None
            restarts -= 1
            progress.lost(f"{loss}; log: {log}")
            known = sweep.search.known(Evidence(results))
            states = training_states.verified(known, results)
            progress.begin(len(known), sum(not each.done for each in states.values()))
        finally:
            folder.clear_tune(results)


def _finish(ray: RayProcess, progress: Progress) -> None:
    """Within a signal's handler: what is said must not wait for what was being said."""
    ray.finish()
    threading.Thread(target=progress.finishing, daemon=True).start()


def _not_started(address: str, loss: RayNotStarted, results: Results) -> str:
    """What to say where a Ray never came up."""
    log = folder.note_failure(results, "ray", loss.log)
    if address != access.LOCAL:
        return f"{_whose(address)} was lost: {loss}; log: {log}"
    return (
        f"Ray did not start, {STARTS} times over: {loss}; log: {log}; this machine may be too busy "
        "for it, or full (`memophase doctor`)"
    )


def _whose(address: str) -> str:
    if address == access.LOCAL:
        return "Ray was started again and"
    return f"the Ray cluster at {address}"


def say_damage(
    sweep: Sweep, trainings: Sequence[Training], states: Mapping[str, TrainingState]
) -> None:
    """A line for every training whose folder is not whole, before it is trained again."""
    for training in trainings:
        if states[training.hash].name == "damaged":
            where = f"{training.cell.label or sweep.name} seed {training.config.seed}"
            reason = states[training.hash].reason
            logger.warning("%s (%s) is damaged: %s", where, training.hash, reason)


def _refuse_missing_gpu(sweep: Sweep, unfinished: Sequence[Training]) -> None:
    """Once and before anything starts, not by the failure of every training."""
    tf32 = [t for t in unfinished if t.config.training.precision == "tf32"]
    if tf32 and not sweep.file.resources.gpus_per_pack:
        what = "tf32 needs a GPU; set resources.gpus_per_pack, or use float32 or bfloat16"
        raise UsageError.of(what, place=sweep.source, field="training.precision")
