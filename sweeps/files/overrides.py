"""`--set key=value`: changes to a document from the command line, read as YAML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweeps.faults import Fault, UsageError
from sweeps.files import documents, schema
from sweeps.files.documents import Document, Keys
from sweeps.files.schema import NAMES
from sweeps.space import fields


def on_sweep(document: Document, options: Sequence[str]) -> None:
    """Apply options to a sweep file's document: parts of the file, or settings of the training.

    A setting that is an axis of the grid gets new values there, or a single one.

    Raises:
        UsageError: naming every option that cannot be read.
    """
    _apply(document, options, _path_in_sweep)


def on_training(document: Document, options: Sequence[str]) -> None:
    """Apply options to the configuration of one training.

    Raises:
        UsageError: naming every option that cannot be read.
    """
    _apply(document, options, _path_in_training)


def _apply(document: Document, options: Sequence[str], path_of: Any) -> None:
    faults: list[Fault] = []
    for option in options:
        place = f"--set {option}"
        name, equals, text = option.partition("=")
        name = name.strip()
        try:
            if not equals or not name:
                raise UsageError.of("is not of the form key=value", place=place)
            path = path_of(document.value, name, place)
            _put(document, path, documents.parse(text, source=place, whole=False))
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(faults)


def _put(document: Document, path: Keys, given: Document) -> None:
    if not isinstance(document.value, dict):
        return  # reported as such when the document is checked
    value = given.value
    if path[0] == "grid" and len(path) == 2 and not isinstance(value, list | dict):
        value = [value]
    target = document.value
    for name in path[:-1]:
        below = target.get(name)
        if not isinstance(below, dict):
            below = target[name] = {}
        target = below
    last = next((key for key in target if str(key) == path[-1]), path[-1])
    target[last] = value
    for known in [known for known in document.places if known[: len(path)] == path]:
        del document.places[known]
    document.places[path] = given.source


def _path_in_training(document: Any, name: str, place: str) -> Keys:
    if name != "seed" and (fault := fields.name_fault(name)) is not None:
        raise UsageError.of(fault, place=place, field=name)
    return tuple(name.split(".", 2))


def _path_in_sweep(document: Any, name: str, place: str) -> Keys:
    first, _, rest = name.partition(".")
    if first in ("grid", "zip") and rest:
        return (first, rest)
    if first in NAMES:
        return tuple(name.split("."))
    for axes in ("grid", "zip"):
        group = document.get(axes) if isinstance(document, dict) else None
        if isinstance(group, dict) and name in group:
            return (axes, name)
    fault = fields.name_fault(name)
    if fault is not None:
        if "." not in name and name != "seed" and name not in fields.sections():
            fault = f"unknown field; {fields.suggestion(name, schema.dotted())}"
        raise UsageError.of(fault, place=place, field=name)
    return ("base", *name.split(".", 2))
