"""`memophase doctor`: what would stop or spoil a sweep."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from sweeps.cli.exits import DONE, INCOMPLETE
from sweeps.cli.options import LOCAL, JsonOption


def doctor(
    address: Annotated[
        str,
        typer.Option(
            metavar="local|auto|HOST:PORT", help="Of the Ray cluster to look at, as in `run`."
        ),
    ] = LOCAL,
    results: Annotated[
        str, typer.Option("--results", metavar="DIR", help="Where results are to be.")
    ] = "results",
    as_json: JsonOption = False,
) -> int:
    """Look for what would stop or spoil a sweep, and say what to do.

    Versions, GPUs, free disk and clocks here and on every machine of a cluster; whether the
    results can be written and are shared by all of them; whether the cluster asks for its token.

    \b
    Exit codes:
      0  nothing stands in the way
      1  something does

    Example:  memophase doctor --address auto --results /shared/results
    """
    from sweeps.upkeep import doctor as examination
    from sweeps.upkeep import words

    found = []
    for finding in examination.examine(address, results):
        found.append(finding)
        if not as_json:
            print(words.finding(finding), flush=True)
    faulty = any(finding.state == "fault" for finding in found)
    if as_json:
        document = {"healthy": not faulty, "findings": [each.document() for each in found]}
        print(json.dumps(document, indent=1))
    else:
        print(words.examined(found))
    return INCOMPLETE if faulty else DONE
