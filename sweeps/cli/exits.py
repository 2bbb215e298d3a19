"""How a command ends: its exit code, and what is said where it went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from sweeps.faults import UsageError
from sweeps.terminal import readers_may_leave

DONE, INCOMPLETE, MISUSED = 0, 1, 2
"""Exit codes: all is well; a training failed or the run was interrupted; the request is wrong."""


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A command whose return value is the exit code and whose usage errors are told in lines."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        with readers_may_leave():
            code = _ended(function, *args, **kwargs)
        if code:
            raise typer.Exit(code)

    return wrapped


def _ended(function: Callable[..., int | None], *args: Any, **kwargs: Any) -> int | None:
    """The exit code of a command, after what went wrong was told."""
    try:
        return function(*args, **kwargs)
    except UsageError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INCOMPLETE
    except ValueError as error:
        from study.config.installed import NotUsable
        from study.store.storage import NoLocation

        if not isinstance(error, NotUsable | NoLocation):
            raise
        print(f"error: {error}", file=sys.stderr)
        return MISUSED
