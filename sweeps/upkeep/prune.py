"""Dropping what a smaller sweep no longer needs from the folder of a larger one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from study.store.results import FOLDER, Results
from study.store.runners import runners
from sweeps.faults import UsageError
from sweeps.files.spec import Sweep
from sweeps.search.search import Evidence, Listed
from sweeps.status import folder
from sweeps.status.heartbeat import Heartbeat, refuse


@dataclass(frozen=True)
class Pruning:
    """What a sweep does not need of a results folder.

    Attributes:
        dropped: hash -> name of each training that goes, as the folder's study calls it.
        strings: file of strings of one's own that goes, as nothing of the sweep draws from it.
        size: bytes of all these files.
        needed: trainings of the sweep that have a folder.
        done: whether they are gone.
    """

    dropped: Mapping[str, str]
    strings: Collection[str]
    size: int
    needed: int
    done: bool


def prune(sweep: Sweep, location: str, *, really: bool) -> Pruning:
    """Delete every training that a sweep does not list, and the strings that only these drew from,
    and make it the folder's study.

    The study is published first, so that whatever is cut off lists nothing that is gone. What goes
    further than the sweep asks stays as it is.

    Args:
        sweep: what is to be left.
        location: the results, path or URI.
        really: whether to delete anything.

    Raises:
        UsageError: when the folder holds no study or another one, somebody runs it, or the sweep's
            search decides as it goes what it needs.
    """
    if not isinstance(sweep.search, Listed):
        kind = sweep.search.kind
        what = f"a {kind} search decides as it goes what it needs; only grid and random can prune"
        raise UsageError.of(what, place=sweep.source, field="search.kind")
    results = Results.open(location)
    try:
        study = folder.held(results, location)
        folder.refuse_other_study(sweep, results, location)
        refuse(results.store, runners(results.store).alive)
        names = {t.hash: f"{t.label or study.name} seed {t.seed}" for t in study.trainings}
        wanted = {training.hash for training in sweep.trainings}
        there = results.trainings()
        dropped = {x: names.get(x, "of no study here") for x in there if x not in wanted}
        strings = results.spare_pools(training.config for training in sweep.trainings)
        size = sum(sum(results.store.sizes(f"{FOLDER}/{x}").values()) for x in dropped)
        if really:
            with Heartbeat(results.store, dict):
                _drop(sweep, results, dropped, strings)
    except OSError as error:
        raise UsageError.of(f"cannot be used: {error.strerror or error}", place=location) from None
    size += sum(strings.values())
    return Pruning(dropped, tuple(strings), size, len(there) - len(dropped), really)


def _drop(
    sweep: Sweep, results: Results, dropped: Mapping[str, str], strings: Collection[str]
) -> None:
    """The strings last: a training that is still there has them."""
    folder.publish(sweep, Evidence(results))
    for training in dropped:
        results.discard(training)
        results.store.remove(f"failures/{training}.txt")
    for path in strings:
        results.store.remove(path)
