"""`memophase plan`: what a sweep takes."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from sweeps.cli.options import JsonOption, ResultsOption, SetOption, SweepArgument, location_of


def plan(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    timed: Annotated[
        bool,
        typer.Option(
            "--time/--no-time", help="Train for some seconds here, to estimate how long it takes."
        ),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Say what a sweep takes, before it runs.

    Trainings, operations, memory, disk, time. Writes nothing. Trainings that are finished in the
    results folder cost nothing. Times come as a range: from this machine doing nothing else, to it
    being as busy as it is now. For GPUs they follow from rates that are assumed.

    Example:  memophase plan demo --set seeds=5
    """
    from sweeps import show
    from sweeps.files import spec
    from sweeps.planning import plan as planning

    loaded = spec.load(sweep, set_ or [])
    planned = planning.plan(loaded, location_of(results, loaded), timed=timed)
    print(json.dumps(planned.document(), indent=1) if as_json else show.plan(planned))
    if (untold := show.untold(loaded)) is not None:
        print(untold, file=sys.stderr)
