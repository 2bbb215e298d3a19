"""Sweep files to start from, shipped with the package."""

from __future__ import annotations

import difflib
from itertools import takewhile
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the presets, sorted."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def path(name: str) -> Path | None:
    """The file of a preset; None when there is none of that name."""
    return FOLDER / f"{name}.yaml" if name in names() else None


def summary(name: str) -> str:
    """The first paragraph of a preset's leading comment, in one line."""
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    paragraph = takewhile(lambda line: line.startswith("# "), lines)
    return " ".join(line.removeprefix("# ").strip() for line in paragraph)


def hint(name: str) -> str:
    """The nearest preset, or the list of them."""
    near = difflib.get_close_matches(name, names(), n=1)
    return f"did you mean '{near[0]}'?" if near else f"presets are {', '.join(names())}"
