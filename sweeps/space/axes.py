"""The axes of a sweep: the values that one setting, or several coupled ones, go through."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from sweeps.space import fields

MAX_VALUES = 10_000
FORMS = "a list, {log2: [a, b]}, {linspace: [a, b, n]}"
SPANS = ("uniform", "loguniform")

Point = dict[str, Any]
"""Dotted setting -> value."""


@dataclass(frozen=True)
class Axis:
    """Settings that move together through a list of points."""

    points: tuple[Point, ...]

    def draw(self, rng: np.random.Generator) -> Point:
        """One of the points, all equally likely."""
        return self.points[int(rng.integers(len(self.points)))]


@dataclass(frozen=True)
class Span:
    """A setting anywhere between two ends; only a random search can go through it."""

    name: str
    low: float
    high: float
    logarithmic: bool

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers fit between the ends."""
        between = self.low + (self.high - self.low) / math.pi
        return fields.value_fault(self.name, between) is not None

    @property
    def ends(self) -> tuple[float, float]:
        """Its ends, rounded where only whole numbers fit."""
        return (round(self.low), round(self.high)) if self.is_whole else (self.low, self.high)

    def draw(self, rng: np.random.Generator) -> Point:
        """A value, uniform or uniform in its logarithm; rounded where only whole numbers fit."""
        low, high = (math.log(x) if self.logarithmic else x for x in (self.low, self.high))
        drawn = float(rng.uniform(low, high))
        value = math.exp(drawn) if self.logarithmic else drawn
        fits = fields.value_fault(self.name, value) is None
        return {self.name: value if fits else round(value)}


def grid(axes: list[Axis]) -> Iterator[Point]:
    """Every combination of the axes' points, the last axis changing fastest."""
    for points in product(*(axis.points for axis in axes)):
        yield {name: value for point in points for name, value in point.items()}


def draws(axes: list[Axis | Span], seed: int) -> Iterator[Point]:
    """Endless random points; more draws of one seed continue fewer."""
    rng = np.random.default_rng(seed)
    while True:
        yield {name: value for axis in axes for name, value in axis.draw(rng).items()}


def values(name: str, given: Any, *, repeats: bool = False) -> list[Any] | Span:
    """The values of an axis as a sweep file writes them.

    Args:
        name: the setting.
        given: what the file says.
        repeats: whether a value may come twice, as it may in coupled axes.

    Raises:
        ValueError: with what is wrong.
    """
    if isinstance(given, list):
        found = given
    elif isinstance(given, Mapping) and len(given) == 1:
        form, ends = next(iter(given.items()))
        if form in SPANS:
            return _span(name, form, ends)
        if form not in FORMED:
            raise ValueError(f"'{form}' is no way to write values; known are {FORMS}")
        found = FORMED[form](ends)
    else:
        raise ValueError(f"must be {FORMS}, not {given!r}")
    if not found:
        raise ValueError("has no values")
    if len(found) > MAX_VALUES:
        raise ValueError(f"has {len(found)} values, more than {MAX_VALUES}")
    for i, value in enumerate(found):
        if not repeats and value in found[:i]:
            raise ValueError(f"value {value!r} is given twice")
    return found


def _log2(ends: Any) -> list[Any]:
    """2^a … 2^b, both included."""
    if not _numbers(ends, 2) or any(x != int(x) or abs(x) > 64 for x in ends):
        raise ValueError(f"log2 takes [a, b], whole exponents up to 64, not {ends!r}")
    low, high = int(ends[0]), int(ends[1])
    if low > high:
        raise ValueError(f"log2 goes from the smaller to the larger exponent, not {ends!r}")
    return [2**k if k >= 0 else 2.0**k for k in range(low, high + 1)]


def _linspace(ends: Any) -> list[Any]:
    """n evenly spaced numbers from a to b, both included."""
    if not _numbers(ends, 3) or ends[2] != int(ends[2]) or not 2 <= ends[2] <= MAX_VALUES:
        raise ValueError(f"linspace takes [a, b, n] with n from 2 to {MAX_VALUES}, not {ends!r}")
    spaced = np.linspace(ends[0], ends[1], int(ends[2])).tolist()
    return [int(x) if x == int(x) else x for x in spaced]


FORMED = {"log2": _log2, "linspace": _linspace}


def _span(name: str, form: str, ends: Any) -> Span:
    if not _numbers(ends, 2) or not ends[0] < ends[1]:
        raise ValueError(f"{form} takes [a, b] with a < b, not {ends!r}")
    if form == "loguniform" and ends[0] <= 0:
        raise ValueError(f"loguniform needs ends above 0, not {ends!r}")
    return Span(name, float(ends[0]), float(ends[1]), form == "loguniform")


def _numbers(ends: Any, count: int) -> bool:
    return (
        isinstance(ends, list)
        and len(ends) == count
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in ends)
        and all(math.isfinite(x) for x in ends)
    )


def label(*points: Point) -> str:
    """A point in few words, such as `depth=3 size=512`; of several their ends, as `size=32…512`."""
    names = list(points[0])
    short = [name.split(".", 1)[1] for name in names]
    shown = short if len(set(short)) == len(short) else names
    return " ".join(
        f"{word}={_ends([point[name] for point in points])}"
        for word, name in zip(shown, names, strict=True)
    )


def _ends(values: list[Any]) -> str:
    numbers = all(isinstance(value, int | float) for value in values)
    first, last = (min(values), max(values)) if numbers else (values[0], values[-1])
    return _word(first) if first == last else f"{_word(first)}…{_word(last)}"


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_word(item)}" for key, item in value.items()) + "}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
