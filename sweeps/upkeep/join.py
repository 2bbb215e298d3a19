"""Joining results folders of one study, such as two clusters left them, into one.

Of a training that several folders hold, the one that is whole and goes furthest wins. Every
training arrives as a training publishes itself, its status last, and the joined `sweep.json` last
of all: a join that was cut off is finished by the same command, and reads nothing wrong meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from study.store.records import CHANGING, RecordsError
from study.store.results import FOLDER, Results
from study.store.runners import runners
from study.store.status import DamagedTraining, Status, UnreadableTraining
from sweeps.faults import Fault, UsageError
from sweeps.status import folder
from sweeps.status.heartbeat import Heartbeat, refuse
from sweeps.upkeep import listings
from sweeps.upkeep.listings import Document

AT_A_TIME = 8
"""Trainings that are read and copied at a time."""
COMPARED = [name for name in CHANGING if name != "timing"]

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Place:
    """A results folder that takes part.

    Attributes:
        location: as the user wrote it.
        listing: its `sweep.json`; None where none is needed.
    """

    location: str
    results: Results
    listing: Document | None


@dataclass(frozen=True)
class Found:
    """What the places hold of a training.

    Attributes:
        whole: place and status of every whole one, in the order of the places.
        damaged: place and what is wrong, of every one that is not.
        untouchable: whether what is in the way may be whole, though it cannot be read now.
    """

    whole: list[tuple[Place, Status]]
    damaged: list[tuple[Place, str]]
    untouchable: bool


@dataclass
class Joined:
    """What a join did, or would do.

    Attributes:
        into: where everything is afterwards.
        trainings: how many the joined study lists.
        stayed: how many were there, and stay.
        taken: location -> how many come from there.
        further: how many of those stood at an earlier step in the target.
        missing: how many nobody has measured.
        damaged, differing: a line for each training of which a copy is not whole, or of which two
            copies are not the same as far as both go.
    """

    name: str
    into: str
    trainings: int = 0
    stayed: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    further: int = 0
    missing: int = 0
    damaged: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


def join(
    locations: Sequence[str], into: str | None, *, dry: bool = False, tell: Tell = lambda *_: None
) -> Joined:
    """Join results folders of one study; only the target changes.

    Args:
        locations: two or more, paths or URIs.
        into: the target; None: the first of them.
        dry: whether to only find out what would happen.
        tell: told how many trainings of how many are through.

    Raises:
        UsageError: naming every folder that cannot take part, or that somebody runs.
        NoLocation: when one of them is none.
    """
    target = into or locations[0]
    for location in (*locations, target):
        Results.open(location)
    try:
        places = _places(locations, target)
        results = places[0].results
        held = nullcontext() if dry else Heartbeat(results.store, dict)
        with held:
            return _join(places, dry, tell)
    except OSError as error:
        what = f"cannot be used: {error.strerror or error}; what was joined is kept"
        raise UsageError.of(what, place=target) from None


def _places(locations: Sequence[str], target: str) -> list[Place]:
    """All that take part, the target first."""
    roots = [_root(location) for location in locations]
    faults = [Fault(x, "", "is given twice") for x in locations if roots.count(_root(x)) > 1]
    if len(locations) < 2:
        faults.append(Fault("", "", "two results folders are needed to join them"))
    others = [x for x in locations if _root(x) != _root(target)]
    found = []
    for location in dict.fromkeys([target, *others]):
        results = Results.open(location)
        try:
            listing = listings.read(results, location)
            refuse(results.store, runners(results.store).alive)
        except UsageError as error:
            faults += error.faults
            continue
        if location in locations and (listing is None or not listing["trainings"]):
            faults.append(Fault(location, "", "holds no study; `memophase run SWEEP` makes one"))
        found.append(Place(location, results, listing))
    names = {place.location: place.listing["name"] for place in found if place.listing}
    first = next(iter(names.values()), "")
    faults += [
        Fault(location, "", f"holds the study '{name}', not '{first}'; they cannot be joined")
        for location, name in names.items()
        if name != first
    ]
    if faults:
        raise UsageError(faults)
    return found


def _root(location: str) -> str:
    return location if "://" in location else str(Path(location).expanduser().resolve())


def _join(places: Sequence[Place], dry: bool, tell: Tell) -> Joined:
    documents = [place.listing for place in places if place.listing is not None]
    document = listings.merged(documents)
    target = places[0]
    joined = Joined(document["name"], target.location, len(document["trainings"]))
    for listed, found in _looked_up(document, places, tell):
        name = f"{listed['label'] or joined.name} seed {listed['seed']} ({listed['hash']})"
        joined.damaged += [f"{name}: {place.location}: {why}" for place, why in found.damaged]
        if not found.whole:
            joined.missing += 1
            continue
        best = max(found.whole, key=lambda each: each[1].step)  # of equals the first
        joined.differing += [f"{name}: {said}" for said in _differences(best, found.whole)]
        here = next((status for place, status in found.whole if place is target), None)
        if best[0] is target:
            joined.stayed += 1
        elif found.untouchable:
            joined.missing += 1
        else:
            joined.taken[best[0].location] = joined.taken.get(best[0].location, 0) + 1
            joined.further += here is not None
            if not dry:
                _take(target.results, here, *best)
    if not dry:
        text = json.dumps(document, indent=1, sort_keys=True) + "\n"
        target.results.store.publish(folder.FILE, text.encode())
    return joined


def _looked_up(
    document: Document, places: Sequence[Place], tell: Tell
) -> Iterator[tuple[Document, Found]]:
    """Every listed training with what the places hold of it, some read ahead."""
    trainings = document["trainings"]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = pool.map(lambda listed: _found(listed["hash"], places), trainings)
        for number, listed in enumerate(trainings, 1):
            yield listed, next(found)
            tell(number, len(trainings))


def _found(training: str, places: Sequence[Place]) -> Found:
    """Every byte is read: what is damaged never wins."""
    whole, damaged, untouchable = [], [], False
    for place in places:
        try:
            status = place.results.verified(training)
            if status is not None and status.files:
                place.results.pool(place.results.config(training))
        except DamagedTraining as damage:
            damaged.append((place, str(damage)))
            untouchable |= place is places[0] and isinstance(damage, UnreadableTraining)
        else:
            if status is not None and status.files:
                whole.append((place, status))
    return Found(whole, damaged, untouchable)


def _differences(
    best: tuple[Place, Status], whole: Sequence[tuple[Place, Status]]
) -> Iterator[str]:
    """What the copies of a training do not agree in, as far as both go."""
    place, status = best
    for other, shorter in whole:
        if other is place:
            continue
        names = _unequal(place.results, status, other.results, shorter)
        if names:
            what = f"{', '.join(names)} up to step {shorter.step}"
            yield f"{what} in {other.location} is not as in {place.location}, which is kept"


def _unequal(a: Results, longer: Status, b: Results, shorter: Status) -> list[str]:
    """Tables in which two copies of a training differ, and the checkpoint where both end there."""
    names = [
        name
        for name in [*COMPARED, "strings"]
        if longer.files.get(name) != shorter.files.get(name)
        and not _rows(a, longer, name, shorter.step).equals(_rows(b, shorter, name, shorter.step))
    ]
    ends_there = longer.step == shorter.step and "diverged" not in (longer.state, shorter.state)
    if ends_there and longer.files["checkpoint"].sha256 != shorter.files["checkpoint"].sha256:
        names.append("checkpoint")
    return names


def _rows(results: Results, status: Status, name: str, until: int) -> pa.Table:
    """The rows of a table up to a step; none where a newer version wrote it."""
    try:
        rows = results.table(status, name)
    except RecordsError:
        return pa.table({})
    return rows if name == "strings" else rows.filter(pc.field("step") <= until)


def _take(into: Results, here: Status | None, place: Place, status: Status) -> None:
    """Publish a training of another place; the checkpoints that were kept here stay.

    The strings that it draws from, where no grammar makes them, are there first.
    """
    kept = {}
    if here is None:
        into.discard(status.training)  # damaged, or nothing
    else:
        kept = {name: here.files[name] for name in here.kept_checkpoints.values()}
    files = {name: place.results.read(status, name) for name in status.files}
    into.hold_pools([place.results.config(status.training)], place.results)
    config = place.results.store.read(f"{FOLDER}/{status.training}/config.json")
    into.adopt(replace(status, files={**kept, **status.files}), config, files)
