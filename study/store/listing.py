"""The sweep that a results folder holds, as its `sweep.json` lists it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from study.store.storage import Store

FILE = "sweep.json"
VERSION = 1
REMEDY = "delete it and run the sweep again, trainings are kept"


KINDS = {"hash": str, "seed": int, "label": str, "last_step": int, "cell": Mapping}
"""What each part of a listed training is."""


class ListingError(ValueError):
    """A `sweep.json` that cannot be used, and what to do about it."""


@dataclass(frozen=True)
class Listed:
    """A training as `sweep.json` lists it.

    Attributes:
        hash, seed, label: its identity, its replica and the name of its cell.
        last_step: at which the sweep wants it to end.
        cell: the settings that the sweep varies.
    """

    hash: str
    seed: int
    label: str
    last_step: int
    cell: Mapping[str, Any]


@dataclass(frozen=True)
class Study:
    """The content of `sweep.json`.

    Attributes:
        axes, facet: how the report lays out its phase diagrams.
        trainings: what the sweep consists of, by now where a search is open-ended.
        search: how far such a search has come, in words; empty for others.
    """

    name: str
    axes: list[str]
    facet: str | None
    trainings: list[Listed]
    search: str = ""


def read(store: Store) -> Study | None:
    """The sweep of a results folder; None where none was run.

    Raises:
        ListingError: when `sweep.json` cannot be read, is garbled or of a newer version.
    """
    try:
        return _study(json.loads(store.read(FILE)))
    except FileNotFoundError:
        return None
    except ListingError:
        raise
    except OSError as error:
        raise ListingError(f"cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ListingError(f"is garbled; {REMEDY}") from error


def _study(document: Any) -> Study:
    if document["version"] > VERSION:
        raise ListingError(
            f"has version {document['version']}, this memophase reads up to {VERSION}"
        )
    layout = document["report"]
    axes, facet = [str(axis) for axis in layout["axes"]], layout["facet"]
    trainings = [_listed(training) for training in document["trainings"]]
    search = document.get("search", {}).get("says", "")
    facet = facet if facet is None else str(facet)
    return Study(str(document["name"]), axes, facet, trainings, str(search))


def _listed(document: Any) -> Listed:
    listed = Listed(**document)
    for name, kind in KINDS.items():
        if not isinstance(value := getattr(listed, name), kind):
            raise _garbled(name, value)
    if "/" in listed.hash or not listed.hash.strip("."):
        raise _garbled("hash", listed.hash)  # no name of a folder of its own
    return listed


def _garbled(name: str, value: object) -> ListingError:
    return ListingError(f"is garbled, {name} of a training is {value!r}; {REMEDY}")
