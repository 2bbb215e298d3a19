"""Parts of the sentence in which a claim says its result."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.claims.claim import Result
from analysis.claims.verdicts import INCONCLUSIVE, NOT_TESTED, Verdict
from analysis.frames.wording import counted, number
from analysis.statistics.seeds import Estimate


def said(
    result: Result,
    holds: Mapping[Verdict, str],
    numbers: str,
    undecided: str = "an interval does not exclude zero",
) -> str:
    """Verdict, what it means, the numbers, the seeds, and what would take it further.

    Args:
        result: of the claim.
        holds: what is said where it is supported, and where it is contradicted.
        numbers: the estimates, in words.
        undecided: what is said where intervals decide nothing.
    """
    if result.verdict == NOT_TESTED:
        return f"Not tested by this sweep. It would take {result.remedy}."
    single = result.estimate.lower is None
    otherwise = "a single seed has no interval" if single else undecided
    verdict = f"{result.verdict.capitalize()}: {holds.get(result.verdict, otherwise)}"
    more = f" It would take {result.remedy}." if result.remedy else ""
    return f"{verdict}; {numbers} ({counted(result.estimate.seeds, 'seed')}).{more}"


def estimated(name: str, estimate: Estimate, digits: int = 3) -> str:
    """`T_E = 0.077 (95 % interval 0.062, 0.091)`."""
    if estimate.mean is None:
        return f"{name} undefined"
    if estimate.lower is None:
        return f"{name} = {number(estimate.mean, digits)}"
    between = f"{number(estimate.lower, digits)}, {number(estimate.upper, digits)}"
    return f"{name} = {number(estimate.mean, digits)} (95 % interval {between})"


def basis(trainings: pd.DataFrame, noun: str = "training") -> str:
    """How many trainings were tested, and how many left out and why.

    Args:
        trainings: with `cell` and `left_out`, the reason, missing where there is none.
        noun: what a row is.
    """
    tested = trainings[trainings["left_out"].isna()]
    parts = [f"{counted(len(tested), noun)} in {counted(tested['cell'].nunique(), 'cell')}"]
    for reason, count in trainings["left_out"].value_counts().items():
        parts.append(f"{count} left out: {reason}")
    return "; ".join(parts)


def remedy(verdict: Verdict, estimate: Estimate, untested: str) -> str:
    """What would decide: more seeds, or, where nothing was tested, what the claim says."""
    if verdict == NOT_TESTED:
        return untested
    if verdict == INCONCLUSIVE:
        return "a second seed" if estimate.seeds < 2 else "more seeds"
    return ""
