"""A distribution that seems to be installed."""

from __future__ import annotations

from pathlib import Path


def name_entry_points(folder: Path, group: str, **points: str) -> None:
    """Make a folder of sys.path look as if a package with entry points were installed there."""
    information = folder / "toy-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (information / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")
