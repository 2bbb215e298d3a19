"""Faults at chosen writes: whatever opens, renames, makes or deletes a file below a folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Mode = Literal["killed", "full", "hiccup"]
"""`killed`: from a write on nothing is written, and nobody hears of it; `full`: from a write on
every one fails for want of space; `hiccup`: one write fails as a network does."""

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


class Killed(BaseException):
    """In the place of the death of the process: no `except` of the code under test may see it."""


@dataclass
class Strike:
    """Counts the writes below a folder, and lets one of them fail.

    Attributes:
        at: which write, from 0; None: none.
        spared: folder below in which writes neither count nor fail, as other processes do them.
        happened: the writes so far.
    """

    folder: Path
    mode: Mode
    at: int | None
    spared: str | None = None
    happened: list[str] = field(default_factory=list)

    def meets(self, event: str, path: str) -> None:
        """A write is about to happen."""
        if not path.startswith(str(self.folder)):
            return
        if self.spared is not None and path.startswith(str(self.folder / self.spared)):
            return
        number = len(self.happened)
        self.happened.append(f"{event} {path}")
        if self.at is None or number < self.at:
            return
        if self.mode == "killed":
            raise Killed
        if self.mode == "full" and event in ("open", "os.mkdir"):
            raise OSError(28, "No space left on device", path)
        if self.mode == "hiccup" and number == self.at:
            raise OSError(5, "Input/output error", path)


_current: list[Strike] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _current:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = "w" in mode if isinstance(mode, str) else bool(flags & (os.O_WRONLY | os.O_CREAT))
        if not writes or not isinstance(path, str | os.PathLike):
            return
    elif event not in WRITES:
        return
    _current[-1].meets(event, os.fspath(arguments[0]))


@contextlib.contextmanager
def struck(
    folder: Path, mode: Mode = "killed", at: int | None = None, spared: str | None = None
) -> Iterator[Strike]:
    """Let a write below a folder fail while the block lasts; Python reports all but Arrow's own."""
    if _hook not in _hooked:
        sys.addaudithook(_hook)
        _hooked.append(_hook)
    strike = Strike(folder, mode, at, spared)
    _current.append(strike)
    try:
        yield strike
    finally:
        _current.pop()


_hooked: list[Any] = []
