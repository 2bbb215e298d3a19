"""How long a run still takes: what its packs should take, corrected by what they took so far."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.planning.pace import Pace
from sweeps.planning.packing import Pack

CPU = Pace(preparing=0.03, training=9e-12, generating=4.5e-12, measuring=1.1e-11, publishing=0.02)
"""Before anything was seen, on one core: measured in processor time, on a server's."""
GPU = Pace(preparing=0.03, training=9e-14, generating=4.5e-14, measuring=1.1e-13, publishing=0.02)
"""On a GPU: a hundred times as many operations a second. Assumed, not measured."""
TRUST = 0.5
"""Seconds of packs for which these rates count when they are weighed against those seen."""


@dataclass
class _Running:
    """A pack under way.

    Attributes:
        marked: when it was last heard of.
        step: where it stood then.
        left: what it should take from there, by the rates before anything was seen.
    """

    pack: Pack
    marked: float
    step: int
    left: float


class Forecast:
    """Follows packs by a clock that it is told; every time is in seconds of that clock.

    What packs take is proportional to what they should take, with one factor for all, learnt from
    every measured step. Waiting packs start in their order, as slots become free.
    """

    def __init__(self, *, on_gpu: bool = False) -> None:
        self._pace = GPU if on_gpu else CPU
        self._seen = self._expected = TRUST
        self._waiting: dict[str, float] = {}
        self._running: dict[str, _Running] = {}
        self._slots = 1

    def take(self, packs: Sequence[Pack], slots: int) -> None:
        """These packs, too, are about to start, so many at a time."""
        self._waiting |= {pack.name: self._pace.seconds(pack) for pack in packs}
        self._slots = slots

    def clear(self) -> None:
        """All packs are gone, and some start anew; what was learnt stays."""
        self._waiting, self._running = {}, {}

    def started(self, pack: Pack, now: float) -> None:
        """A pack was placed, or placed again: then from where it stood."""
        before = self._running.get(pack.name)
        left = before.left if before else self._waiting.pop(pack.name, self._pace.seconds(pack))
        self._running[pack.name] = _Running(pack, now, before.step if before else pack.step, left)

    def measured(self, pack: Pack, step: int, now: float) -> None:
        """A pack published a measured step."""
        row = self._running.get(pack.name)
        if row is not None and step > row.step:
            left = self._pace.left(pack, step)
            self._learn(row.left - left, now - row.marked)
            row.marked, row.step, row.left = now, step, left

    def ended(self, pack: Pack) -> None:
        """A pack is done, or has failed for good."""
        self._running.pop(pack.name, None)

    def left(self, now: float) -> float:
        """Seconds until the last pack is done."""
        factor = self._factor(now)
        ends = [max(factor * row.left - (now - row.marked), 0.0) for row in self._running.values()]
        ends += [0.0] * (self._slots - len(ends))
        heapq.heapify(ends)
        for seconds in self._waiting.values():
            heapq.heapreplace(ends, ends[0] + factor * seconds)
        return max(ends)

    def _learn(self, expected: float, seen: float) -> None:
        self._expected += expected
        self._seen += seen

    def _factor(self, now: float) -> float:
        """How much longer than they should packs take; a pack that lets us wait counts, too."""
        factor = self._seen / self._expected
        seen, expected = self._seen, self._expected
        for row in self._running.values():
            due, waited = row.left - self._pace.left(row.pack, self._next(row)), now - row.marked
            if waited > factor * due:
                seen, expected = seen + waited, expected + due
        return seen / expected

    def _next(self, row: _Running) -> int:
        """The step that a pack measures next."""
        longest = max((t.config for t in row.pack.trainings), key=lambda config: config.last_step)
        return next((s for s in longest.measured_steps if s > row.step), longest.last_step)
