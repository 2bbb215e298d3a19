"""`memophase join`: the results of one study from several places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from sweeps.cli.exits import DONE, INCOMPLETE


def join(
    results: Annotated[
        list[str], typer.Argument(metavar="A B…", help="Results folders of one study.")
    ],
    into: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where to join them. [default: in the first]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")
    ] = False,
) -> int:
    """Join the results of one study that ran in several places.

    Of a training that several hold, the one that goes furthest stays, if it is whole. The other
    folders do not change. Cut off, it goes on when it is run again.

    \b
    Exit codes:
      0  they are joined
      1  they are, but copies of one training differ, which should not be
      2  nothing was joined, because the request is wrong

    Example:  memophase join results/demo other-cluster/demo
    """
    from sweeps.upkeep import join as joining
    from sweeps.upkeep import words

    with _counted("trainings") as tell:
        done = joining.join(results, into, dry=dry_run, tell=tell)
    print(words.joined(done, dry=dry_run))
    return INCOMPLETE if done.differing else DONE


@contextmanager
def _counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal that is told how many of how many are through; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    console = Console()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
