"""`memophase log`: what happened to the trainings of a cell."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sweeps.cli.options import JsonOption


def log(
    results: Annotated[str, typer.Argument(help="A results folder, such as results/demo.")],
    cell: Annotated[
        str,
        typer.Argument(
            help="The cell as `status` and `run` name it, such as 'size=64 width=16', or so much "
            "of it that it is no other; or the hash of a training. Of a sweep of one cell, nothing."
        ),
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Of the replica. [default: all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what happened to the trainings of a cell, also while they run.

    Their measured steps with the order parameters, and the log of what they failed of.

    Example:  memophase log results/demo "size=64 width=16" --seed 0
    """
    from sweeps import show
    from sweeps.status import history

    found = history.histories(results, cell, seed)
    if as_json:
        print(json.dumps([each.document() for each in found], indent=1))
    else:
        print("\n\n".join(show.history(each) for each in found))
