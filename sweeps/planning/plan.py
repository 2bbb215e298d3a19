"""What a sweep will take: cells, trainings, packs, and hours from a short trial on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.claims.readiness import Readiness, readiness
from analysis.frames.strata import single_stratum
from study.store.results import Results
from sweeps.files.spec import Sweep
from sweeps.planning import memory, packing, trial
from sweeps.planning.networks import Network, networks
from sweeps.planning.packing import Pack
from sweeps.search.search import Answer, Evidence
from sweeps.space import cost
from sweeps.space.cells import Training
from sweeps.space.cost import Cost
from sweeps.status import folder, training_states

MARGIN = (0.85, 1.3)
"""The ends of an estimate, as shares of what rates say: of eight packs these were 0.90 to 1.32
times what each then took, of all together 1.05; slots that end unevenly come on top."""
GPU_FLOP_RATES = (1e12, 1e13)
"""Operations a second of one GPU, from narrow networks, whose launches it waits for, to wide ones,
in float32. Assumed for a GPU of 2020 or later, not measured."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """What a sweep will take; numbers of operations are exact, everything else is an estimate.

    Attributes:
        cells, skipped, trainings, unfinished: counts; finished trainings cost nothing. Of an
            open-ended search the trainings there and those that it asks for first.
        most_cells: that the search may make.
        most_flop: operations that an open-ended search may still take; None for others, of which
            `cost` says it all.
        packs: what Ray Tune would get.
        slots: packs at a time on this machine.
        cost: of what is unfinished.
        core_hours: least and most hours of processors; None without a timing trial.
        wall_hours: least and most hours until the end on this machine, Ray's start included: while
            nothing else runs on it, and while it is as busy as in the trial; None without one.
        gpu_hours: least and most hours of GPUs, at `GPU_FLOP_RATES`; None where there are none.
        memory_mib: of the largest pack.
        memory_limit_mib: that a pack may take; one of a single training may take more.
        disk_mib: of the results.
        networks: of all trainings, one for each kind and size; of an open-ended search, of the
            cells that are known before.
        claims: which of them the sweep can test, and what it lacks for the others.
        single_stratum: where memorization by typicality is a single point, and why; None: nowhere.
    """

    name: str
    cells: int
    skipped: int
    trainings: int
    most_cells: int
    most_flop: float | None
    unfinished: int
    packs: int
    largest_pack: int
    slots: int
    device: str
    cost: Cost
    memory_mib: float
    memory_limit_mib: float
    disk_mib: float
    core_hours: Range | None
    wall_hours: Range | None
    gpu_hours: Range | None
    networks: tuple[Network, ...]
    claims: tuple[Readiness, ...]
    single_stratum: str | None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "flop": self.cost.flop}


def plan(sweep: Sweep, location: str, *, timed: bool) -> Plan:
    """Plan a sweep on this machine; writes nothing.

    Args:
        sweep: what is to be run.
        location: its results; what is finished there costs nothing.
        timed: whether to run a few seconds of training to estimate hours.

    Raises:
        UsageError: when the folder could not take the sweep, as it holds another study, say.
    """
    results = Results.open(location)
    folder.refuse_other_study(sweep, results, location)
    resources = sweep.file.resources
    slots, limit = memory.slots_here(resources), memory.per_pack(resources)
    on_gpu = resources.gpus_per_pack > 0
    known = sweep.search.known(Evidence(results))
    states = training_states.by_status({t.hash: t.config.last_step for t in known}, results)
    evidence = Evidence(results, {training for training, state in states.items() if state.done})
    unfinished = _asked(sweep, evidence, slots)
    steps = {training: state.step for training, state in states.items()}
    packs = packing.packed(
        unfinished,
        steps,
        slots=slots,
        members=resources.members_per_pack,
        memory=limit,
        on_gpu=on_gpu,
        compositions={training: state.composition for training, state in states.items()},
    )
    configs = sweep.search.configs
    spent = cost.total(cost.of(t.config, steps.get(t.hash, 0)) for t in unfinished)
    core = wall = None
    if timed and not on_gpu:
        core, wall = _hours(packs, slots, resources.cpus_per_pack)
    return Plan(
        name=sweep.name,
        cells=len(sweep.cells),
        skipped=len(sweep.skipped),
        trainings=len({*steps} | {t.hash for t in unfinished}),
        most_cells=sweep.search.most,
        most_flop=sweep.search.most_flop(evidence),
        unfinished=len(unfinished),
        packs=len(packs),
        largest_pack=max((len(pack.trainings) for pack in packs), default=0),
        slots=slots,
        device="cuda" if on_gpu else "cpu",
        cost=spent,
        memory_mib=max((pack.memory for pack in packs), default=0.0) / 2**20,
        memory_limit_mib=limit / 2**20,
        disk_mib=sum(cost.of(t.config).disk_bytes for t in (*known, *unfinished)) / 2**20,
        core_hours=core,
        wall_hours=wall,
        gpu_hours=_gpu_hours(spent) if on_gpu else None,
        networks=networks(configs),
        claims=readiness(configs),
        single_stratum=single_stratum([cell.config for cell in sweep.cells]),
    )


def _asked(sweep: Sweep, evidence: Evidence, slots: int) -> list[Training]:
    """What the search would train now; nothing where it has ended."""
    answer = sweep.search.ask(evidence, slots)
    return [] if isinstance(answer, Answer) else [t for batch in answer for t in batch]


def _hours(packs: Sequence[Pack], slots: int, cpus: int) -> tuple[Range, Range]:
    """Hours of processors, and hours until the end, from a trial just now.

    At the lower end a pack has its processors to itself, at the upper one they are shared with
    whatever else ran during the trial.
    """
    if not packs:
        return (0.0, 0.0), (0.0, 0.0)
    found = trial.run(packs, slots=slots, threads=cpus)
    seconds = [found.seconds(pack) for pack in packs]
    least, most = MARGIN
    core = sum(seconds) * cpus / 3600
    wall = (found.overhead + packing.makespan(seconds, slots)) / 3600
    return (least * core, most * core), (least * wall, most * wall / found.share)


def _gpu_hours(spent: Cost) -> Range:
    slow, fast = GPU_FLOP_RATES
    return spent.flop / fast / 3600, spent.flop / slow / 3600
