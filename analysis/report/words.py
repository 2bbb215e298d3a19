"""Sentences and cells of text of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.claims.outcomes import Outcome
from analysis.frames.validity import untold_cells
from analysis.frames.wording import DASH, counted, interval, listed, number
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

LEAST_P = 0.001
"""Smaller p-values are said to be smaller, no more."""

WHOLE = (MEMORIZATION, PARTIAL, GENERALIZATION, LOSS)


def onset(censoring: str, step: float, after: float, by: float) -> str:
    """A step, or the side on which it is censored."""
    if censoring == NONE:
        return f"{step:,.0f}"
    if censoring == RIGHT:
        return f"> {after:,.0f}"
    return f"≤ {by:,.0f}" if censoring == LEFT else DASH


def completeness(findings: Findings) -> str:
    """How much of the sweep this is."""
    counts = findings.counts
    finished = counts["finished"]
    total = max(sum(counts.values()), findings.expected or 0)
    others = [f"{n:,} {name}" for name, n in counts.items() if n and name != "finished"]
    if finished == total:
        sentence = f"All {counted(total, 'training')} are finished"
    else:
        sentence = f"{finished:,} of {counted(total, 'training')} are finished"
    return f"{sentence}; {listed(others)}." if others else f"{sentence}."


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


def method(one: Outcome) -> str:
    """What a claim's effect is, how its interval comes about, and the p-value beside it."""
    claim, p, adjusted = one.claim, one.result.judgement.p_value, one.p_adjusted
    said = f"{claim.quantity[:1].upper()}{claim.quantity[1:]}; {claim.method}."
    if p is None or adjusted is None:
        return said
    equals = "" if p < LEAST_P else "= "
    return f"{said} p {equals}{p_value(p)} ({p_value(adjusted)} by Holm over all claims here)."


def p_value(p: float) -> str:
    """`0.012`, `< 0.001`."""
    return f"< {LEAST_P:g}" if p < LEAST_P else number(p, 3)


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
