"""Measuring a finished study again, from the checkpoints that its trainings kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from study.config import ConfigError
from study.store.results import Results
from study.store.status import DamagedTraining
from sweeps.faults import Fault, UsageError
from sweeps.files import documents
from sweeps.space import fields
from sweeps.status import folder

SECTION = "measurement"


def measure(location: str, out: str | None, options: Sequence[str], *, device: str) -> str:
    """Measure every training of a results folder again; returns where the new results are.

    Args:
        location: the results, path or URI; nothing in them changes.
        out: the folder of the measured trainings; None: `measured` in the results.
        options: `measurement.FIELD=VALUE`, how they are to be measured.
        device: of torch.

    Raises:
        UsageError: when an option cannot be used, or a training kept no checkpoints to measure.
    """
    changes = _changes(options)
    source, target = Results.open(location), out or f"{location}/measured"
    from study.training.remeasure import NotKept, measure_again

    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    try:
        study = folder.read(source)
        hashes = [t.hash for t in study.trainings] if study else source.trainings()
        if not hashes:
            raise UsageError.of("holds no trainings", place=location)
        into = Results.open(target)
        statuses = measure_again(source, hashes, into, measurement=changes, device=device)
        folder.publish_measured(source, into, dict(zip(hashes, statuses, strict=True)))
    except (NotKept, DamagedTraining) as error:
        raise UsageError.of(str(error), place=location) from None
    except ConfigError as error:
        faults = [Fault("--set", ".".join(path), what) for path, what in error.faults]
        raise UsageError(faults) from None
    except OSError as error:
        raise UsageError.of(f"cannot be used: {error.strerror or error}", place=target) from None
    return target


def _changes(options: Sequence[str]) -> dict[str, Any]:
    """Measurement settings by name, all faults at once."""
    changes: dict[str, Any] = {}
    faults: list[Fault] = []
    for option in options:
        place = f"--set {option}"
        name, equals, text = option.partition("=")
        what = None if equals else "is not of the form measurement.FIELD=VALUE"
        if what is None and name.split(".")[0] != SECTION:
            what = "is no setting of the measurements; those are measurement.FIELD"
        if what is None:
            what = fields.name_fault(name)
        if what is not None:
            faults.append(Fault(place, "", what))
            continue
        value = documents.plain(documents.parse(text, source=place, whole=False).value)
        if (what := fields.value_fault(name, value)) is not None:
            faults.append(Fault(place, name, what))
        changes[name.partition(".")[2]] = value
    if faults:
        raise UsageError(faults)
    return changes
