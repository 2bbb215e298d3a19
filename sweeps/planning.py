"""What a sweep will take: cells, trainings, packs, and hours from a quick trial on this machine."""

from __future__ import annotations

import logging
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from study.config import TrialConfig
from study.results import Results
from sweeps import cost, folder, packing
from sweeps.cost import Cost
from sweeps.packing import Pack
from sweeps.spec import Sweep

LARGEST_TRIAL = 5e10
"""Operations that a timing trial may take; a few seconds on one core."""
TRIAL_STEPS = 8
TIMED_WIDTHS = 3


@dataclass(frozen=True)
class Pace:
    """Seconds that a pack took per operation of its members, launches included.

    Attributes:
        width, members: of the pack that was timed.
        training, generating, measuring: seconds per operation, as `Cost` counts them.
    """

    width: int
    members: int
    training: float
    generating: float
    measuring: float

    def seconds(self, taken: Cost) -> float:
        """Seconds for so many operations."""
        return (
            self.training * taken.training_flop
            + self.generating * taken.generating_flop
            + self.measuring * taken.measuring_flop
        )


@dataclass(frozen=True)
class Plan:
    """What a sweep will take; numbers of operations are exact, everything else is an estimate.

    Attributes:
        cells, skipped, trainings, unfinished: counts; finished trainings cost nothing.
        packs: what Ray Tune would get.
        slots: packs at a time on this machine.
        cost: of what is unfinished.
        core_hours: hours of one slot's processors, None without a timing trial.
        wall_hours: until the end on this machine, None without a timing trial.
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
    seconds = _seconds(packs, resources.cpus_per_pack) if timed and not on_gpu else None
    busy = sum(seconds) * resources.cpus_per_pack if seconds is not None else None
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
        core_hours=None if busy is None else busy / 3600,
        wall_hours=None if seconds is None else packing.makespan(seconds, slots) / 3600,
    )


def _memory(pack: Pack) -> float:
    return sum(cost.of(t.config).memory_bytes for t in pack.trainings)


def _seconds(packs: Sequence[Pack], threads: int) -> list[float]:
    """Estimated seconds of every pack, by the pace of the timed pack of the nearest width."""
    paces = [_pace(pack, threads) for pack in _timed(packs)]
    found = []
    for pack in packs:
        width, members = pack.trainings[0].config.network.width, len(pack.trainings)
        pace = min(paces, key=lambda p: abs(math.log(p.width / width)))
        spent = cost.total(cost.of(t.config, pack.step) for t in pack.trainings)
        found.append(
            pace.seconds(spent) * _crowding(members, width) / _crowding(pace.members, pace.width)
        )
    return found


def _crowding(members: int, width: int) -> float:
    """Time per member of a pack, relative to one without launches."""
    return (members + cost.OVERHEAD / width) / members


def _timed(packs: Sequence[Pack]) -> list[Pack]:
    """One pack of the smallest, a middle and the largest width that a quick trial can hold."""
    by_width = {pack.trainings[0].config.network.width: pack for pack in reversed(packs)}
    widths = sorted(by_width)
    small = [w for w in widths if _trial_flop(by_width[w]) <= LARGEST_TRIAL] or widths[:1]
    count = min(TIMED_WIDTHS, len(small))
    chosen = {small[round(i * (len(small) - 1) / max(1, count - 1))] for i in range(count)}
    return [by_width[w] for w in sorted(chosen)]


def _trial_flop(pack: Pack) -> float:
    return cost.total(cost.of(_shortened(t.config)) for t in pack.trainings).flop


def _shortened(config: TrialConfig) -> TrialConfig:
    """The same work per step and string, but few of them."""
    return replace(
        config,
        corpus=replace(config.corpus, size=min(config.corpus.size, 256), control_size=None),
        diffusion=replace(config.diffusion, num_timesteps=21),
        training=replace(config.training, steps=2 * TRIAL_STEPS),
        measurement=replace(
            config.measurement,
            first_step=TRIAL_STEPS,
            per_octave=1,
            likelihood_per_octave=1,
            budget=None,
            generated=cost.CHUNK,
            noise_strings=min(config.measurement.noise_strings, 64),
        ),
    )


def _pace(pack: Pack, threads: int) -> Pace:
    """Train a shortened pack in a temporary folder; the second measured step is the warm one."""
    from study.trial import run_pack

    configs = list({c.hash: c for c in (_shortened(t.config) for t in pack.trainings)}.values())
    logging.getLogger("study").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="memophase-plan-") as temporary:
        results = Results.open(temporary)
        statuses = run_pack(configs, results, threads=threads)
        timing = results.table(statuses[0], "timing").to_pylist()[-1]
    spent = cost.total(cost.of(config, TRIAL_STEPS) for config in configs)
    return Pace(
        width=configs[0].network.width,
        members=len(configs),
        training=timing["training_seconds"] / spent.training_flop,
        generating=timing["generating_seconds"] / spent.generating_flop,
        measuring=timing["measuring_seconds"] / spent.measuring_flop,
    )
