"""Which pool a configuration means: read where it is to be trained, found again by its hash.

Where a configuration is made ready (`memophase run`, `memophase train`, `python -m study`), its
strings are read, and what is found of them becomes part of it; everywhere else the configuration
says all that shapes and identity need, and the strings are in the results folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from study.config import ConfigError, StringsConfig
from study.config.sections import GRAMMAR
from study.config.settings import built, did_you_mean
from study.corpus import shipped
from study.corpus.pool import Pool
from study.corpus.pooling import pooled
from study.corpus.reading import Unreadable, read

OWN = "strings"
"""The source of strings at a path."""


def ready(document: Any, *, beside: Path | None = None) -> Any:
    """A configuration's document with what is found of its strings; as it was without any.

    Args:
        document: nested settings, which need not be sound.
        beside: a folder in which a path is looked for that is not found from the current one.

    Raises:
        ConfigError: naming what is wrong with the source or its strings.
    """
    return with_pool(document, pool_of(document, beside=beside))


def with_pool(document: Any, pool: Pool | None) -> Any:
    """A configuration's document with what is found of a pool."""
    return document if pool is None else {**document, "pool": pool.config.as_document()}


def pool_of(document: Any, *, beside: Path | None = None) -> Pool | None:
    """The pool that a document means; None where its strings are a grammar's. See `ready`."""
    if not isinstance(document, Mapping) or not isinstance(document.get("corpus"), Mapping):
        return None  # reported as such when the configuration is built
    corpus, strings = document["corpus"], document.get("strings") or {}
    if corpus.get("source", GRAMMAR) == GRAMMAR:
        return None
    try:
        settings: StringsConfig = built(StringsConfig, strings)
    except ConfigError as error:
        raise ConfigError([(("strings", *path), what) for path, what in error.faults]) from None
    return _pool(str(corpus["source"]), corpus.get("path"), settings, beside)


def _pool(source: str, path: Any, settings: StringsConfig, beside: Path | None) -> Pool:
    if source == OWN:
        if not isinstance(path, str):
            raise ConfigError([(("corpus", "path"), "must say where the strings are")])
        found = path
        if beside is not None and not Path(path).exists() and (beside / path).exists():
            found = str(beside / path)
        file = Path(found)
        stamp = file.stat().st_mtime_ns if file.exists() else 0
        return _told(lambda: _own(found, settings, stamp))
    if source not in shipped.NAMES:
        known = (GRAMMAR, OWN, *shipped.NAMES)
        what = f"there is no corpus '{source}'; {did_you_mean(source, known)}"
        raise ConfigError([(("corpus", "source"), what)])
    if path is not None:
        raise ConfigError([(("corpus", "path"), "goes with corpus.source: strings")])
    return _told(lambda: shipped.pool(source, settings))


def _told(make: Any) -> Pool:
    try:
        return make()
    except Unreadable as error:
        raise ConfigError([(tuple(error.field.split(".")), str(error))]) from None


@lru_cache(maxsize=16)
def _own(path: str, settings: StringsConfig, stamp: int) -> Pool:
    """Kept as long as the file is, because the cells of a sweep share their strings."""
    del stamp
    lines = read(
        path,
        column=settings.column,
        typicality=settings.typicality,
        frequency=settings.frequency,
    )
    return pooled(lines, settings)
