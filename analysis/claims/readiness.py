"""Which claims a sweep can test, told before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.claims.needs import a_grammar
from analysis.claims.registry import claims
from analysis.claims.trials import Trials
from study.config import TrialConfig


@dataclass(frozen=True)
class Readiness:
    """What the settings of a sweep say about one claim.

    Attributes:
        id, statement: of the claim.
        lacks: what the sweep lacks and what to set, one sentence each; empty where it can be
            tested, as long as its trainings then show what the claim is about.
    """

    id: str
    statement: str
    lacks: tuple[str, ...]

    @property
    def testable(self) -> bool:
        """Whether nothing is lacking."""
        return not self.lacks


def readiness(trials: Sequence[TrialConfig]) -> tuple[Readiness, ...]:
    """Every registered claim, in order, on the trainings of a sweep.

    Of a claim on rules, where there are none, nothing else is told: to set it would not help.
    """
    trials = Trials(trials)
    without_rules = a_grammar(trials)
    found = []
    for claim in claims():
        lacks = claim.lacks(trials)
        lacks = [without_rules] if without_rules in lacks else lacks
        found.append(Readiness(claim.id, claim.statement, tuple(lacks)))
    return tuple(found)


def missing(found: Sequence[Readiness]) -> dict[str, list[str]]:
    """What is lacking -> the ids of the claims that need it, the most wanted first."""
    wanted: dict[str, list[str]] = {}
    for one in found:
        for lack in one.lacks:
            wanted.setdefault(lack, []).append(one.id)
    return dict(sorted(wanted.items(), key=lambda item: -len(item[1])))
