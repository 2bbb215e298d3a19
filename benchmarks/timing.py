"""Contenders timed in turns, and the figures that come of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch

from benchmarks.crew import Build, Crew

OURS, CEILING, PEER, PEERS = "ours", "ceiling", "peer", "peers"
"""Contenders: `peer` is public code as it is, one piece of work on all cores; `peers` are as many
copies of it at once as there are packs of ours."""


Contenders = dict[str, tuple[Build, float]]
"""Contender -> how to build it, and how many units one run of it is."""


@dataclass(frozen=True)
class Case:
    """What contenders compete in.

    Attributes:
        kind, name, unit: what is done, on what, and what is counted per second.
        contenders: who competes; `peers` follow from `peer`.
    """

    kind: str
    name: str
    unit: str
    contenders: Contenders


@dataclass(frozen=True)
class Figure:
    """One line of the tables.

    Attributes:
        kind, case, unit: as in `Case`.
        ours: median rate, of all processes together.
        rates: median rate of every other contender.
        ratios: our rate over that of every other, median of the repetitions.
        remarks: what else was found.
    """

    kind: str
    case: str
    unit: str
    ours: float
    rates: dict[str, float]
    ratios: dict[str, float]
    remarks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Clock:
    """How long to measure, and who.

    Attributes:
        seconds: least duration of one contender's turn; at least one run is made.
        repetitions: turns of every contender.
        crews: contender -> its processes.
    """

    seconds: float
    repetitions: int
    crews: Mapping[str, Crew]

    def figure(self, case: Case) -> Figure:
        """Time the contenders of a case in turns."""
        works = {PEERS: case.contenders.get(PEER), **case.contenders}
        runs = {name: work for name in self.crews if (work := works.get(name))}
        counts: dict[str, int] = {}
        for name, (build, _) in runs.items():
            self.crews[name].build(build)
            counts[name] = self._count(self.crews[name])
        turns: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(self.repetitions):
            for name, (_, units_per_run) in runs.items():
                seconds = self.crews[name].seconds(counts[name])
                turns[name].append(sum(units_per_run * counts[name] / own for own in seconds))
        return _figure(case, turns)

    def _count(self, crew: Crew) -> int:
        """Runs that fill a turn, after one that warms up, or compiles."""
        crew.seconds(1)
        return max(1, round(self.seconds / max(crew.seconds(1))))


def _figure(case: Case, turns: dict[str, list[float]]) -> Figure:
    ours = turns.pop(OURS)
    ratios = {
        name: statistics.median(a / b for a, b in zip(ours, others, strict=True))
        for name, others in turns.items()
    }
    rates = {name: statistics.median(others) for name, others in turns.items()}
    return Figure(case.kind, case.name, case.unit, statistics.median(ours), rates, ratios)


@contextmanager
def crews(
    at_once: int, threads: int, device: torch.device, *, peer: bool
) -> Iterator[dict[str, Crew]]:
    """Processes for every contender, `at_once` of so many threads each for our own work."""
    sizes = {OURS: (at_once, threads), CEILING: (at_once, threads)}
    if peer:
        sizes[PEER] = (1, at_once * threads)
        if at_once > 1:
            sizes[PEERS] = (at_once, threads)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Crew.of(size, own, device))
            for name, (size, own) in sizes.items()
        }
