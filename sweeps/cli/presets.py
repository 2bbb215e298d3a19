"""`memophase presets`: the sweep files that are shipped."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeps.faults import UsageError


def list_presets(context: typer.Context) -> None:
    """List the sweep files that are shipped; `memophase presets show NAME` prints one."""
    from sweeps import presets

    if context.invoked_subcommand is not None:
        return
    names = presets.names()
    widest = max(len(name) for name in names)
    for name in names:
        print(f"{name:<{widest}}  {presets.summary(name)}")


def show_preset(name: Annotated[str, typer.Argument(help="The preset.")]) -> None:
    """Print a preset, to be saved and changed.

    Example:  memophase presets show demo > mine.yaml
    """
    from sweeps import presets

    file = presets.path(name)
    if file is None:
        raise UsageError.of(f"no preset of that name; {presets.hint(name)}", place=name)
    print(file.read_text(encoding="utf-8"), end="")
