"""Packing: unfinished trainings, grouped so that each pack trains in lockstep.

Members of a pack have equal pack keys (tensor shapes, learning rate) and stand at one step. Small
networks are packed many at a time because launches cost more than their arithmetic.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from study.config import TrialConfig
from sweeps.space import axes, cost
from sweeps.space.cells import Training

PATIENCE = 0.03
"""Share of a run by which it may end later, so that its picture forms early."""
FEW = 8
"""Packs per slot from which on the order alone balances the load."""


@dataclass(frozen=True)
class Pack:
    """Trainings that run in lockstep, as one Ray Tune trial.

    Attributes:
        trainings: the members.
        step: where they stand; 0 for fresh ones.
        flop: the pack's cost, launches included.
        name: a short name made of the members' identities, by which Ray knows it.
    """

    trainings: tuple[Training, ...]
    step: int
    flop: float
    name: str

    @classmethod
    def of(cls, trainings: Sequence[Training], step: int) -> Pack:
        """The pack of some trainings."""
        width = trainings[0].config.network.width
        flop = cost.pack_flop([cost.of(t.config, step).flop for t in trainings], width)
        text = ",".join(t.hash for t in trainings)
        name = f"{len(trainings)}x{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        return cls(tuple(trainings), step, flop, name)

    @property
    def memory(self) -> float:
        """Bytes that it takes while it runs."""
        return sum(cost.of(t.config).memory_bytes for t in self.trainings)

    @property
    def label(self) -> str:
        """Its cells and seeds in few words, such as `depth=3 size=128 ×8 seeds` or
        `3 cells × 5 seeds: size=32…512 width=16`."""
        points = list({t.cell.label: t.cell.coordinates for t in self.trainings}.values())
        seeds = sorted({t.config.seed for t in self.trainings})
        if len(seeds) * len(points) != len(self.trainings):
            return f"{len(self.trainings)} trainings of {len(points)} cells: {axes.label(*points)}"
        if len(points) > 1:
            return f"{len(points)} cells × {_seeds(seeds)}: {axes.label(*points)}"
        times = "×" if seeds == list(range(len(seeds))) and len(seeds) > 1 else ""
        return f"{axes.label(points[0])} {times}{_seeds(seeds)}".strip()


def _seeds(seeds: Sequence[int]) -> str:
    """Replicas by their number, or by their seeds where these do not start at 0."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    return f"{len(seeds)} seeds" if seeds[-1] < len(seeds) else f"seeds {seeds[0]}…{seeds[-1]}"


@dataclass
class _Group:
    """Trainings that may share packs, and how many packs they make."""

    trainings: list[Training]
    step: int
    limit: int
    whole: bool
    packs: int = field(init=False)
    _flop: dict[str, float] = field(init=False)
    _costs: dict[int, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packs = math.ceil(len(self.trainings) / self.limit)
        self._flop = {t.hash: cost.of(t.config, self.step).flop for t in self.trainings}

    def split(self, packs: int) -> list[list[Training]]:
        """Even shares; neighbours in the grid stay together."""
        share, extra = divmod(len(self.trainings), packs)
        bounds = [i * share + min(i, extra) for i in range(packs + 1)]
        return [self.trainings[a:b] for a, b in pairwise(bounds)]

    def costs(self, packs: int) -> list[float]:
        """What each of so many packs would cost; asked for again and again while balancing."""
        if packs not in self._costs:
            width = self.trainings[0].config.network.width
            self._costs[packs] = [
                cost.pack_flop([self._flop[t.hash] for t in part], width)
                for part in self.split(packs)
            ]
        return self._costs[packs]


def members_limit(config: TrialConfig, *, on_gpu: bool, memory: float = math.inf) -> int:
    """Members of a pack where the file says `auto`: 16 up to width 32, fewer of wider ones, and no
    more than fit into so many bytes. One training always makes a pack."""
    by_width = cost.most_members(config.network.width, on_gpu=on_gpu)
    return max(1, int(min(by_width, memory / cost.of(config).memory_bytes)))


def packed(
    trainings: Iterable[Training],
    steps: Mapping[str, int],
    *,
    slots: int,
    members: int | None = None,
    memory: float = math.inf,
    on_gpu: bool = False,
    compositions: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Pack]:
    """Packs for unfinished trainings, in the order in which they should start.

    Args:
        trainings: what is to be trained on, first what should start first.
        steps: hash -> published step; 0 where it is missing.
        slots: packs that run at a time; as long as trainings can be split, no slot stays idle.
        members: the most members of a pack; None: by width and memory.
        memory: bytes that such a pack may take.
        on_gpu: whether packs run on a GPU, where larger ones pay.
        compositions: hash -> hashes of the pack that it was trained in, where results depend on it;
            those stay together.
    """
    wanted = list(trainings)
    groups = _groups(wanted, steps, members, memory, on_gpu, compositions or {})
    _balance(groups, slots)
    packs = [Pack.of(part, g.step) for g in groups for part in g.split(g.packs)]
    places = {training.hash: place for place, training in enumerate(wanted)}
    packs.sort(key=lambda pack: min(places[t.hash] for t in pack.trainings))
    return _without_long_tail(packs, slots)


def _without_long_tail(packs: list[Pack], slots: int) -> list[Pack]:
    """As many of the packs in their order as cost no time, then the most expensive first.

    A long pack that starts last keeps one slot busy while the others idle.
    """
    limit = makespan([pack.flop for pack in packs], slots) * (1 + PATIENCE)

    def late(head: int) -> list[Pack]:
        return packs[:head] + sorted(packs[head:], key=lambda pack: -pack.flop)

    def fits(head: int) -> bool:
        return max(ends([pack.flop for pack in late(head)], slots)) <= limit

    if not packs or fits(len(packs)):
        return packs
    return late(bisect_left(range(len(packs)), True, key=lambda head: not fits(head)) - 1)


def _groups(
    trainings: Iterable[Training],
    steps: Mapping[str, int],
    members: int | None,
    memory: float,
    on_gpu: bool,
    compositions: Mapping[str, tuple[str, ...]],
) -> list[_Group]:
    found: dict[Any, list[Training]] = {}
    for training in trainings:
        step = steps.get(training.hash, 0)
        kept = compositions.get(training.hash, ())
        found.setdefault((training.config.pack_key, step, kept), []).append(training)
    groups = []
    for (_, step, kept), group in found.items():
        largest = max((t.config for t in group), key=lambda c: cost.of(c).memory_bytes)
        limit = members or members_limit(largest, on_gpu=on_gpu, memory=memory)
        groups.append(_Group(group, step, len(group) if kept else limit, whole=bool(kept)))
    return groups


def _balance(groups: list[_Group], slots: int) -> None:
    """Split further while that evens the load out; with many packs per slot it would not."""
    while groups and sum(g.packs for g in groups) < slots * FEW:
        now = _unevenness(groups, slots)
        best: tuple[float, _Group] | None = None
        for group in groups:
            if group.whole or group.packs == len(group.trainings):
                continue
            group.packs += 1
            then = _unevenness(groups, slots)
            group.packs -= 1
            if then < now and (best is None or then < best[0]):
                best = (then, group)
        if best is None:
            return
        best[1].packs += 1


def _unevenness(groups: list[_Group], slots: int) -> float:
    """A soft maximum of the slots' loads, so that evening out any of the fullest counts."""
    loads = _loads([c for g in groups for c in g.costs(g.packs)], slots)
    largest = max(loads)
    return largest * sum((load / largest) ** 8 for load in loads) ** (1 / 8)


def makespan(costs: list[float], slots: int) -> float:
    """When the last slot is done, with the longest packs started first; 0 where there are none."""
    return max(_loads(costs, slots))


def _loads(costs: list[float], slots: int) -> list[float]:
    return ends(sorted(costs, reverse=True), slots)


def ends(costs: Sequence[float], slots: int) -> list[float]:
    """When each slot is done, if whichever is free takes the next."""
    ends = [0.0] * slots
    for each in costs:
        heapq.heapreplace(ends, ends[0] + each)
    return ends
