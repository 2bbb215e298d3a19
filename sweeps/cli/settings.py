"""`memophase settings`: every setting explained."""

from __future__ import annotations

import json
import shutil
from typing import Annotated

import typer

from sweeps.cli.options import JsonOption

WIDEST = 100
"""Characters of a line of text, on however wide a terminal."""


def settings(
    name: Annotated[
        str | None, typer.Argument(help="A group such as training, or a setting. [default: all]")
    ] = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, as in docs/settings.md.")
    ] = False,
) -> None:
    """Explain every setting of sweeps and trainings.

    Their types, defaults, bounds and meanings, as they are declared.

    Example:  memophase settings training
    """
    from sweeps.files import reference

    found = reference.groups(name)
    if as_json:
        print(json.dumps(reference.document(found), indent=1))
    elif as_markdown:
        print(reference.markdown(found), end="")
    else:
        width = min(shutil.get_terminal_size().columns, WIDEST)
        print(reference.text(found, width))
