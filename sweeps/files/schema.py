"""The outer form of a sweep file.

The settings of a training, in `base` and on the axes, check themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from study.config.settings import Section, built, setting
from sweeps.search import registry

MAX_SEEDS = 1000
MAX_AXES = 2
"""Of a phase diagram."""
COUNT = "auto, or 1 or more"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _name(value: Any) -> Any:
    if isinstance(value, str) and not NAME.fullmatch(value):
        raise ValueError(f"may hold letters, digits, '.', '_' and '-' only, not {value!r}")
    return value


def _groups(value: Any) -> Any:
    groups = value if isinstance(value, list) else [value]
    if not all(isinstance(group, Mapping) for group in groups):
        raise ValueError(f"must be a mapping of axes, or a list of such mappings, not {value!r}")
    return value


def _count_or_auto(value: Any) -> int | None:
    if value in ("auto", None):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"must be auto or a whole number of 1 or more, not {value!r}")
    return value


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _gpus(value: Any) -> Any:
    if not _is_number(value) or not (0 <= value <= 1 or (value > 1 and value == int(value))):
        raise ValueError(f"must be a share from 0 to 1 or a whole number, not {value!r}")
    return value


def _size_or_auto(value: Any) -> Any:
    if value in ("auto", None):
        return None
    if not _is_number(value) or value <= 0:
        raise ValueError(f"must be auto or a number above 0, not {value!r}")
    return value


def _axes(value: Any) -> Any:
    if isinstance(value, list) and not 1 <= len(value) <= MAX_AXES:
        raise ValueError(f"must name 1 or {MAX_AXES} axes, not {len(value)}")
    if isinstance(value, list) and len(value) == MAX_AXES and value[0] == value[1]:
        raise ValueError(f"names {value[0]!r} twice")
    return value


@dataclass(frozen=True, kw_only=True)
class Resources(Section):
    """What one pack, that is one Ray Tune trial, takes."""

    cpus_per_pack: int = setting(1, minimum=1)
    """Processors, and threads of torch."""
    gpus_per_pack: float = setting(0.0, reads=_gpus, values="a share from 0 to 1, or 1, 2, …")
    """0 trains on the CPU; 0.25 puts four packs on a GPU."""
    members_per_pack: int | None = setting(None, reads=_count_or_auto, values=COUNT)
    """Trainings that run in lockstep, at most; auto: by their width, as many as memory holds."""
    memory_gib_per_pack: float | None = setting(
        None, reads=_size_or_auto, values="auto, or above 0"
    )
    """Memory that a pack of auto size may take, on the device it trains on. auto: this machine's
    RAM divided by the packs that run at a time; on GPUs 80 GiB times gpus_per_pack."""
    max_concurrent: int | None = setting(None, reads=_count_or_auto, values=COUNT)
    """Packs at a time, at most; auto: as many as the machine or cluster holds."""


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """How the report lays out its phase diagrams."""

    axes: list[str] | None = setting(None, reads=_axes, values="1 or 2 axes of the sweep")
    """What they are drawn over; null: the first two numeric axes."""
    facet: str | None = setting(None, values="an axis of the sweep")
    """What they are split by; null: a third numeric axis, where axes are not given either."""


@dataclass(frozen=True, kw_only=True)
class SweepFile(Section):
    """A sweep file: what is trained, over which axes, how often."""

    name: str = setting(reads=_name, values="letters, digits, '.', '_' and '-'")
    """The study; its results go to results/NAME."""
    base: dict[Any, Any] = setting(factory=dict, values="settings of a training")
    """What all trainings share."""
    grid: dict[Any, Any] = setting(factory=dict, values="setting -> values")
    """Axes; their product makes the cells. Values are a list, {log2: [a, b]} for 2^a … 2^b, or
    {linspace: [a, b, n]}; a random search also takes {uniform: [a, b]} and {loguniform: [a, b]}."""
    zip: Any = setting(factory=dict, reads=_groups, values="setting -> values, or a list of such")
    """Axes that go through their values together; several groups make a list."""
    skip_infeasible: bool = setting(False)
    """Leave out cells that no training can have, instead of refusing the sweep."""
    seeds: int = setting(1, minimum=1, maximum=MAX_SEEDS)
    """Replicas of every cell, seeded 0, 1, 2, …; replica r has the same seed in every cell."""
    search: Any = setting(factory=dict, reads=registry.options, values="options of a search")
    """Which cells are trained, and in which order."""
    resources: Resources = setting(factory=Resources)
    report: Report = setting(factory=Report)


NAMES = tuple(f.name for f in fields(SweepFile))


def parts() -> list[tuple[str, type[Section]]]:
    """Key of the outer form -> the settings below it; `search` has those of every search."""
    searches = [("search", search.Options) for search in registry.searches()]
    return [*searches, ("resources", Resources), ("report", Report)]


def dotted() -> tuple[str, ...]:
    """All keys of the outer form."""
    below = [f"{name}.{f.name}" for name, part in parts() for f in fields(part)]  # type: ignore[arg-type]
    return (*NAMES, *dict.fromkeys(below))


def checked(document: Mapping[str, Any]) -> SweepFile:
    """The sweep file in a document.

    Raises:
        ConfigError: naming every fault at once.
    """
    return built(SweepFile, document)
