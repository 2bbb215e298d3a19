"""What repetitions of a statistic say: its mean, its spread, and whether both are as stated.

Some thirty statistics of expectation 0 are asked at once. Each is asked to lie within two standard
errors of its mean; of so many, a few do not by chance alone. So their number beyond two is asked to
lie in the 99 % interval of a binomial law of chance 0.0455, and none may be beyond three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm

Pair = tuple[float | None, float | None]
"""A statistic and its stated standard error."""

BAR = 2.0
"""Standard errors of the mean that a single statistic is asked for."""


@dataclass(frozen=True)
class Summary:
    """Repetitions of one statistic: its mean, the error of the mean, spread and stated error."""

    name: str
    repetitions: int
    mean: float
    error: float
    spread: float
    stated: float

    @classmethod
    def of(cls, name: str, pairs: Iterable[Pair]) -> Summary:
        values, errors = np.array(list(pairs), dtype=float).T
        spread = float(values.std(ddof=1))
        return cls(
            name,
            len(values),
            float(values.mean()),
            float(spread / np.sqrt(len(values))),
            spread,
            float(np.sqrt((errors**2).mean())),
        )

    @property
    def deviations(self) -> float:
        """The mean in units of its standard error."""
        return self.mean / self.error

    @property
    def ratio(self) -> float:
        """Stated error over spread."""
        return self.stated / self.spread


def summarised(repetitions: list[dict[str, Pair]]) -> list[Summary]:
    """Every statistic; one that is undefined in a repetition is left out there."""
    names = dict.fromkeys(name for found in repetitions for name in found)
    return [Summary.of(n, [found[n] for found in repetitions if n in found]) for n in names]


def beyond(summaries: list[Summary]) -> list[str]:
    """Which statistics lie beyond the bar."""
    return [s.name for s in summaries if abs(s.deviations) > BAR]


def most_beyond(count: int) -> int:
    """The upper end of the 99 % interval of how many of so many do, by chance."""
    return int(binom(count, 2 * norm.sf(BAR)).ppf(0.995))


def table(title: str, summaries: Iterable[Summary]) -> str:
    lines = [
        f"\n{title}\n",
        "| statistic | repetitions | mean | its error | deviations | spread | stated / spread |",
        "|---|---|---|---|---|---|---|",
    ]
    for s in summaries:
        lines.append(
            f"| {s.name} | {s.repetitions} | {s.mean:+.5f} | {s.error:.5f} | {s.deviations:+.2f} | "
            f"{s.spread:.5f} | {s.ratio:.3f} |"
        )
    return "\n".join(lines)


def readings(title: str, rows: list[Mapping[str, float]]) -> str:
    """The smallest and the largest value of every reading."""
    lines = [f"\n{title}\n", "| reading | smallest | largest |", "|---|---|---|"]
    for name in rows[0]:
        values = [row[name] for row in rows]
        lines.append(f"| {name} | {min(values):.4f} | {max(values):.4f} |")
    return "\n".join(lines)
