"""The table of all claims: one row each, its effect drawn around what it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.claims.outcomes import Outcome
from analysis.claims.verdicts import NOT_TESTED
from analysis.frames.wording import DASH, decimals, interval
from analysis.report.words import p_value
from analysis.statistics.differences import difference
from analysis.statistics.seeds import Estimate

REACH = 0.9
"""The far end of an interval lies at such a share of the way from zero to the edge."""


@dataclass(frozen=True)
class Bar:
    """An interval on a scale of its own from -1 to 1; without ends where there is none."""

    mean: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Row:
    """A claim in the table.

    Attributes:
        id, name, statement, verdict: of the claim.
        tested: whether this sweep tests it.
        effect, p: with interval and adjusted by Holm, in words.
        bar: the effect as it is drawn; None where it is undefined.
        remedy: what would test or decide it; else empty.
    """

    id: str
    name: str
    statement: str
    verdict: str
    tested: bool
    effect: str
    p: str
    bar: Bar | None
    remedy: str


ROUNDING = 1e-9
"""What is no larger is zero but for rounding."""


def verdict_rows(claims: Sequence[Outcome]) -> list[Row]:
    """One row per claim, in the same order."""
    return [_row(one) for one in claims]


def _row(one: Outcome) -> Row:
    result, p = one.result, one.p_adjusted
    return Row(
        id=one.claim.id,
        name=one.claim.name,
        statement=one.claim.statement,
        verdict=result.verdict,
        tested=result.verdict != NOT_TESTED,
        effect=_effect(result.estimate),
        p=DASH if p is None else p_value(p),
        bar=bar(result.estimate, one.claim.expected),
        remedy=result.remedy,
    )


def _effect(estimate: Estimate) -> str:
    ends = estimate[:3]
    return interval(*ends, digits=decimals(*ends))


def bar(estimate: Estimate, around: float = 0.0) -> Bar | None:
    """An effect around what it is held against, which is zero for most claims.

    Effects have units of their own, so every bar has its own scale.
    """
    if estimate.mean is None:
        return None
    mean = estimate.mean - around
    lower, upper = (None if x is None else x - around for x in (estimate.lower, estimate.upper))
    ends = [abs(x) for x in (mean, lower, upper) if x is not None]
    scale = REACH / max(ends) if max(ends) > ROUNDING else 0.0
    scaled = (None if x is None else x * scale for x in (lower, upper))
    return Bar(mean * scale, *scaled)


@dataclass(frozen=True)
class Compared:
    """A claim in the table of two sweeps.

    Attributes:
        sides: its row in each.
        difference: second less first, with its interval, in words.
        bar: the difference as it is drawn; None where it is undefined.
    """

    sides: tuple[Row, ...]
    difference: str
    bar: Bar | None


def compared_rows(sides: Sequence[Sequence[Outcome]]) -> list[Compared]:
    """One row per claim of two sweeps."""
    rows = []
    for first, second in zip(*sides, strict=True):
        between = difference(first.result.estimate, second.result.estimate)
        both = _row(first), _row(second)
        rows.append(Compared(both, _effect(between), bar(between)))
    return rows
