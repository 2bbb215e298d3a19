"""Axes of the phase diagram: settings as positions on real scales, with their cells' edges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from analysis.frames.cells import distinguishing, fields_of, title, value_label
from analysis.frames.errors import AnalysisError
from study.config.settings import did_you_mean

Kind = Literal["log", "linear", "category"]

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """One setting along one axis.

    Attributes:
        field: the dotted field; None for the missing axis of a one-dimensional sweep.
        kind: numbers keep their real distances, on a log scale where they are spaced that way;
            anything else stands in equal steps.
        positions: value -> coordinate, rising.
        edges: value -> (low, high) coordinates of its cells, meeting at the midpoints (geometric
            ones on a log scale).
    """

    field: str | None
    kind: Kind
    positions: Mapping[Any, float]
    edges: Mapping[Any, tuple[float, float]]

    @property
    def title(self) -> str:
        """The name of the setting."""
        return "" if self.field is None else title(self.field)

    @property
    def domain(self) -> list[float]:
        """The outermost edges."""
        lows, highs = zip(*self.edges.values(), strict=True)
        return [min(lows), max(highs)]

    @property
    def labels(self) -> dict[float, str]:
        """Coordinate -> tick label; powers of two as such once they are long."""
        return {at: _tick_label(value, self) for value, at in self.positions.items()}


USUAL = ("corpus.size", "network.width")
"""The axes of a phase diagram where both were swept, and where nothing was."""


def default_axes(trainings: pd.DataFrame, facet: str | None) -> list[str]:
    """One or two settings that vary between cells, beside the facet: the usual ones first."""
    fields = [name for name in distinguishing(trainings) if name != facet]
    ordered = [name for name in USUAL if name in fields]
    ordered += [name for name in fields if name not in USUAL]
    return ordered[:2] or [name for name in USUAL if name != facet]


def check_axes(trainings: pd.DataFrame, axes: Sequence[str], facet: str | None) -> None:
    """Refuse axes of a phase diagram that these trainings do not have.

    Raises:
        AnalysisError: when there are not one or two of them beside the facet, or one is no setting.
    """
    if len(axes) not in (1, 2) or len({*axes, facet}) != len(axes) + 1:
        raise AnalysisError(f"axes must be one or two fields beside the facet, not {list(axes)}")
    known = [*fields_of(trainings), "seed"]
    for name in [*axes, *([facet] if facet else [])]:
        if name not in known:
            hint = did_you_mean(name, known)
            raise AnalysisError(f"'{name}' is no field of these trainings; {hint}")


def axis_of(field: str | None, values: Iterable[Any]) -> Axis:
    """The axis of a setting, from the values it takes; missing values are left out."""
    if field is None:
        return Axis(None, "category", {None: 0.0}, {None: (-0.5, 0.5)})
    distinct = {_plain(value) for value in values if value is not None and value == value}
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in distinct):
        ordered = sorted(distinct)
        kind: Kind = "log" if _spaced_by_ratio(ordered) else "linear"
        return Axis(field, kind, {v: float(v) for v in ordered}, _edges(ordered, kind))
    named = sorted(distinct, key=lambda v: (str(type(v)), v))
    positions = {v: float(i) for i, v in enumerate(named)}
    return Axis(field, "category", positions, {v: (i - 0.5, i + 0.5) for v, i in positions.items()})


def _plain(value: Any) -> Any:
    """numpy scalars as Python values, whole floats as integers."""
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value == int(value) else value


def _spaced_by_ratio(values: list[float]) -> bool:
    """Whether ratios of neighbours are more alike than differences; two values: ratio >= 2."""
    if values[0] <= 0 or len(values) < 2:
        return False
    ratios = [b / a for a, b in itertools.pairwise(values)]
    steps = [b - a for a, b in itertools.pairwise(values)]
    if len(values) == 2:
        return ratios[0] >= 2
    logs = [math.log(ratio) for ratio in ratios]
    return max(logs) / min(logs) < max(steps) / min(steps)


def _edges(values: list[float], kind: Kind) -> dict[Any, tuple[float, float]]:
    to, back = (math.log, math.exp) if kind == "log" else (float, float)
    at = [to(v) for v in values]
    if len(at) == 1:
        return {values[0]: (back(at[0] - 0.5), back(at[0] + 0.5))}
    middles = [(a + b) / 2 for a, b in itertools.pairwise(at)]
    lows = [2 * at[0] - middles[0], *middles]
    highs = [*middles, 2 * at[-1] - middles[-1]]
    return {v: (back(a), back(b)) for v, a, b in zip(values, lows, highs, strict=True)}


def _tick_label(value: Any, axis: Axis) -> str:
    """A power of two as such where the axis reaches into four digits."""
    numbers = list(axis.positions)
    if axis.kind == "log" and max(numbers) >= 2048 and all(_power_of_two(v) for v in numbers):
        return "2" + str(int(math.log2(value))).translate(SUPERSCRIPTS)
    return value_label(value)


def _power_of_two(value: Any) -> bool:
    return isinstance(value, int) and value > 0 and value & (value - 1) == 0
