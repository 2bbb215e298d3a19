"""Looking for what would stop or spoil a sweep: on this machine, in its results, in its cluster."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from study.store.runners import STALE, runners
from study.store.storage import Store
from sweeps.running import access
from sweeps.upkeep import probe

State = Literal["ok", "note", "fault"]

HERE = "this machine"
PATIENCE = 300.0
"""Seconds that a cluster has to answer."""
SCARCE, SCANT = 2**28, 5 * 2**30
"""Bytes that are free: a fault below the first, worth a note below the second."""
SKEW = 5.0
"""Seconds between two clocks that are worth a note; from half of `STALE` on they are a fault."""
GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        where: the machine, or the location of the results.
        what: what was looked at.
        state: `fault`: sweeps fail or their results cannot be trusted; `note`: worth knowing.
        said: what was found.
        advice: what to do; empty where nothing needs doing.
    """

    where: str
    what: str
    state: State
    said: str
    advice: str = ""

    def document(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def examine(address: str, location: str) -> Iterator[Finding]:
    """Look at everything, one finding after another.

    Args:
        address: of Ray, see `access.reachable`.
        location: where results are to be, path or URI.

    Raises:
        UsageError: when the address is none.
        NoLocation: when the location is none.
    """
    token, store = secrets.token_hex(8), Store.open(location)
    here = probe.machine("", "", "")
    yield from _installed(here)
    was_there = store.is_local and _is_folder(Path(store.root))
    try:
        yield from _storage(store, token)
        if address != access.LOCAL:
            yield from _cluster(address, store, location, token, here)
    finally:
        _tidy(store, token, was_there=was_there)


def _installed(here: Mapping[str, Any]) -> Iterator[Finding]:
    versions = ", ".join(f"{name} {version}" for name, version in here["packages"].items())
    yield Finding(HERE, "versions", "ok", f"Python {here['python']}, {versions}")
    yield Finding(HERE, "processors", "ok", f"{here['cores']} cores")
    yield _gpus(HERE, here, len(here["gpus"]))
    yield _scratch(HERE, here)


def _gpus(where: str, machine: Mapping[str, Any], declared: float) -> Finding:
    seen = machine["gpus"]
    said = ", ".join(seen) or "none"
    if declared > len(seen):
        what = f"Ray counts {declared:g} there, the driver lists {said}"
        return Finding(where, "GPUs", "fault", what, "start Ray there with the right --num-gpus")
    if seen and machine["torch_cuda"] is None:
        what = f"{said}, but torch there is a build for CPUs"
        return Finding(where, "GPUs", "fault", what, "install a build of torch for its CUDA")
    if declared < len(seen):
        what = f"{said}, but Ray counts {declared:g} there"
        return Finding(where, "GPUs", "note", what, "start Ray there with the right --num-gpus")
    return Finding(where, "GPUs", "ok", said)


def _scratch(where: str, machine: Mapping[str, Any]) -> Finding:
    """The disk that holds Ray's logs and sockets, without which no worker starts."""
    folder, free = machine["scratch"], machine["scratch_free"]
    said = f"{free / GIB:.1f} GiB free in {folder}"
    if free < SCARCE:
        advice = f"make room there (`du -sh {folder}/ray`), or set RAY_TMPDIR before Ray starts"
        return Finding(where, "Ray's files", "fault", said, advice)
    return Finding(where, "Ray's files", "ok", said)


def _storage(store: Store, token: str) -> Iterator[Finding]:
    """Whether the results can be written, are read back, and what their clock says."""
    path, where = f"{probe.FOLDER}/{token}", store.full()
    try:
        store.publish(path, token.encode())
        now = time.time()
        if store.read(path).decode() != token:
            yield Finding(where, "storage", "fault", "what was written is not what is read back")
            return
        written = store.filesystem.get_file_info(store.full(path)).mtime_ns
    except OSError as error:
        advice = "choose another place with --results, or make it writable"
        yield Finding(where, "storage", "fault", str(error.strerror or error), advice)
        return
    yield Finding(where, "storage", "ok", "can be written and read")
    if written is not None:
        yield _clock(where, written / 1e9 - now, 1.0)
    if store.is_local:
        yield _room(where, _free(store))
    for line in runners(store).ignored:
        yield Finding(where, "heartbeats", "note", line, "the next run removes it")
    for runner in runners(store).alive:
        yield Finding(where, "heartbeats", "note", f"a sweep is being run by {runner}")


def _free(store: Store) -> int:
    held = os.statvfs(store.root)
    return held.f_bavail * held.f_frsize


def _room(where: str, free: int) -> Finding:
    said = f"{free / GIB:.1f} GiB free"
    if free < SCANT:
        state: State = "fault" if free < SCARCE else "note"
        return Finding(where, "disk", state, said, "`memophase plan SWEEP` says what a sweep takes")
    return Finding(where, "disk", "ok", said)


def _clock(where: str, skew: float, error: float) -> Finding:
    """What two clocks that differ do: heartbeats look old, or of the future, and are not heeded."""
    size = abs(skew)
    said = f"{size:.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's (±{error:.1f} s)"
    if size - error > SKEW:
        state: State = "fault" if size > STALE / 2 else "note"
        return Finding(where, "clock", state, said, "synchronize the clocks (chrony, ntpd)")
    return Finding(where, "clock", "ok", said if size > error else f"agrees (±{error:.2g} s)")


def _cluster(
    address: str, store: Store, location: str, token: str, here: Mapping[str, Any]
) -> Iterator[Finding]:
    try:
        found = access.reachable(address)
    except access.NoCluster as error:
        yield _unanswered(address, error)
        return
    told = _asked(found, _absolute(store, location), token)
    if told["outcome"] != probe.TAKEN_IN:
        refused = told["outcome"] == probe.REFUSED
        error = access.refused(found) if refused else access.unreachable(found, told["why"])
        yield _unanswered(found, error)
        return
    machines = told["machines"]
    yield Finding(found, "cluster", "ok", f"answers, with {len(machines)} machines")
    yield _guarded(found)
    try:
        left = set(store.names(probe.FOLDER))
    except OSError:
        left = set()
    for machine in machines:
        yield from _machine(machine, here, store, left)


def _unanswered(address: str, error: access.NoCluster) -> Finding:
    said, _, advice = error.faults[0].what.partition("; ")
    return Finding(address, "cluster", "fault", said, advice)


def _absolute(store: Store, location: str) -> str:
    return store.root if store.is_local else location


def _asked(address: str, location: str, token: str, *options: str, **environment: str) -> Any:
    """What a probe in a process of its own says."""
    command = [sys.executable, "-m", probe.__name__, address, location, token, *options]
    path = os.pathsep.join(word for word in sys.path if word)
    try:
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": path} | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"nothing was heard for {PATIENCE:.0f} s"
        return {"outcome": probe.UNREACHABLE, "why": why}
    last = next(iter(done.stdout.strip().splitlines()[-1:]), "")
    try:
        return json.loads(last)
    except ValueError:
        said = next(iter(done.stderr.strip().splitlines()[-1:]), "it said nothing")
        return {"outcome": probe.UNREACHABLE, "why": said}


def _guarded(address: str) -> Finding:
    """Whether the cluster refuses who shows no token; whoever gets in runs code as its user."""
    told = _asked(address, "", "", "--only-connect", **{access.MODE: "disabled"})
    if told["outcome"] == probe.TAKEN_IN:
        advice = f"start it with {access.MODE}=token and one {access.TOKEN} on all machines"
        return Finding(address, "token", "fault", "lets in whoever shows none", advice)
    return Finding(address, "token", "ok", "refuses who shows none")


def _machine(
    machine: Mapping[str, Any], here: Mapping[str, Any], store: Store, left: set[str]
) -> Iterator[Finding]:
    where = machine["node"]
    if "python" not in machine:
        advice = "`ray status` there; the machine may be overloaded or lack memophase"
        yield Finding(where, "answers", "fault", machine["trouble"], advice)
        return
    yield _versions(where, machine, here)
    yield _gpus(where, machine, machine["declared"])
    yield _scratch(where, machine)
    yield _clock(where, machine["skew"], machine["skew_error"])
    yield from _shared(where, machine, store, left)


def _versions(where: str, machine: Mapping[str, Any], here: Mapping[str, Any]) -> Finding:
    apart = [
        f"{name} {there} (here {here['packages'][name]})"
        for name, there in machine["packages"].items()
        if there != here["packages"][name]
    ]
    if machine["python"] != here["python"]:
        apart.insert(0, f"Python {machine['python']} (here {here['python']})")
    if machine["sources"] != here["sources"] and not any("memophase" in each for each in apart):
        apart.append("memophase is other code than here")
    if apart:
        advice = "install the same on all machines: pip install -c constraints.txt"
        return Finding(where, "versions", "fault", "; ".join(apart), advice)
    return Finding(where, "versions", "ok", "as on this machine")


def _shared(
    where: str, machine: Mapping[str, Any], store: Store, left: set[str]
) -> Iterator[Finding]:
    """Whether the machine reads what was written here, and what it writes arrives here."""
    advice = "put --results on storage that all machines share under one path, or in a bucket"
    if "trouble" in machine:
        yield Finding(where, "storage", "fault", machine["trouble"], advice)
    elif not machine["seen"]:
        said = f"{store.full()} there is not what it is here"
        yield Finding(where, "storage", "fault", said, advice)
    elif machine["wrote"] not in left:
        yield Finding(where, "storage", "fault", "what it writes does not arrive here", advice)
    else:
        yield Finding(where, "storage", "ok", "shared with this machine, and can be written")
        if machine["free"] is not None:
            yield _room(where, machine["free"])


def _tidy(store: Store, token: str, *, was_there: bool) -> None:
    """Leave no trace; a folder that was made to look at goes too."""
    try:
        for name in store.names(probe.FOLDER):
            if name.startswith(token):
                store.delete(f"{probe.FOLDER}/{name}")
        if store.is_local:
            _remove_empty(Path(store.full(probe.FOLDER)))
            if not was_there:
                _remove_empty(Path(store.root))
    except OSError:
        return


def _is_folder(path: Path) -> bool:
    """Whether there is a folder; there is none where no name can be that long."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
