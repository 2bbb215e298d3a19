"""What happened to a training, by the name of its cell: what it measured, and what it failed of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study.store.listing import Listed
from study.store.records import RecordsError
from study.store.results import Results
from study.store.status import DamagedTraining
from sweeps.faults import UsageError
from sweeps.status import folder

SHOWN = ("training_loss", "heldout_loss", "copy_fraction", "excess_copies", "root_validity")
"""Columns of `curves`."""
NAMED = 8
"""Cells that are named where none, or more than one, was meant."""


@dataclass(frozen=True)
class History:
    """What happened to a training.

    Attributes:
        listed: what its sweep says of it.
        state, step: of its last publication; `waiting` and 0 before the first.
        rows: of every measured step `step`, `seconds` (of its whole pack, since the step before)
            and the columns of `SHOWN`; None where undefined.
        error: what it failed of, in a line; empty where it did not.
        failure: the log of its last failure; empty where there is none.
    """

    listed: Listed
    state: str
    step: int
    rows: list[dict[str, Any]]
    error: str
    failure: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "training": self.listed.hash,
            "cell": self.listed.cell,
            "seed": self.listed.seed,
            "state": self.state,
            "step": self.step,
            "last_step": self.listed.last_step,
            "measured": self.rows,
            "error": self.error or None,
            "failure": self.failure or None,
        }


def histories(location: str, cell: str, seed: int | None) -> list[History]:
    """What happened to a cell's trainings.

    Args:
        location: the results, path or URI.
        cell: words of its label, as `size=64 width=16`, in any order, as many as tell it from
            others; or a training's hash.
        seed: of the replica; None: all.

    Raises:
        UsageError: when the folder holds no study, or not exactly one cell is meant.
    """
    results = Results.open(location)
    try:
        study = folder.held(results, location)
        meant = _meant(study.trainings, cell, seed, location)
        return [_history(results, listed) for listed in meant]
    except OSError as error:
        raise UsageError.of(f"cannot be read: {error.strerror or error}", place=location) from None


def _meant(trainings: Sequence[Listed], cell: str, seed: int | None, location: str) -> list[Listed]:
    by_hash = [listed for listed in trainings if listed.hash == cell]
    words = set(cell.split())
    found = by_hash or [each for each in trainings if words <= set(each.label.split())]
    labels = list(dict.fromkeys(each.label for each in found))
    if len(labels) != 1:
        known = labels or list(dict.fromkeys(each.label for each in trainings))
        what = f"is {len(labels)} cells: " if labels else f"is no cell of {location}; there "
        raise UsageError.of(what + _named(known, alone=not labels), place=f"CELL '{cell}'")
    wanted = [each for each in found if seed is None or each.seed == seed]
    if not wanted:
        seeds = ", ".join(str(each.seed) for each in found)
        raise UsageError.of(f"this cell has no seed {seed}; it has {seeds}", place="--seed")
    return sorted(wanted, key=lambda each: each.seed)


def _named(labels: Sequence[str], *, alone: bool) -> str:
    """The cells that can be meant; the only one of a sweep has no name."""
    if labels == [""]:
        return "is one alone, which needs no name"
    names = ", ".join(f"'{name}'" for name in labels[:NAMED])
    names += f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return f"are {names}" if alone else names


def _history(results: Results, listed: Listed) -> History:
    failure = _failure(results, listed.hash)
    try:
        status = results.status(listed.hash)
        if status is None:
            return History(listed, "waiting", 0, [], "", failure)
        curves = results.table(status, "curves").to_pylist()
        timing = {row["step"]: row for row in results.table(status, "timing").to_pylist()}
    except (DamagedTraining, RecordsError) as damage:
        return History(listed, "damaged", 0, [], str(damage), failure)
    rows = [
        {
            "step": row["step"],
            "seconds": _seconds(timing.get(row["step"], {})),
            **{name: row[name] for name in SHOWN},
        }
        for row in curves
    ]
    return History(listed, status.state, status.step, rows, status.error or "", failure)


def _seconds(timing: Mapping[str, Any]) -> float | None:
    spent = [value for name, value in timing.items() if name.endswith("_seconds")]
    known = [value for value in spent if value is not None]
    return sum(known) if known else None


def _failure(results: Results, training: str) -> str:
    try:
        return results.store.read(f"failures/{training}.txt").decode(errors="replace")
    except FileNotFoundError:
        return ""
