"""The report of a study: what its sweep says of the layout, handed to the analysis."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from study.store import listing
from study.store.listing import Study
from study.store.results import Results
from sweeps.faults import UsageError
from sweeps.status import folder

if TYPE_CHECKING:
    from analysis.report.provenance import Record

LAST_RUN = "last-run.json"

AXES = ["corpus.size", "network.width"]
"""What a phase diagram is drawn over where no axis was swept or no sweep is recorded."""


def write(location: str, out: str | None) -> str:
    """Write the report of a results folder; returns where its page is.

    Args:
        location: the results, path or URI.
        out: the folder of the report; None: `report` in the results.

    Raises:
        UsageError: when there is nothing to report, or the folder cannot be written.
    """
    if out is None and "://" in location:
        raise UsageError.of("is needed: a report is written to this machine", place="--out")
    target = out or f"{location}/report"
    results, study = _opened(location)
    from analysis.report.folder import write_report

    with _told(location, target):
        written = write_report(
            location,
            target,
            title=study.name if study else location,
            axes=(study.axes if study else []) or AXES,
            facet=study.facet if study else None,
            expected=len(study.trainings) if study else None,
            planned=study.trainings if study and not study.search else (),
            only=_wanted(study),
            record=_record(results, location, target),
        )
    return str(written.page)


def compare(locations: Sequence[str], out: str | None) -> str:
    """Write one report of two results folders side by side; returns where its page is.

    The axes are those of the first.

    Raises:
        UsageError: as `write`, and when there are not two folders, or no `out`.
    """
    if len(locations) != 2 or locations[0] == locations[1]:
        raise UsageError.of("two different results folders can be compared", place="report")
    if out is None:
        raise UsageError.of("is needed: a comparison belongs to neither folder", place="--out")
    from analysis.frames.loading import load
    from analysis.report.folder import write_comparison
    from analysis.report.provenance import Record

    opened, studies = zip(*map(_opened, locations), strict=True)
    names = _names(locations, studies)
    sides = {}
    for location, study, name in zip(locations, studies, names, strict=True):
        with _told(location, out):
            sides[name] = load(location, only=_wanted(study))
    axes = (studies[0].axes if studies[0] else []) or AXES
    again = shlex.join(["memophase", "report", *locations, "--out", out])
    with _told(" and ".join(locations), out):
        written = write_comparison(
            sides,
            out,
            title=" and ".join(names),
            axes=axes,
            results=opened,
            record=Record(command=again),
        )
    return str(written.page)


def _names(locations: Sequence[str], studies: Sequence[Study | None]) -> list[str]:
    """What the sides are called: their studies where these differ, else their folders."""
    named = [study.name if study else "" for study in studies]
    return named if all(named) and len(set(named)) == len(named) else list(locations)


def _opened(location: str) -> tuple[Results, Study | None]:
    try:
        results = Results.open(location)
        return results, folder.read(results)
    except OSError as error:
        raise UsageError.of(f"cannot be read: {error.strerror or error}", place=location) from None


def _wanted(study: Study | None) -> set[str] | None:
    """Hashes of the trainings of a study, where its folder may hold others."""
    return {training.hash for training in study.trainings} if study else None


@contextmanager
def _told(location: str, target: str) -> Iterator[None]:
    """Faults of an analysis as usage errors."""
    from analysis.frames.errors import AnalysisError

    try:
        yield
    except AnalysisError as error:
        raise UsageError.of(str(error), place=location) from None
    except OSError as error:
        raise UsageError.of(f"cannot be written: {error.strerror or error}", place=target) from None


def _record(results: Results, location: str, target: str) -> Record:
    """What the results folder says of its sweep, and the command that makes it again."""
    from analysis.report.folder import SWEEP
    from analysis.report.provenance import Record

    document = _json(results, listing.FILE).get("sweep")
    if not isinstance(document, dict):
        return Record(last_run=_json(results, LAST_RUN))
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    words = ["memophase", "run", f"{target}/{SWEEP}", "--results", location, "--report"]
    return Record(text, shlex.join(words), _json(results, LAST_RUN))


def _json(results: Results, name: str) -> dict[str, Any]:
    """A JSON object of the folder; empty where there is none, or none that can be read."""
    try:
        found = json.loads(results.store.read(name))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
