"""Contenders timed in turns, and the figures that come of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Run = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """One line of the tables.

    Attributes:
        kind, case, unit: what was done, on what, and what is counted per second.
        ours: median rate.
        rates: median rate of every other contender.
        ratios: our rate over that of every other, median of the repetitions.
    """

    kind: str
    case: str
    unit: str
    ours: float
    rates: dict[str, float]
    ratios: dict[str, float]


@dataclass(frozen=True)
class Clock:
    """How long to measure and on what.

    Attributes:
        seconds: least duration of one contender's turn; at least one run is made.
        repetitions: turns of every contender.
    """

    device: torch.device
    seconds: float
    repetitions: int

    def figure(
        self, kind: str, case: str, unit: str, runs: Mapping[str, tuple[Run, float]]
    ) -> Figure:
        """Time contenders in turns.

        Args:
            kind, case, unit: as in `Figure`.
            runs: contender -> what to run and how many units one run is; "ours" is one of them.
        """
        counts = {name: self._count(run) for name, (run, _) in runs.items()}
        turns: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(self.repetitions):
            for name, (run, units) in runs.items():
                turns[name].append(units * counts[name] / self._duration(run, counts[name]))
        ours = turns.pop("ours")
        ratios = {
            name: statistics.median(a / b for a, b in zip(ours, others, strict=True))
            for name, others in turns.items()
        }
        rates = {name: statistics.median(others) for name, others in turns.items()}
        return Figure(kind, case, unit, statistics.median(ours), rates, ratios)

    def _count(self, run: Run) -> int:
        """Runs that fill a turn, after one that warms up."""
        first = self._duration(run, 1)
        if first > self.seconds:
            return 1
        return max(1, round(self.seconds / self._duration(run, 1)))

    def _duration(self, run: Run, count: int) -> float:
        self._synchronize()
        start = time.perf_counter()
        for _ in range(count):
            run()
        self._synchronize()
        return time.perf_counter() - start

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
