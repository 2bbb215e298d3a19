"""What upkeep found and did, in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweeps.upkeep.doctor import Finding
from sweeps.upkeep.join import Joined
from sweeps.upkeep.prune import Pruning

AT_MOST = 20
"""Trainings that are named one by one."""
MARKS = {"ok": "ok", "note": "note", "fault": "FAULT"}


def joined(done: Joined, *, dry: bool) -> str:
    """A join, one fact a line."""
    lines = [f"{done.name}: {done.trainings} trainings in {done.into}"]
    lines.append(f"  {done.stayed} stay as they are there")
    for location, number in done.taken.items():
        lines.append(f"  {number} {'would come' if dry else 'came'} from {location}")
    if done.further:
        lines.append(f"  {done.further} of these go further than what was there")
    if done.missing:
        lines.append(f"  {done.missing} are whole nowhere; run the sweep to train them")
    lines += _some("damaged, and left out:", done.damaged)
    lines += _some("not the same in all places:", done.differing)
    return "\n".join([*lines, *["nothing was written (--dry-run)"] * dry])


def pruning(found: Pruning, location: str) -> str:
    """What a prune deleted, or would delete."""
    if not found.dropped and not found.strings:
        return f"{location}: the sweep needs all {found.needed} trainings that are there"
    verb = "deleted" if found.done else "would be deleted"
    what = [f"{len(found.dropped)} trainings"]
    what += [f"{len(found.strings)} files of strings"] * bool(found.strings)
    lines = [f"{location}: {' and '.join(what)}, {found.size / 2**20:.1f} MiB, {verb}"]
    lines[0] += f"; {found.needed} stay"
    lines += _listed([f"{name} ({hash_})" for hash_, name in found.dropped.items()])
    lines += _listed([f"{path}: no training that stays draws from it" for path in found.strings])
    return "\n".join([*lines, *["nothing was deleted; --yes does it"] * (not found.done)])


def finding(found: Finding) -> str:
    """One thing that was looked at, with what to do below it."""
    line = f"{MARKS[found.state]:<5} {found.where}: {found.what}: {found.said}"
    return f"{line}\n      {found.advice}" if found.advice else line


def examined(found: Sequence[Finding]) -> str:
    """How it all looks, in a line."""
    faults, notes = (sum(f.state == state for f in found) for state in ("fault", "note"))
    if not faults and not notes:
        return "all is well"
    return f"{faults} faults, {notes} notes"


def _some(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield heading
        yield from _listed(lines)


def _listed(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:AT_MOST])
    if len(lines) > AT_MOST:
        yield f"  and {len(lines) - AT_MOST} more"
