"""The natural scale of an axis: where sizes double and depths are counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sweeps.space.axes import Axis, Point


@dataclass(frozen=True)
class Scale:
    """One axis in the coordinates in which distances along it mean the same everywhere.

    Attributes:
        name: the setting that is counted; of coupled ones the first that is a number.
        is_log: whether it is counted in logarithms of base 2.
    """

    name: str
    is_log: bool

    @classmethod
    def of(cls, axis: Axis) -> Scale | None:
        """The scale of an axis; None where it goes through no different numbers.

        Logarithmic where the values are spaced more evenly in their logarithms; two values, where
        one is at least twice the other.
        """
        for name in axis.points[0]:
            values = [point[name] for point in axis.points]
            if all(_is_number(value) for value in values) and len(set(values)) == len(values):
                return cls(name, _is_log(sorted(values)))
        return None

    def __call__(self, point: Point) -> float:
        """The coordinate of a point."""
        value = float(point[self.name])
        return math.log2(value) if self.is_log else value

    def value(self, coordinate: float) -> float:
        """The setting at a coordinate; infinite ones stay so, below at 0 on logarithmic axes."""
        if not self.is_log:
            return coordinate
        return math.inf if coordinate > 1000 else 2.0**coordinate


def _is_log(rising: list[float]) -> bool:
    if rising[0] <= 0:
        return False
    if len(rising) < 3:
        return rising[-1] >= 2 * rising[0]
    even, log = ([b - a for a, b in pairwise(each)] for each in (rising, np.log(rising)))
    return float(np.std(log) / np.mean(log)) < float(np.std(even) / np.mean(even))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
