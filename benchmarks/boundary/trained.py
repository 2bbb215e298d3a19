"""A sweep trained in this process, pack by pack as a run would ask for them, with the core-seconds
of each pack and of the search.

Core-seconds are those of the process, so that what else a machine does counts for little; the
timing tables have seconds of a clock on the wall.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.files.spec import Sweep
from sweeps.planning import memory, packing
from sweeps.planning.packing import Pack
from sweeps.search.search import Answer, Evidence
from sweeps.status import folder, training_states

SLOTS = 2
"""Packs under way at a time."""
SIZES = (8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256)
WIDTHS = (16, 24, 32, 48, 64)
"""The demo's axes at depth 3 in half octaves, down to where narrow networks memorize."""


@dataclass(frozen=True)
class Spent:
    """What one pack took, or one question to the search.

    Attributes:
        what: `pack` or `search`.
        seconds: of the processor.
        width, trainings: of a pack; 0 and none of a question.
    """

    what: str
    seconds: float
    width: int = 0
    trainings: tuple[str, ...] = ()


def sweep(search: str, steps: int) -> Sweep:
    """The demo on a finer lattice, with another search and as many steps."""
    options = [
        "zip={grammar.depth: [3], grammar.zipf: [{1: 1.0, 2: 1.5}]}",
        f"grid={{corpus.size: {list(SIZES)}, network.width: {list(WIDTHS)}}}",
        "report={axes: [corpus.size, network.width]}",
        f"training.steps={steps}",
        f"search={search}",
    ]
    return spec.load("demo", options)


def read(out: Path) -> list[Spent]:
    """What was spent on a folder so far."""
    rows = (json.loads(line) for line in (out / "spent.jsonl").read_text().splitlines())
    return [Spent(**{**row, "trainings": tuple(row["trainings"])}) for row in rows]


def told(rows: Sequence[Spent]) -> str:
    """What was spent, in words."""
    packs = [row for row in rows if row.what == "pack"]
    words = [
        f"{sum(len(row.trainings) for row in packs)} trainings in {len(packs)} packs",
        f"{sum(row.seconds for row in packs):.1f} core-seconds",
        f"{sum(row.seconds for row in rows if row.what == 'search'):.2f} more of the search itself",
    ]
    return ", ".join(words)


def train(asked: Sweep, out: Path) -> list[Spent]:
    """Train what a sweep's search asks for until it asks no more, and say so in `out`.

    Two packs are under way at any time: the search is asked for the next when it has seen the end
    of the first, not of the second.
    """
    out.mkdir(parents=True, exist_ok=True)
    results = Results.open(out)
    spent: list[Spent] = []
    given: dict[str, None] = {}
    waiting: list[Pack] = []
    with (out / "spent.jsonl").open("a") as file:

        def keep(row: Spent) -> None:
            spent.append(row)
            file.write(json.dumps(asdict(row)) + "\n")
            file.flush()

        while True:
            with _timed() as took:
                running = {t.hash for pack in waiting for t in pack.trainings}
                done = given.keys() - running
                evidence = Evidence(results, done, given, running)
                packs = list(_packs(asked, evidence, max(SLOTS - len(waiting), 1)))
            keep(Spent("search", took[0]))
            waiting += packs
            given |= dict.fromkeys(t.hash for pack in packs for t in pack.trainings)
            folder.publish(asked, replace(evidence, given=given))
            folder.publish_outcome(asked, evidence)
            if not waiting:
                return spent
            first = waiting.pop(0)
            with _timed() as took:
                run_pack([t.config for t in first.trainings], results)
            width = first.trainings[0].config.network.width
            keep(Spent("pack", took[0], width, tuple(t.hash for t in first.trainings)))


def _packs(asked: Sweep, evidence: Evidence, free: int) -> Iterator[Pack]:
    """What the search wants now, narrow networks first, packed as a run packs it."""
    answer = asked.search.ask(evidence, free)
    if isinstance(answer, Answer):
        return
    for batch in answer:
        states = training_states.verified(batch, evidence.results)
        packs = packing.packed(
            [t for t in batch if not states[t.hash].done],
            {name: state.step for name, state in states.items()},
            slots=max(free // len(answer), 1),
            memory=memory.per_pack(asked.file.resources),
        )
        yield from sorted(packs, key=lambda pack: pack.trainings[0].config.network.width)


@contextmanager
def _timed() -> Iterator[list[float]]:
    """The processor's seconds of what is done meanwhile."""
    took: list[float] = []
    begun = time.process_time()
    yield took
    took.append(time.process_time() - begun)
