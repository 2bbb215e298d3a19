"""The outer form of a sweep file, checked by pydantic.

The settings of a training, in `base` and on the axes, check themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from study.config.settings import did_you_mean

Keys = tuple[str, ...]

KINDS = ("grid", "random")
MAX_SEEDS = 1000


def _count_or_auto(value: Any) -> int | None:
    if value in ("auto", None):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"must be auto or a whole number of 1 or more, not {value!r}")
    return value


def _gpus(value: Any) -> float:
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    if not whole or not (0 <= value <= 1 or value == int(value)):
        raise ValueError(f"must be a share from 0 to 1 or a whole number, not {value!r}")
    return float(value)


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise ValueError(f"there is no search '{value}'; there are {' and '.join(KINDS)}")
    return value


CountOrAuto = Annotated[int | None, BeforeValidator(_count_or_auto)]


class Part(BaseModel):
    """A part of the file: nothing is converted, nothing unknown is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Search(Part):
    """Which cells of the grid are trained."""

    kind: Annotated[str, BeforeValidator(_kind)] = "grid"
    num_samples: int | None = Field(default=None, ge=1)
    """random: how many cells."""
    seed: int = Field(default=0, ge=0)
    """random: more samples of one seed continue fewer."""


class Resources(Part):
    """What one pack, that is one Ray Tune trial, takes."""

    cpus_per_pack: int = Field(default=1, ge=1)
    gpus_per_pack: Annotated[float, BeforeValidator(_gpus)] = 0.0
    members_per_pack: CountOrAuto = None
    max_concurrent: CountOrAuto = None


class Report(Part):
    """How the report lays out its phase diagrams."""

    axes: list[str] | None = Field(default=None, min_length=1, max_length=2)
    facet: str | None = None


class SweepFile(Part):
    """A sweep file before its axes are multiplied out."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    base: dict[Any, Any] = {}
    grid: dict[Any, Any] = {}
    zip: dict[Any, Any] | list[dict[Any, Any]] = {}
    skip_infeasible: bool = False
    seeds: int = Field(default=1, ge=1, le=MAX_SEEDS)
    search: Search = Search()
    resources: Resources = Resources()
    report: Report = Report()

    @property
    def coupled(self) -> list[dict[Any, Any]]:
        """The groups of axes that move together."""
        groups = self.zip if isinstance(self.zip, list) else [self.zip]
        return [group for group in groups if group]


NAMES = tuple(SweepFile.model_fields)
PARTS: dict[str, type[Part]] = {"search": Search, "resources": Resources, "report": Report}


def checked(document: dict[str, Any]) -> SweepFile:
    """The sweep file in a document.

    Raises:
        ValidationError: pydantic's own; `faults` tells it in this project's words.
    """
    return SweepFile.model_validate(document)


def faults(error: ValidationError) -> list[tuple[Keys, str]]:
    """Path and sentence of everything that pydantic found."""
    found: dict[Keys, str] = {}
    for detail in error.errors(include_url=False):
        path = tuple(str(part) for part in detail["loc"])
        if path[:1] == ("zip",):
            path = ("zip",)  # the union's branches are no places of the file
        found.setdefault(path, _sentence(path, detail))
    return list(found.items())


def _sentence(path: Sequence[str], detail: Any) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        names = PARTS[path[0]].model_fields if len(path) > 1 else NAMES
        return f"unknown field; {did_you_mean(path[-1], names)}"
    if kind == "missing":
        return "is required"
    if kind == "string_pattern_mismatch":
        return f"may hold letters, digits, '.', '_' and '-' only, not {given!r}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    words = {
        "int_type": "must be a whole number",
        "string_type": "must be a word",
        "bool_type": "must be true or false",
        "list_type": "must be a list",
        "dict_type": "must be a mapping",
        "model_type": "must be a mapping",
    }
    if path == ("zip",):
        return f"must be a mapping of axes, or a list of such mappings, not {given!r}"
    if kind in words:
        return f"{words[kind]}, not {given!r}"
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]}, not {given!r}"
