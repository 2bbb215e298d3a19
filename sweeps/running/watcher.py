"""Who is told what happens to the packs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Watcher(Protocol):
    """Who is told what happens to the packs, by their names."""

    def started(self, pack: str) -> None:
        """A pack was placed, or placed again."""

    def measured(self, pack: str, result: Mapping[str, Any]) -> None:
        """A pack published a measured step: `step`, and order parameters by training hash."""

    def completed(self, pack: str) -> None:
        """A pack is done."""

    def retried(self, pack: str, error: str) -> None:
        """A pack failed and is tried again."""

    def failed(self, pack: str, error: str) -> None:
        """A pack failed for good."""


def reason(error: str) -> str:
    """What a failure said, in a line."""
    lines = error.strip().splitlines()
    return lines[-1] if lines else "unknown"
