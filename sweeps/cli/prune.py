"""`memophase prune`: what a smaller sweep no longer needs."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeps.cli.options import ResultsOption, SetOption, SweepArgument, location_of


def prune(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete, instead of saying what.")] = False,
) -> None:
    """Delete the trainings of a study that a sweep no longer needs, after saying which.

    For a sweep that became smaller: fewer values, fewer seeds. What it still lists stays whole,
    also where it was trained further than it asks. Strings of one's own that no training draws from
    any more go too.

    Example:  memophase prune demo --set seeds=2 --yes
    """
    from sweeps.files import spec
    from sweeps.upkeep import prune as pruning
    from sweeps.upkeep import words

    loaded = spec.load(sweep, set_ or [])
    location = location_of(results, loaded)
    print(words.pruning(pruning.prune(loaded, location, really=yes), location))
