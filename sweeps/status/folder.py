"""The folder of a study beside its trainings: which sweep it holds, and what is said of its runs.

<results>/sweep.json          the sweep as it was last run, and the trainings it consists of
          last-run.json       what the last run did with its processors
          runs/<token>.json   the heartbeat of whoever runs it
          failures/<name>.txt why a pack failed
          search/<name>.parquet what a search has found so far
          tune/               Ray Tune's own files while a run lasts
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from study.config import TrialConfig
from study.store import listing
from study.store.listing import FILE, VERSION, ListingError, Study
from study.store.results import FOLDER as TRAININGS
from study.store.results import POOLS, Results
from study.store.status import DamagedTraining, Status
from sweeps.faults import UsageError
from sweeps.files.spec import Sweep
from sweeps.search.search import Evidence
from sweeps.space.cells import Training, pools

OUTCOME, FAILURES = "search", "failures"


def publish(sweep: Sweep, evidence: Evidence) -> tuple[Training, ...]:
    """Say in the results folder which sweep it holds, and the trainings that are known so far.

    The strings that they draw from, where no grammar makes them, are there first.

    Returns:
        These trainings.
    """
    known, says = sweep.search.known(evidence), sweep.search.says(evidence)
    for pool in pools(training.cell for training in known):
        evidence.results.hold(pool)
    document = {
        "version": VERSION,
        "name": sweep.name,
        "sweep": sweep.document,
        "report": {"axes": sweep.report_axes, "facet": sweep.facet},
        "skipped": list(sweep.skipped),
        "trainings": [
            {
                "hash": training.hash,
                "seed": training.config.seed,
                "label": training.cell.label,
                "last_step": training.config.last_step,
                "cell": training.cell.coordinates,
            }
            for training in known
        ],
        **({"search": {"kind": sweep.search.kind, "says": says}} if says else {}),
    }
    data = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    evidence.results.store.publish(FILE, data)
    return known


def publish_outcome(sweep: Sweep, evidence: Evidence) -> None:
    """Publish what the search has found, as tables below `search/`; those of others go."""
    store, found = evidence.results.store, sweep.search.outcome(evidence)
    files = {f"{name}.parquet": _parquet(table) for name, table in found.items()}
    if files:
        store.child(OUTCOME).publish_all(files)
    for name in store.names(OUTCOME):
        if name not in files:
            store.remove(f"{OUTCOME}/{name}")


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def publish_measured(source: Results, into: Results, measured: Mapping[str, Status | None]) -> None:
    """Say that a folder holds another's sweep, its trainings measured again.

    Args:
        source: the results with the sweep; without one nothing is said.
        into: the results with the measured trainings.
        measured: hash in the source -> status of its measured training.
    """
    if source.store.size(FILE) is None:
        return
    document = json.loads(source.store.read(FILE))
    document["trainings"] = [
        {**listed, "hash": status.training, "last_step": status.step}
        for listed in document["trainings"]
        if (status := measured.get(listed["hash"])) is not None
    ]
    into.store.publish(FILE, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def read(results: Results) -> Study | None:
    """The study in a results folder; None where no sweep was run.

    Raises:
        UsageError: when `sweep.json` is garbled or was written by a newer version.
    """
    try:
        return listing.read(results.store)
    except ListingError as error:
        raise UsageError.of(str(error), place=results.store.full(FILE)) from None


def held(results: Results, location: str) -> Study:
    """The study in a results folder.

    Raises:
        UsageError: when there is none, or none that can be read.
    """
    study = read(results)
    if study is None:
        raise UsageError.of("holds no study; `memophase run SWEEP` makes one", place=location)
    return study


def refuse_other_study(sweep: Sweep, results: Results, location: str) -> None:
    """A results folder belongs to one study.

    Raises:
        UsageError: when it holds a sweep of another name.
    """
    held = read(results)
    if held is not None and held.name != sweep.name:
        raise UsageError.of(
            f"holds the study '{held.name}', not '{sweep.name}'; "
            "choose another folder with --results, or another name with --set name=…",
            place=location,
        )


def note_failure(results: Results, name: str, text: str) -> str:
    """Keep what a pack failed with; returns where."""
    path = f"{FAILURES}/{name}.txt"
    results.store.publish(path, text.encode())
    return results.store.full(path)


def mark_failed(results: Results, config: TrialConfig, error: str) -> None:
    """Say in the training's own status that it failed; where not even that can be written, not."""
    try:
        status = results.status(config.hash)
        if status is None:
            results.describe(config)
            status = Status(training=config.hash, state="failed", step=0)
        results.mark(status, "failed", error)
    except (DamagedTraining, OSError):
        return


def clear_partial(results: Results) -> None:
    """Delete what a run that was killed had begun to write; what else is so cut off goes with the
    next thing that is published in its place."""
    for path in ("", FAILURES, POOLS):
        results.store.clear_partial(path)


def clear_unpublished(results: Results, known: Collection[str], forgotten: Collection[str]) -> None:
    """Delete the folders of trainings that a killed run never came to publish, but those of known
    ones. A training that is not the sweep's stays: whoever trains it may still be at it.

    Args:
        results: of the sweep, which nobody else runs.
        known: hashes of the trainings of the sweep so far.
        forgotten: hashes of those that it may not ask for again.
    """
    store = results.store
    for name in set(results.trainings()) - set(known) - set(store.sizes(TRAININGS)):
        inside = store.names(f"{TRAININGS}/{name}")
        begun = "config.json" in inside or all(each.startswith(".") for each in inside)
        own = name in forgotten or not _is_described(results, name)
        if begun and own and "status.json" not in inside:
            store.remove(f"{TRAININGS}/{name}")


def _is_described(results: Results, name: str) -> bool:
    """Whether a folder says which training it is of."""
    try:
        results.config(name)
    except DamagedTraining:
        return False
    return True


def clear_tune(results: Results) -> None:
    """Delete Ray Tune's own files; the results never depend on them."""
    store = results.store
    if "tune" in store.names():
        store.filesystem.delete_dir(store.full("tune"))
