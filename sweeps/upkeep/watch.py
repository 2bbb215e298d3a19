"""Looking at something again and again, until it is over or somebody has seen enough."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

Refresh = Callable[[], tuple[str, bool]]
"""What there is to see now, and whether nothing more will come."""


def watch(refresh: Refresh, every: float, console: Console) -> None:
    """Show what is there: in place on a terminal; in a pipe whenever it is another than before.

    Args:
        refresh: called at once and then again.
        every: seconds between two calls.
        console: where it is shown.

    Raises:
        KeyboardInterrupt: by whoever has seen enough.
    """
    seen, over = refresh()
    if not console.is_terminal:
        _in_a_pipe(refresh, every, console, seen, over=over)
        return
    with Live(Text(seen), console=console, auto_refresh=False) as live:
        while not over:
            time.sleep(every)
            seen, over = refresh()
            live.update(Text(seen), refresh=True)


def _in_a_pipe(refresh: Refresh, every: float, console: Console, seen: str, *, over: bool) -> None:
    print(seen, file=console.file, flush=True)
    while not over:
        time.sleep(every)
        before = seen
        seen, over = refresh()
        if seen != before:
            print(f"\n{seen}", file=console.file, flush=True)
