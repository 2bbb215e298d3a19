"""The searches that a sweep file can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from study.config.settings import ConfigError, Section, built
from sweeps.search.boundary import Boundary
from sweeps.search.grid import Grid
from sweeps.search.optuna import OptunaSearch
from sweeps.search.random import Random
from sweeps.search.search import Search
from sweeps.space.cells import Space

BUILT_IN: tuple[type[Search], ...] = (Grid, Random, Boundary, OptunaSearch)

_registered: dict[str, type[Search]] = {search.kind: search for search in BUILT_IN}


def searches() -> tuple[type[Search], ...]:
    """Every registered search."""
    return tuple(_registered.values())


def register(search: type[Search]) -> None:
    """Let sweep files of this process name a search by its kind.

    One that is registered again, as in a notebook, takes the place of its former self.

    Raises:
        ValueError: when the kind is that of a search of this package.
    """
    if search.kind in {each.kind for each in BUILT_IN}:
        raise ValueError(f"there is a search '{search.kind}' already")
    _registered[search.kind] = search


def forget(search: type[Search]) -> None:
    """Know a search no longer, if it was registered from outside."""
    if search not in BUILT_IN:
        _registered.pop(search.kind, None)


def options(document: Any) -> Section:
    """The options of a search, as the `search` of a sweep file writes them.

    Raises:
        ConfigError: naming every fault, with paths within `search`.
    """
    if isinstance(document, Section):
        return document
    if not isinstance(document, Mapping):
        raise ValueError(f"must be a mapping, not {document!r}")
    kind = document.get("kind", Grid.kind)
    if not isinstance(kind, str) or kind not in _registered:
        names = list(_registered)
        known = f"{', '.join(names[:-1])} and {names[-1]}"
        raise ConfigError([(("kind",), f"there is no search '{kind}'; there are {known}")])
    try:
        return built(_registered[kind].Options, document)
    except ConfigError as error:
        faults = [(path, _meant(kind, path, what)) for path, what in error.faults]
        raise ConfigError(faults) from None


def search_of(options: Section, space: Space) -> Search:
    """The search that options are those of."""
    return _registered[getattr(options, "kind")](options, space)  # noqa: B009 - a field of each


def _meant(kind: str, path: tuple[str, ...], what: str) -> str:
    """A fault in words that know of the other searches."""
    if what == "is required":
        return f"is required for a {kind} search"
    if len(path) == 1 and what.startswith("unknown field"):
        others = [each.kind for each in searches() if path[0] in _names(each)]
        if others:
            return f"goes with {' or '.join(f'`kind: {other}`' for other in others)} only"
    return what


def _names(search: type[Search]) -> set[str]:
    return {field.name for field in fields(search.Options)}  # type: ignore[arg-type]
