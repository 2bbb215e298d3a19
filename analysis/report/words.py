"""Sentences and cells of text of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from analysis.claims.claims import Claim, OutlierFirst, TypicalFirst, Verdict
from analysis.frames.validity import untold_cells
from analysis.report.findings import Findings
from analysis.statistics.onsets import (
    GENERALIZATION,
    LEFT,
    LOSS,
    MEMORIZATION,
    NONE,
    PARTIAL,
    RIGHT,
)
from analysis.statistics.regimes import REGIMES
from analysis.statistics.seeds import Estimate

DASH = "—"
WHOLE = (MEMORIZATION, PARTIAL, GENERALIZATION, LOSS)


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


def onset(censoring: str, step: float, after: float, by: float) -> str:
    """A step, or the side on which it is censored."""
    if censoring == NONE:
        return f"{step:,.0f}"
    if censoring == RIGHT:
        return f"> {after:,.0f}"
    return f"≤ {by:,.0f}" if censoring == LEFT else DASH


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    said = list(parts)
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def counted(count: int, noun: str) -> str:
    """`1 cell`, `3 cells`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def completeness(findings: Findings) -> str:
    """How much of the sweep this is."""
    counts = findings.counts
    finished = counts["finished"]
    total = max(sum(counts.values()), findings.expected or 0)
    others = [f"{n:,} {_called(name)}" for name, n in counts.items() if n and name != "finished"]
    if finished == total:
        sentence = f"All {counted(total, 'training')} are finished"
    else:
        sentence = f"{finished:,} of {counted(total, 'training')} are finished"
    return f"{sentence}; {listed(others)}." if others else f"{sentence}."


def _called(state: str) -> str:
    return {"running": "unfinished"}.get(state, state)


def seeds(findings: Findings) -> str:
    """Cells and seeds behind the figures."""
    table = findings.phase.cells
    low, high = int(table["seeds"].min()), int(table["seeds"].max())
    each = str(low) if low == high else f"{low} to {high}"
    plural = "seed" if each == "1" else "seeds"
    return f"{counted(len(table), 'cell')} with {each} {plural} each"


def headline(findings: Findings) -> str:
    """What the cells do at their last measured step."""
    counts = findings.phase.cells["regime"].value_counts()
    verbs = {
        "memorizing": "memorize",
        "slop": "memorize in parts (slop)",
        "generalizing": "generalize",
        "underfit": "underfit",
    }
    said = [f"{counts[name]} {verbs[name]}" for name in reversed(REGIMES) if counts.get(name, 0)]
    undefined = len(findings.phase.cells) - int(counts.sum())
    if undefined:
        said.append(f"{undefined} cannot be told")
    total = counted(len(findings.phase.cells), "cell")
    sentence = (
        f"Of {total}, by the majority of the seeds at the last measured step, {listed(said)}."
    )
    untold = untold_cells(findings.trainings)
    return f"{sentence} {untold[0].upper()}{untold[1:]}." if untold else sentence


def claim_sentences(findings: Findings) -> dict[str, str]:
    """Claim -> what the sweep says about it, in one sentence with its intervals."""
    return {
        findings.typical_first.claim.id: typical_first(findings.typical_first),
        findings.outlier_first.claim.id: outlier_first(findings.outlier_first),
    }


def typical_first(found: TypicalFirst) -> str:
    """C1 in one sentence."""
    claim = found.claim
    slope = _estimate("T", Estimate(claim.effect, claim.lower, claim.upper, claim.seeds))
    relative = _estimate("A = T/E", found.relative)
    return _said(
        claim,
        {
            "supported": "while copying sets in, typical strings are copied before atypical",
            "contradicted": "while copying sets in, atypical strings are copied first",
        },
        f"{slope}, {relative}",
    )


def outlier_first(found: OutlierFirst) -> str:
    """C16 in one sentence."""
    slopes = f"{_estimate('T', found.copying)}, {_estimate('T_L', found.likelihood)}"
    return _said(
        found.claim,
        {
            "supported": (
                "the same trainings copy typical strings first, while by likelihood they know "
                "atypical strings first"
            ),
            "contradicted": "one of the two slopes has the other sign",
        },
        f"{slopes}; both signs in {found.both:,} of {counted(found.paired, 'training')}",
    )


def _said(claim: Claim, holds: Mapping[Verdict, str], numbers: str) -> str:
    if claim.effect is None:
        return f"Not tested by this sweep. It would take {claim.remedy}."
    single = "a single seed has no interval"
    undecided = single if claim.lower is None else "an interval does not exclude zero"
    verdict = f"{claim.verdict.capitalize()}: {holds.get(claim.verdict, undecided)}"
    more = f" It would take {claim.remedy}." if claim.remedy else ""
    return f"{verdict}; {numbers} ({counted(claim.seeds, 'seed')}).{more}"


def _estimate(name: str, estimate: Estimate) -> str:
    if estimate.mean is None:
        return f"{name} undefined"
    if estimate.lower is None:
        return f"{name} = {number(estimate.mean, 3)}"
    between = f"{number(estimate.lower, 3)}, {number(estimate.upper, 3)}"
    return f"{name} = {number(estimate.mean, 3)} (95 % interval {between})"


def claim_effect(claim: Claim) -> str:
    """The effect with its interval for a table."""
    return interval(claim.effect, claim.lower, claim.upper, 3)


def summary_rows(findings: Findings) -> list[dict[str, Any]]:
    """The table of cells, as text."""
    steps = {
        (row["cell"], row["onset"]): onset(row["censoring"], row["step"], row["after"], row["by"])
        for row in findings.onsets_by_cell.to_dict("records")
        if row["onset"] in WHOLE
    }
    rows = []
    table = findings.summary.astype(object).where(findings.summary.notna(), None)
    for row in table.to_dict("records"):
        step = f"{row['step']:,}"
        rows.append(
            {
                "cell": row["cell"],
                "regime": row["regime"],
                "share": "" if row["share"] is None else f"{row['share']:.0%}",
                "runner_up": row["runner_up"],
                "seeds": row["seeds"],
                "step": f"{step} …" if row["provisional"] else step,
                "excess": _with_interval(row, "excess_copies"),
                "validity": _with_interval(row, "novel_validity"),
                **{name: steps.get((row["cell"], name), DASH) for name in WHOLE},
            }
        )
    return rows


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    return interval(row[name], row[f"{name}_lower"], row[f"{name}_upper"])
