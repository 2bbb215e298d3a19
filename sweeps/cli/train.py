"""`memophase train`: one training, without Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sweeps.cli.options import SetOption


def train(
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Results folder; it goes to DIR/trainings/HASH.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML or JSON of one configuration, as a sweep's base."),
    ] = None,
    set_: SetOption = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Of torch, on the CPU.")] = 1,
) -> int:
    """Train one configuration here, without Ray.

    What one debugs with. Prints the order parameters of every measured step. Run it again to go on;
    its results are those that a sweep would get, and `report` and notebooks read them alike.

    Example:  memophase train --out one --set grammar.depth=3 --set grammar.vocab_size=6
    --set grammar.num_synonyms=4 --set corpus.size=128 --set network.width=64
    --set training.steps=1024
    """
    from sweeps.running import single

    return single.train(config, set_ or [], out, device=device, threads=threads)
