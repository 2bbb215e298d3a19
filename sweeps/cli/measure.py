"""`memophase measure`: finished trainings measured again."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeps.cli.options import SetOption


def measure(
    results: Annotated[str, typer.Argument(help="A results folder whose checkpoints were kept.")],
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Results folder to write. [default: RESULTS/measured]"),
    ] = None,
    set_: SetOption = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Measure finished trainings again, more finely.

    Needs checkpoints: trainings that were run with training.keep=log2. They are measured at the
    powers of two that were kept, into a results folder of their own, which `report` takes as any
    other. --set takes measurement.KEY=VALUE.

    Example:  memophase measure results/demo --set measurement.generated=10000
    """
    from sweeps.running import remeasure as measuring

    print(f"measured: {measuring.measure(results, out, set_ or [], device=device)}")
