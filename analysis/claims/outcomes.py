"""Claims put to the test on the tables of one sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.verdicts import holm
from analysis.frames.memory import hand_back


@dataclass(frozen=True)
class Outcome:
    """A claim and what a sweep says about it.

    Attributes:
        claim, result: both.
        p_adjusted: its p-value, by Holm's method over the claims that were tested with it.
    """

    claim: Claim[Any]
    result: Result
    p_adjusted: float | None

    @property
    def sentence(self) -> str:
        """What the sweep says, in words."""
        return self.claim.sentence(self.result)

    @property
    def figure(self) -> Figure | None:
        """What shows it, under the name of the claim."""
        drawn = self.claim.figure(self.result)
        return None if drawn is None else replace(drawn, name=self.claim.name)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The numbers behind it, under the name of the claim: `typical_first_trainings`."""
        prefix = self.claim.name.replace("-", "_")
        return {f"{prefix}_{name}": frame for name, frame in self.result.frames.items()}


def outcomes(
    tables: Mapping[str, pd.DataFrame], claims: Sequence[Claim[Any]]
) -> tuple[Outcome, ...]:
    """Every claim tested on the tables of a sweep, in the given order."""
    results = []
    for claim in claims:
        results.append(claim.test(tables))
        hand_back()  # what one claim read would add up with what the next one reads
    adjusted = holm([result.judgement.p_value for result in results])
    return tuple(map(Outcome, claims, results, adjusted))


def claims_table(claims: Sequence[Outcome]) -> pd.DataFrame:
    """One row per claim: what it says and what the sweep says about it; undefined is missing."""
    rows = [
        {
            "id": one.claim.id,
            "statement": one.claim.statement,
            "source": one.claim.source,
            "quantity": one.claim.quantity,
            "effect": one.result.estimate.mean,
            "lower": one.result.estimate.lower,
            "upper": one.result.estimate.upper,
            "seeds": one.result.estimate.seeds,
            "p_value": one.result.judgement.p_value,
            "p_holm": one.p_adjusted,
            "verdict": one.result.verdict,
            "basis": one.result.basis,
            "remedy": one.result.remedy,
        }
        for one in claims
    ]
    numbers = dict.fromkeys(("effect", "lower", "upper", "p_value", "p_holm"), "float64")
    return pd.DataFrame(rows).astype(numbers)
