"""What a sweep will take: cells, trainings, packs, and hours from a quick trial on this machine."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from study.store.results import Results
from sweeps.files.spec import Sweep
from sweeps.planning import calibration, cost, packing
from sweeps.planning.cost import Cost
from sweeps.planning.packing import Pack
from sweeps.status import folder


@dataclass(frozen=True)
class Plan:
    """What a sweep will take; numbers of operations are exact, everything else is an estimate.

    Attributes:
        cells, skipped, trainings, unfinished: counts; finished trainings cost nothing.
        packs: what Ray Tune would get.
        slots: packs at a time on this machine.
        cost: of what is unfinished.
        core_hours: hours of one slot's processors, None without a timing trial.
        wall_hours: until the end on this machine, Ray's start included, if nothing else runs on it;
            None without a timing trial.
        memory_mib: of the largest pack.
        disk_mib: of the results.
    """

    name: str
    cells: int
    skipped: int
    trainings: int
    unfinished: int
    packs: int
    largest_pack: int
    slots: int
    device: str
    cost: Cost
    memory_mib: float
    disk_mib: float
    core_hours: float | None
    wall_hours: float | None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "flop": self.cost.flop}


def plan(sweep: Sweep, location: str, *, timed: bool) -> Plan:
    """Plan a sweep on this machine; writes nothing.

    Args:
        sweep: what is to be run.
        location: its results; what is finished there costs nothing.
        timed: whether to run a few seconds of training to estimate hours.
    """
    results = Results.open(location)
    resources = sweep.file.resources
    steps = {training.hash: training.config.last_step for training in sweep.trainings}
    standings = folder.standings(steps, results)
    unfinished = [t for t in sweep.trainings if not standings[t.hash].done]
    slots = max(1, (os.cpu_count() or 1) // resources.cpus_per_pack)
    slots = min(slots, resources.max_concurrent or slots)
    on_gpu = resources.gpus_per_pack > 0
    packs = packing.packed(
        unfinished,
        {training: standing.step for training, standing in standings.items()},
        slots=slots,
        members=resources.members_per_pack,
        on_gpu=on_gpu,
        compositions={training: standing.composition for training, standing in standings.items()},
    )
    core_seconds = wall_seconds = 0.0 if timed and not on_gpu else None
    if packs and timed and not on_gpu:
        here = calibration.calibrated(packs, slots=slots, threads=resources.cpus_per_pack)
        seconds = [here.seconds(pack) for pack in packs]
        core_seconds = sum(seconds) * resources.cpus_per_pack
        wall_seconds = here.overhead + packing.makespan(seconds, slots)
    return Plan(
        name=sweep.name,
        cells=len(sweep.cells),
        skipped=len(sweep.skipped),
        trainings=len(sweep.trainings),
        unfinished=len(unfinished),
        packs=len(packs),
        largest_pack=max((len(pack.trainings) for pack in packs), default=0),
        slots=slots,
        device="cuda" if on_gpu else "cpu",
        cost=cost.total(cost.of(t.config, standings[t.hash].step) for t in unfinished),
        memory_mib=max((_memory(pack) for pack in packs), default=0.0) / 2**20,
        disk_mib=sum(cost.of(t.config).disk_bytes for t in sweep.trainings) / 2**20,
        core_hours=None if core_seconds is None else core_seconds / 3600,
        wall_hours=None if wall_seconds is None else wall_seconds / 3600,
    )


def _memory(pack: Pack) -> float:
    return sum(cost.of(t.config).memory_bytes for t in pack.trainings)
