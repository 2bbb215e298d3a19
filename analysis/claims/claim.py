"""What a claim is, and what a sweep says about one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.verdicts import Judgement, Verdict
from analysis.statistics.seeds import Estimate
from study.config import TrialConfig

Need = Callable[[Sequence[TrialConfig]], str | None]
"""The trainings of a sweep -> what they lack and what to set; None where they lack nothing."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a sweep says about one claim; a claim with more to tell has a subclass.

    Attributes:
        estimate: the effect, its 95 % interval, where defined, and how many seeds have a value; the
            seed is the unit of replication.
        judgement: verdict and p-value.
        basis: which trainings the numbers come from, and which were left out and why.
        remedy: what would test it, where this sweep does not decide; else empty.
        frames: name -> the numbers behind it.
    """

    estimate: Estimate
    judgement: Judgement
    basis: str
    remedy: str = ""
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Supported, contradicted, inconclusive, or not tested by this sweep."""
        return self.judgement.verdict


R = TypeVar("R", bound=Result)
ID = re.compile(r"([A-Z]+)(\d+)([a-z]*)")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Claim(Generic[R]):
    """A published claim and how it is tested on a sweep.

    Attributes:
        id: letters, a number and perhaps a letter, such as `C1`; claims are ordered by it.
        name: of its files, lower case with hyphens, such as `typical-first`.
        statement, source: the claim and who made it.
        quantity: what the effect measures.
        method: how the effect and its interval come about.
        expected: the value that the effect is held against: the claim says that it lies above it,
            below it or, within a band, at it.
        needs: what a sweep must have, by which one can tell before it is run.
        test: tables -> result; pure.
        sentence: result -> what the sweep says, in one sentence with its numbers.
        figure: result -> what shows it; None where there is nothing to show.

    Raises:
        ValueError: when `id` or `name` is not of that form.
    """

    id: str
    name: str
    statement: str
    source: str
    quantity: str
    method: str
    expected: float = 0.0
    needs: Sequence[Need] = ()
    test: Callable[[Mapping[str, pd.DataFrame]], R]
    sentence: Callable[[R], str]
    figure: Callable[[R], Figure | None]

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise ValueError(f"the id of a claim is like 'C1' or 'C9b', not {self.id!r}")
        if not NAME.fullmatch(self.name):
            raise ValueError(f"the name of a claim is like 'typical-first', not {self.name!r}")

    @property
    def rank(self) -> tuple[str, int, str]:
        """Where it stands among others: C2 before C16."""
        letters, number, part = ID.fullmatch(self.id).groups()  # type: ignore[union-attr]
        return letters, int(number), part

    def lacks(self, trials: Sequence[TrialConfig]) -> list[str]:
        """What a sweep of these trainings lacks for a test of the claim; empty if nothing."""
        return [lack for need in self.needs if (lack := need(trials)) is not None]
