"""What several commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sweeps.files.spec import Sweep

LOCAL = "local"
"""The address of a Ray of its own on this machine."""

SweepArgument = Annotated[
    str, typer.Argument(help="A sweep file (YAML), or the name of a preset, such as demo.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a key of the file: seeds=2, a setting of all trainings as training.steps=512, "
        "an axis as 'grid.network.width=[16,32]'. Repeatable; values are YAML; see `settings`.",
    ),
]
ResultsOption = Annotated[
    str | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Where its results are: a folder, or a URI such as s3://bucket/demo. "
        "[default: results/NAME]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def location_of(given: str | None, sweep: Sweep) -> str:
    """Where a sweep's results are; a text that is empty is no place, and not the default either."""
    return f"results/{sweep.name}" if given is None else given
