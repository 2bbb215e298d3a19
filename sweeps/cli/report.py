"""`memophase report`: the page of one sweep, or of two side by side."""

from __future__ import annotations

from typing import Annotated

import typer


def report(
    results: Annotated[
        list[str],
        typer.Argument(help="A results folder, such as results/demo; or two, to compare them."),
    ],
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where to write it. [default: RESULTS/report]")
    ] = None,
) -> None:
    """Write the report, also of an unfinished sweep, or of two side by side.

    One HTML file that opens anywhere: phase diagrams, curves of memorization by typicality, and a
    test of each published claim. Beside it the figures, and their numbers. Of two folders the page
    shows both on common axes, with differences and their intervals.

    \b
    Example:  memophase report results/demo --out demo-report
              memophase report results/unet results/transformer --out compared
    """
    if len(results) == 1:
        return write_report(results[0], out)
    from sweeps import reporting

    print(f"report: {reporting.compare(results, out)}")
    return None


def write_report(location: str, out: str | None) -> None:
    """Write the report of a results folder, and say where it is."""
    from sweeps import reporting

    print(f"report: {reporting.write(location, out)}")
