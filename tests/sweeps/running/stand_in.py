"""A stand-in for Ray that trains packs in this process, one after the other."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from study.config import TrialConfig
from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.running import run as running
from sweeps.running.progress import Progress
from sweeps.running.run import Outcome
from sweeps.running.tuner import Trials
from sweeps.running.watcher import Watcher
from tests.sweeps.tiny import TINY

More = Callable[[], list[dict] | None]
Train = Callable[..., None]


class StandIn:
    """A Ray of two processors."""

    started = 0
    train: Train

    def __init__(self, address: str) -> None:
        self.nodes = [{"CPU": 2.0}]

    def __enter__(self) -> StandIn:
        type(self).started += 1
        return self

    def __exit__(self, *_: object) -> None:
        return None


def given(more: More) -> Iterator[dict]:
    """The packs that a run supplies, as Ray Tune takes them."""
    while (packs := more()) is not None:
        yield from packs


def trained(pack: dict, watcher: Watcher) -> None:
    watcher.started(pack["name"])
    configs = [TrialConfig.from_dict(document) for document in pack["trainings"]]
    run_pack(configs, Results.open(pack["results"]))
    watcher.completed(pack["name"])


def replayed(
    told: list[list[int]], fails: Callable[[dict], bool] = lambda pack: False
) -> Callable[[StandIn, Trials, Watcher, More], None]:
    """Trains everything, and tells the corpus sizes of each pack."""

    def train(_: StandIn, trials: Trials, watcher: Watcher, more: More) -> None:
        for pack in given(more):
            told.append([document["corpus"]["size"] for document in pack["trainings"]])
            if fails(pack):
                watcher.started(pack["name"])
                watcher.failed(pack["name"], "MemoryError: none is left")
            else:
                trained(pack, watcher)

    return train


def run(
    folder: Path, sweep: spec.Sweep | None = None, address: str = "local"
) -> tuple[Outcome, str]:
    """Outcome of a sweep, by default the tiny one, and what was shown."""
    sink = io.StringIO()
    sweep = sweep or spec.loads(TINY)
    with Progress(Console(file=sink), sweep.name) as progress:
        outcome = running.run(sweep, str(folder), address=address, progress=progress)
    return outcome, sink.getvalue()
