"""Who is told what happens to the packs, and how failures are told in a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

FAILURE = re.compile(r"^Failure # \d+ \(occurred at .*\)$", re.MULTILINE)
"""How Ray Tune's file of a trial's failures begins each."""
TRACEBACK = ("Traceback", "  File ")
"""How lines begin that only a traceback has."""


FULL = ("No space left on device", "Disk quota exceeded")
"""How a system says that a disk takes no more."""


class StorageFull(RuntimeError):  # noqa: N818 - told to the user as such
    """The results cannot grow; what was published stays."""


class Watcher(Protocol):
    """Who is told what happens to the packs, by their names."""

    def started(self, pack: str) -> None:
        """A pack was placed, or placed again."""

    def measured(self, pack: str, result: Mapping[str, Any]) -> None:
        """A pack published a measured step: `step`, and order parameters by training hash."""

    def noted(self, pack: str, words: str) -> None:
        """A pack has something to say."""

    def completed(self, pack: str) -> None:
        """A pack is done."""

    def retried(self, pack: str, error: str) -> None:
        """A pack failed and is tried again."""

    def failed(self, pack: str, error: str) -> None:
        """A pack failed for good."""


def reason(error: str) -> str:
    """What the last of a pack's failures said, in a line.

    A traceback says it at its end; Ray, where it ended the worker itself, at the beginning.
    """
    lines = FAILURE.split(error)[-1].strip().splitlines() or ["unknown"]
    return lines[-1] if any(line.startswith(TRACEBACK) for line in lines) else lines[0]


def is_full(error: str) -> bool:
    """Whether the disk was full, which no second try mends."""
    return any(words in error for words in FULL)
