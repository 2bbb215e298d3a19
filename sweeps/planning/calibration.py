"""What packs will take on this machine, from timing a little of some of them.

Packs of one kind, with equal keys and equally many members, take the same for each step. Kinds are
timed in the order of their share of the work, by as many processes at once as packs will run, until
a few seconds are spent. What a kind takes that was not reached follows from those that were.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from study.config import TrialConfig
from sweeps.faults import UsageError
from sweeps.planning import cost
from sweeps.planning.pace import REVERSE_STEPS, Pace, Parts, mean
from sweeps.planning.packing import Pack

SECONDS = 6.0
"""After which no process starts to time another kind."""
LARGEST_TRIAL = 2e11
"""Operations of timing one kind; some ten seconds on one core."""
LARGEST_CORPUS = 4096
"""Training strings at most in what is timed."""
NEAR = 0.25
"""Distance of two places within which one trial is enough."""
PROCESSES = 8
"""At most, of those that time; more would hardly compete more."""
STARTS = 4.0
"""What a run takes beside its packs, in processor seconds of a process that imports torch: Ray and
its workers start, and end. Measured with Ray 2.60."""

Place = tuple[float, ...]
"""Logarithms of what packs differ in, to the base 2: which kinds lie near one another."""


@dataclass(frozen=True)
class Calibration:
    """What this machine was found to take.

    Attributes:
        start: seconds until a process has imported what trains.
        paces: where a timed kind lies -> its pace.
    """

    start: float
    paces: Mapping[Place, Pace]

    def seconds(self, pack: Pack) -> float:
        """What a pack takes."""
        place = place_of([training.config for training in pack.trainings])
        if place in self.paces:
            return self.paces[place].seconds(pack)
        nearness = [1 / math.dist(place, other) ** 2 for other in self.paces]
        return mean(list(self.paces.values()), nearness).seconds(pack)

    @property
    def overhead(self) -> float:
        """What a run takes beside its packs."""
        return STARTS * self.start


def calibrated(packs: Sequence[Pack], *, slots: int, threads: int) -> Calibration:
    """Time packs for a few seconds, in as many processes as a run would have.

    Raises:
        UsageError: when they cannot be timed.
    """
    kinds = [[_capped(training.config) for training in pack.trainings] for pack in examples(packs)]
    processes = min(slots, PROCESSES)

    def timed(first: int) -> tuple[float, list[tuple[int, Parts]]]:
        """Each process begins with a kind of its own, so that together they reach more."""
        order = [(first + i) % len(kinds) for i in range(len(kinds))]
        start, *found = _stopwatch([kinds[i] for i in order], threads)
        return start, [(i, Parts(**each)) for i, each in zip(order, found, strict=False)]

    with ThreadPoolExecutor(processes) as pool:
        outputs = list(pool.map(timed, (i * len(kinds) // processes for i in range(processes))))
    found: dict[int, list[Pace]] = defaultdict(list)
    for _, each in outputs:
        for kind, took in each:
            found[kind].append(Pace.of(took, kinds[kind]))
    paces = {place_of(kinds[kind]): mean(several) for kind, several in found.items()}
    return Calibration(median(start for start, _ in outputs), paces)


def _stopwatch(kinds: Sequence[Sequence[TrialConfig]], threads: int) -> list[Any]:
    """What a process prints that times these packs: its start, then the parts of each."""
    task = {
        "threads": threads,
        "seconds": SECONDS,
        "packs": [[config.to_dict() for config in configs] for configs in kinds],
    }
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", "sweeps.planning.stopwatch"],
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
    """One pack of each kind that a quick trial can hold, those of most work first.

    Of kinds that differ in little but how many members they have one is enough.
    """
    work: dict[Any, float] = defaultdict(float)
    example: dict[Any, Pack] = {}
    for pack in packs:
        key = (pack.trainings[0].config.pack_key, len(pack.trainings))
        work[key] += pack.flop
        example.setdefault(key, pack)
    ordered = [example[key] for key in sorted(work, key=lambda key: -work[key])]
    if not (small := [pack for pack in ordered if _trial_flop(pack) <= LARGEST_TRIAL]):
        small = [min(ordered, key=_trial_flop)]
    chosen: dict[Place, Pack] = {}
    for pack in small:
        place = place_of([training.config for training in pack.trainings])
        if all(math.dist(place, other) > NEAR for other in chosen):
            chosen[place] = pack
    return list(chosen.values())


def place_of(configs: Sequence[TrialConfig]) -> Place:
    """Where a pack lies: its width, leaves, vocabulary, batch and members."""
    grammar, training = configs[0].grammar, configs[0].training
    sizes = (
        configs[0].network.width,
        grammar.shape.num_leaves,
        grammar.vocab_size,
        training.batch_size * training.noisings,
        len(configs),
    )
    return tuple(map(math.log2, sizes))


def _trial_flop(pack: Pack) -> float:
    """Operations of timing a pack: some steps, some of the reverse chain, two measured steps."""
    config, members = pack.trainings[0].config, len(pack.trainings)
    passes = (
        cost.BACKWARD * 4 * config.training.batch_size * config.training.noisings
        + REVERSE_STEPS * config.measurement.generated
        + 2 * config.schedule.likelihood_passes
    )
    return members * cost.FLOP_PER_MAC * cost.forward_macs(config) * passes


def _capped(config: TrialConfig) -> TrialConfig:
    """The same with a corpus that is quickly drawn."""
    size = min(config.corpus.size, LARGEST_CORPUS)
    control = min(config.control_size, LARGEST_CORPUS)
    return replace(config, corpus=replace(config.corpus, size=size, control_size=control))
