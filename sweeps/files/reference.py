"""The reference of all settings: of a sweep file, and of the trainings in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from study.config import TrialConfig
from study.config.reference import Row, rows, summary
from sweeps.faults import UsageError
from sweeps.files import schema
from sweeps.files.schema import SweepFile
from sweeps.space import fields

TITLE = """\
# Settings

Written by `memophase settings --markdown`. Dotted names are those of `--set` and of the axes in
`grid` and `zip`; in `base` they are nested, as `base: {grammar: {depth: 3}}`. `seed` is for
`memophase train` alone: in a sweep replicas are numbered.
"""
COLUMNS = ("setting", "type", "default", "values", "meaning")


@dataclass(frozen=True)
class Group:
    """Settings that belong together.

    Attributes:
        name: the first part of their dotted names; empty where they stand alone.
        summary: what they are for.
    """

    name: str
    summary: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """Name and summary."""
        return f"{self.name}: {self.summary}" if self.name else self.summary


def groups(only: str | None = None) -> list[Group]:
    """All groups, or what a name means: a group, a setting, or the last word of settings.

    Raises:
        UsageError: when it means nothing.
    """
    found = [*_groups(SweepFile, schema.parts()), *_groups(TrialConfig, fields.sections().items())]
    if only is None:
        return found
    chosen = [
        replace(group, rows=kept)
        for group in found
        if (kept := tuple(r for r in group.rows if only == group.name or _is_named(r, only)))
    ]
    if not chosen:
        names = [*(group.name for group in found), *(r.name for g in found for r in g.rows)]
        hint = fields.suggestion(only, names)
        raise UsageError.of(f"no setting or group of that name; {hint}", place=only)
    return chosen


def _groups(whole: type[Any], sections: Iterable[tuple[str, type[Any]]]) -> Iterator[Group]:
    parts = list(sections)
    named = {name for name, _ in parts}
    alone = tuple(row for row in rows(whole) if row.name.partition(".")[0] not in named)
    yield Group("", summary(whole), alone)
    for name, section in parts:
        yield Group(name, summary(section), tuple(rows(section, f"{name}.")))


def _is_named(row: Row, name: str) -> bool:
    return name in (row.name, row.name.rpartition(".")[2])


def text(found: Sequence[Group], width: int = 80) -> str:
    """For a terminal."""
    lines = []
    for group in found:
        lines += ["", *textwrap.wrap(group.title, width)]
        for row in group.rows:
            facts = ", ".join(part for part in (row.kind, row.values) if part)
            default = row.default if row.default == "required" else f"default {row.default}"
            lines.append(f"  {row.name}  ({facts}; {default})")
            lines += textwrap.wrap(
                row.meaning, width, initial_indent=" " * 6, subsequent_indent=" " * 6
            )
    return "\n".join(lines[1:])


def markdown(found: Sequence[Group]) -> str:
    """Tables, as in `docs/settings.md`."""
    parts = [TITLE]
    for group in found:
        lines = [f"## {group.title.rstrip('.')}", "", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
        lines += [_line(_cells(row)) for row in group.rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def document(found: Sequence[Group]) -> list[dict[str, Any]]:
    """As JSON: a row for each setting, with its group."""
    return [{"group": group.name, **asdict(row)} for group in found for row in group.rows]


def _cells(row: Row) -> list[str]:
    default = row.default if row.default == "required" else f"`{row.default}`"
    return [f"`{row.name}`", row.kind, default, row.values, row.meaning]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
