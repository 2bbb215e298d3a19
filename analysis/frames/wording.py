"""Numbers, intervals and counts in sentences and tables of text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

DASH = "—"


def number(value: Any, digits: int = 2) -> str:
    """A number with a true minus sign, or a dash where it is undefined."""
    if value is None or value != value:
        return DASH
    rounded = round(float(value), digits) + 0.0  # adding 0 makes a negative zero positive
    return f"{rounded:.{digits}f}".replace("-", "−")


def interval(mean: Any, lower: Any, upper: Any, digits: int = 2) -> str:
    """`0.31 [0.25, 0.37]`, without brackets where there is no interval."""
    if mean is None or mean != mean:
        return DASH
    if lower is None or lower != lower:
        return number(mean, digits)
    return f"{number(mean, digits)} [{number(lower, digits)}, {number(upper, digits)}]"


def decimals(*values: Any, least: int = 3, most: int = 6) -> int:
    """Decimals that leave the largest of some numbers two significant digits, `least` at least.

    Numbers that are zero to `most` decimals, but for rounding, get no more than `least`.
    """
    known = [abs(float(value)) for value in values if value is not None and value == value]
    largest = max(known, default=0.0)
    return (
        least
        if largest < 10.0**-most
        else min(most, max(least, 1 - math.floor(math.log10(largest))))
    )


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    said = list(parts)
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def counted(count: int, noun: str) -> str:
    """`1 cell`, `3 cells`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def lasting(seconds: float) -> str:
    """`0.31 s`, `43 s`, `12 min`, `3.4 h`: two digits in the unit that fits."""
    units = {"h": 3600.0, "min": 60.0, "s": 1.0}
    unit = next((name for name, size in units.items() if seconds >= size), "s")
    amount = seconds / units[unit]
    return f"{amount:.0f} {unit}" if amount >= 10 else f"{amount:.2g} {unit}"
