"""The report of a study: what its sweep says of the layout, handed to the analysis."""

from __future__ import annotations

from study.store.results import Results
from sweeps.faults import UsageError
from sweeps.status import folder

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

    try:
        written = write_report(
            location,
            target,
            title=study.name if study else location,
            axes=(study.axes if study else []) or AXES,
            facet=study.facet if study else None,
            expected=len(study.trainings) if study else None,
            only={training.hash for training in study.trainings} if study else None,
        )
    except AnalysisError as error:
        raise UsageError.of(str(error), place=location) from None
    except OSError as error:
        raise UsageError.of(f"cannot be written: {error.strerror or error}", place=target) from None
    return str(written.page)
