"""The report of a study: what its sweep says of the layout, handed to the analysis."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import yaml

from study.store import listing
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
    try:
        study = folder.read(Results.open(location))
    except OSError as error:
        raise UsageError.of(f"cannot be read: {error.strerror or error}", place=location) from None
    from analysis.frames.errors import AnalysisError
    from analysis.report.folder import write_report

    opened = Results.open(location)
    try:
        written = write_report(
            location,
            target,
            title=study.name if study else location,
            axes=(study.axes if study else []) or AXES,
            facet=study.facet if study else None,
            expected=len(study.trainings) if study else None,
            only={training.hash for training in study.trainings} if study else None,
            record=_record(opened, location, target),
        )
    except AnalysisError as error:
        raise UsageError.of(str(error), place=location) from None
    except OSError as error:
        raise UsageError.of(f"cannot be written: {error.strerror or error}", place=target) from None
    return str(written.page)


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
