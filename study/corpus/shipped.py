"""Corpora that come with the package; docs/corpora.md says where they are from."""

from __future__ import annotations

from study.config import StringsConfig
from study.corpus.pool import Pool

NAMES: tuple[str, ...] = ()


def pool(name: str, settings: StringsConfig) -> Pool:
    """The pool of a shipped corpus."""
    raise NotImplementedError(name)
