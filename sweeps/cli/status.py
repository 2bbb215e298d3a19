"""`memophase status`: how far a sweep is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sweeps.cli.options import JsonOption


def status(
    results: Annotated[str, typer.Argument(help="A results folder, such as results/demo.")],
    as_json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until all is done or Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.5, metavar="SECONDS", help="Between two looks of --watch.")
    ] = 5.0,
) -> None:
    """Say how far a sweep is, also while it runs.

    How many trainings are done, what failed and why, how long is left; whichever process or machine
    runs it.

    Example:  memophase status results/demo --watch
    """
    from rich.console import Console

    from sweeps import show
    from sweeps.status import study_state
    from sweeps.upkeep import watch as watching

    def look() -> tuple[str, bool]:
        found = study_state.study_state(results)
        text = json.dumps(found.document(), indent=1) if as_json else show.study_state(found)
        return text, not watch or found.done == found.total

    watching.watch(look, every, Console())
