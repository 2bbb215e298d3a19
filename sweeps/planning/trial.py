"""What packs will take on this machine, from training short versions of some of them.

A plan starts `python -m sweeps.planning.trial` as many times at once as packs will run, so that
they compete for memory and caches as in a run. Each trains packs, one after the other, through
three measured steps and prints what they took, until a few seconds are spent. Packs that were not
reached go at the mean pace of those that were.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from study.config import TrialConfig
from study.processes import chunks
from sweeps.faults import UsageError
from sweeps.planning.pace import Pace
from sweeps.planning.packing import Pack
from sweeps.space import cost
from sweeps.space.cells import pools

SECONDS, PATIENCE = 6.0, 15.0
"""Seconds of its processors, and on the wall, after which no process starts with another pack."""
LARGEST = 2e11
"""Operations of a short version; some ten seconds on one core."""
LARGEST_CORPUS = 4096
"""Training strings at most in it."""
STEPS = 16
"""Optimizer steps that are timed, and as many before that warm up; fewer of wide networks, which
take longer and warm up sooner: as many as take `STEPS_FLOP` operations, 2 at least."""
STEPS_FLOP = 4e9
REVERSE_STEPS = 3
"""Steps of the reverse chain that are timed."""
ACTIVITIES = ("training", "generating", "measuring")
"""Columns of the timing table."""
PROCESSES = 8
"""At most, of those that time; more would hardly compete more."""
STARTS = 4.0
"""What a run takes beside its packs, in processor seconds of a process that imports torch: Ray and
its workers start, and end. Measured with Ray 2.60."""

Kind = tuple[object, ...]
"""What packs have in common that take equally long for every step."""


@dataclass(frozen=True)
class Trial:
    """What this machine was found to take.

    Attributes:
        start: processor seconds until a process has imported what trains.
        share: of its processors that each process got while it timed; less than 1 where other work
            runs on this machine.
        paces: kind of a pack -> its pace with its processors to itself.
    """

    start: float
    share: float
    paces: Mapping[Kind, Pace]

    def seconds(self, pack: Pack) -> float:
        """What a pack takes where nothing else runs; divided by `share`, as busy as it was."""
        return self.paces.get(kind_of(pack), Pace.mean(self.paces.values())).seconds(pack)

    @property
    def overhead(self) -> float:
        """What a run takes beside its packs where nothing else runs."""
        return STARTS * self.start


def run(packs: Sequence[Pack], *, slots: int, threads: int) -> Trial:
    """Time packs for a few seconds, in as many processes as a run would have.

    Raises:
        UsageError: when they cannot be timed.
    """
    chosen = examples(packs)
    processes = min(slots, PROCESSES)
    with _strings(chosen) as held, ThreadPoolExecutor(processes) as pool:

        def timed(first: int) -> list[tuple[Pack, dict[str, Any]]]:
            """Each process begins with a pack of its own, so that together they reach more."""
            order = chosen[first:] + chosen[:first]
            return list(zip(order, _process(order, threads, held), strict=False))

        begins = (i * len(chosen) // processes for i in range(processes))
        rows = [row for output in pool.map(timed, begins) for row in output]
    found: dict[Kind, list[Pace]] = defaultdict(list)
    for pack, took in rows:
        found[kind_of(pack)].append(Pace(**took["pace"]))
    return Trial(
        start=fmean(took["start"] for _, took in rows),
        share=fmean(took["share"] for _, took in rows),
        paces={kind: Pace.mean(several) for kind, several in found.items()},
    )


@contextmanager
def _strings(packs: Sequence[Pack]) -> Iterator[str]:
    """A folder with the strings that packs draw from, for as long as they are timed."""
    from study.store.results import Results

    with tempfile.TemporaryDirectory(prefix="memophase-strings-") as folder:
        for pool in pools(training.cell for pack in packs for training in pack.trainings):
            Results.open(folder).hold(pool)
        yield folder


def _process(packs: Sequence[Pack], threads: int, held: str) -> list[dict[str, Any]]:
    """What a process prints that times packs, one after the other."""
    task = {
        "threads": threads,
        "strings": held,
        "packs": [[t.config.to_dict() for t in pack.trainings] for pack in packs],
    }
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", "sweeps.planning.trial"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it died"])[-1]
        raise UsageError.of(f"a pack cannot be timed here: {why}; --no-time leaves it out")
    return [json.loads(line) for line in done.stdout.splitlines()]


def examples(packs: Sequence[Pack]) -> list[Pack]:
    """One pack of each kind of which a short version is quick, those of most work first."""
    work: dict[Kind, float] = defaultdict(float)
    example: dict[Kind, Pack] = {}
    for pack in packs:
        work[kind_of(pack)] += pack.flop
        example.setdefault(kind_of(pack), pack)
    ordered = [example[kind] for kind in sorted(work, key=lambda kind: -work[kind])]
    small = [pack for pack in ordered if _short_flop(pack) <= LARGEST]
    return small or [min(ordered, key=_short_flop)]


def kind_of(pack: Pack) -> Kind:
    """The kind of a pack."""
    return (*pack.trainings[0].config.pack_key, len(pack.trainings))


def _short_flop(pack: Pack) -> float:
    return sum(cost.of(short(t.config, len(pack.trainings))).flop for t in pack.trainings)


def short(config: TrialConfig, members: int) -> TrialConfig:
    """A training of the same sizes with three measured steps, strings generated at the outer two.

    The steps from the first to the last are timed; those before warm up.
    """
    steps = min(STEPS, max(2, round(STEPS_FLOP / (members * cost.optimizer_step(config)))))
    size = min(config.corpus.size, LARGEST_CORPUS)
    control = min(config.control_size, LARGEST_CORPUS)
    return replace(
        config,
        corpus=replace(config.corpus, size=size, control_size=control),
        training=replace(config.training, steps=2 * steps, keep="last"),
        measurement=replace(
            config.measurement,
            first_step=steps,
            per_octave=1,
            likelihood_per_octave=2,
            budget=None,
            reverse_steps=REVERSE_STEPS,
        ),
    )


def timed(
    configs: Sequence[TrialConfig], threads: int, held: str | None = None
) -> tuple[Pace, float]:
    """The pace of a pack with its processors to itself, from training its short version; and the
    share of them that it got. Strings that it draws from are held in the folder `held`."""
    from study.store.results import Results
    from study.training.run import run_pack

    versions = [short(config, len(configs)) for config in configs]
    ends, worked = [time.perf_counter()], time.process_time()
    with tempfile.TemporaryDirectory(prefix="memophase-plan-") as folder:
        results = Results.open(folder)
        if held is not None:
            results.hold_pools(configs, Results.open(held))
        (status, *_) = run_pack(
            versions, results, threads=threads, report=lambda *_: ends.append(time.perf_counter())
        )
        timing = results.table(status, "timing").to_pylist()
    worked = (time.process_time() - worked) / threads
    share = min(worked / (ends[-1] - ends[0]), 1.0)
    pace = paced(configs, timing, ends, steps=versions[0].measurement.first_step)
    return pace.times(share), share


def paced(
    configs: Sequence[TrialConfig],
    timing: Sequence[Mapping[str, Any]],
    ends: Sequence[float],
    steps: int,
) -> Pace:
    """The rates behind the seconds of a short version.

    Args:
        configs: the pack.
        timing: rows of that table, of the three measured steps of the short version.
        ends: when it began, and when each of the three was published.
        steps: of training up to the first of them, and as many to the last.
    """
    config, members = configs[0], len(configs)
    _, middle, last = timing
    rows = sum(row[f"{name}_seconds"] or 0.0 for row in (middle, last) for name in ACTIVITIES)
    published = max(ends[3] - ends[1] - rows, 0.0) / 2
    trained = middle["training_seconds"] + last["training_seconds"]
    warm = trained + last["generating_seconds"] + last["measuring_seconds"] + published
    read = max(last["measuring_seconds"] - middle["measuring_seconds"], 0.0)
    generated = last["generating_seconds"] * _asked(config, config.reverse_steps)
    generated = generated / _asked(config, REVERSE_STEPS) + read
    operations = members * cost.effort(members, config.network.width)
    return Pace(
        preparing=max(ends[1] - ends[0] - warm, 0.0) / members,
        training=trained / (operations * steps * cost.optimizer_step(config)),
        generating=generated / (operations * cost.generation(config)),
        measuring=middle["measuring_seconds"] / (operations * cost.likelihood(config)),
        publishing=published / members,
    )


def _asked(config: TrialConfig, reverse_steps: int) -> int:
    """Strings of a chunk that the network is asked about in a reverse chain, steps added up."""
    from study.processes.generation import planned, spaced
    from study.processes.registry import process_of

    diffusion = process_of(config.diffusion, config.shape.vocab_size)
    times = spaced(config.diffusion.num_timesteps, reverse_steps)
    leaves = config.shape.num_leaves
    return sum(stride.places for stride in planned(diffusion, times, chunks.SMALL, leaves))


def main() -> None:
    """Time the packs that standard input names, until the seconds are spent."""
    import torch

    start = time.process_time()
    task = json.loads(sys.stdin.read())
    torch.set_num_threads(task["threads"])
    begun = time.perf_counter()
    seconds = SECONDS * task["threads"]
    for documents in task["packs"]:
        configs = [TrialConfig.from_dict(document) for document in documents]
        pace, share = timed(configs, task["threads"], task["strings"])
        print(json.dumps({"start": start, "share": share, "pace": asdict(pace)}))
        if time.process_time() - start > seconds or time.perf_counter() - begun > PATIENCE:
            return


if __name__ == "__main__":
    main()
