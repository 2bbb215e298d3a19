"""Sentences and cells of text of a report."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from analysis.claims.outcomes import Outcome
from analysis.frames.strata import why_single_by_cell
from analysis.frames.validity import untold_cells
from analysis.frames.wording import DASH, counted, interval, listed, number
from analysis.report.findings import Findings
from analysis.statistics.generated_strings import STEPS, STRINGS
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

ALIKE = "their typicality hardly differs"
"""Why strings lie in one stratum where no setting says why."""

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
    if finished == total == 1:
        sentence = "The only training is finished"
    elif finished == total:
        sentence = f"All {counted(total, 'training')} are finished"
    else:
        sentence = f"{finished:,} of {counted(total, 'training')} are finished"
    return f"{sentence}; {listed(others)}." if others else f"{sentence}."


def region_rows(findings: Findings) -> list[dict[Hashable, Any]]:
    """How complete each region is; none where everything is finished, or nothing is planned."""
    table = findings.completeness
    if table is None or (table["finished"] == table["trainings"]).all():
        return []
    # A share just short of all is never said to be all.
    said = [f"{math.floor(100 * share + 1e-9)} %" for share in table["steps"]]
    return table.assign(said=said).to_dict("records")


def seeds(findings: Findings) -> str:
    """Cells and seeds behind the figures."""
    table = findings.summary
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


def lead(caption: str) -> str:
    """The first sentence of a caption."""
    return caption.partition(". ")[0].rstrip(".") + "."


def rest(caption: str) -> str:
    """What a caption says after its first sentence."""
    return caption.partition(". ")[2]


def exponent_rows(findings: Findings) -> list[dict[str, Any]]:
    """The table of exponents, as text."""
    return [
        {
            **{str(name): value for name, value in row.items()},
            "said": interval(row["exponent"], row["lower"], row["upper"]),
        }
        for row in findings.exponents.to_dict("records")
    ]


def difference_rows(findings: Findings) -> list[dict[str, str]]:
    """The table of differences between cells, as text."""
    return [
        {
            "pair": str(row["pair"]),
            "step": f"{row['step']:,}",
            "parameter": str(row["parameter"]),
            "first": number(row["first"], 3),
            "second": number(row["second"], 3),
            "difference": interval(row["mean"], row["lower"], row["upper"], 3),
            "seeds": str(row["seeds"]),
            "at": _sorted_by(row["mean"]),
            "clear": "clear" if row["lower"] > 0 or row["upper"] < 0 else "",
        }
        for row in findings.differences.to_dict("records")
    ]


def censored_said(findings: Findings, shown: Sequence[Mapping[str, str]]) -> str:
    """How many onsets are censored, and whether all of them are named."""
    onsets = findings.onsets
    whole = onsets["level"].isna() | (onsets["onset"] == PARTIAL)
    every = int((whole & onsets["censoring"].isin([LEFT, RIGHT])).sum())
    of = f"; the first {len(shown):,} by name" if every > len(shown) else " by name"
    return f"{counted(every, 'censored onset')}{of}"


def strings_said(findings: Findings) -> str:
    """Which strings a page shows."""
    shown, cells = len(findings.generated), len(findings.cells)
    of = "every cell" if shown == cells else f"{shown:,} of {counted(cells, 'cell')}, evenly spread"
    return (
        f"The first {STRINGS} strings of {of}, each of one seed, at {STEPS} steps at most. Marked "
        "are substrings that occur in training strings and in no control, at any aligned place: "
        f"the largest of each. {_chosen_said(findings)}"
    )


def _chosen_said(findings: Findings) -> str:
    """What is shown of a string that is chosen."""
    kinds = {(one.grammar is not None, one.greys is not None) for one in findings.generated}
    said = []
    if any(grammar for grammar, _ in kinds):
        said.append("Choose a string to see how it is derived; × does not parse.")
    if any(image for _, image in kinds):
        said.append("Images are drawn as images; choose one to see it larger, its parts framed.")
    if (False, False) in kinds:
        said.append("Strings of no known grammar have no derivation; their leaves are shown.")
    return " ".join(said)


def strata_notes(findings: Findings) -> dict[str, str]:
    """Cell -> why its curve over typicality is a single point, where it is, and what to set."""
    strata = findings.typicality.groupby("cell", sort=False, observed=True)["bin"].nunique()
    alone = set(findings.cells) - set(strata.index[strata > 1].astype(str))
    reasons = why_single_by_cell(findings.trainings)
    return {
        cell: f"All strings of this cell lie in one stratum: {reasons.get(cell, ALIKE)}."
        for cell in findings.cells
        if cell in alone
    }


def cells_caption(findings: Findings) -> str:
    """What the table of cells holds."""
    table = findings.summary
    levels = sorted(int(level) for level in table["partial_level"].dropna().unique())
    level = f"level {listed(map(str, levels))}" if levels else "the smallest level ≥ 1"
    alone = (
        " Of a single seed: ±1.96 standard errors within its training."
        if (table["seeds"] == 1).any()
        else ""
    )
    return (
        f"At the last measured step: means over seeds with 95 % t intervals; λ of {level}.{alone} "
        "Onsets: median step over seeds; “>” had not come by that step, “≤” had come before it."
    )


def summary_rows(findings: Findings) -> list[dict[str, Any]]:
    """The table of cells, as text, with what its columns are sorted by."""
    onsets = {
        (row["cell"], row["onset"]): row
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
                "order": "" if row["regime"] is None else REGIMES.index(row["regime"]),
                "share": "" if row["share"] is None else f"{row['share']:.0%}",
                "runner_up": row["runner_up"],
                "seeds": row["seeds"],
                "step": f"{step} …" if row["provisional"] else step,
                "at_step": row["step"],
                "numbers": [
                    *(
                        {"said": _with_interval(row, name), "at": _sorted_by(row[name])}
                        for name in ("excess_copies", "partial_memorization", "novel_validity")
                    ),
                    *(_onset_cell(onsets.get((row["cell"], name))) for name in COLUMN_ORDER),
                ],
            }
        )
    return rows


COLUMN_ORDER = (GENERALIZATION, LOSS, PARTIAL, MEMORIZATION)


def _onset_cell(row: Mapping[Any, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"said": DASH, "at": ""}
    known = [row[name] for name in ("step", "after", "by") if row[name] == row[name]]
    said = onset(row["censoring"], row["step"], row["after"], row["by"])
    return {"said": said, "at": _sorted_by(known[0] if known else None)}


def _sorted_by(value: Any) -> str:
    return "" if value is None or value != value else f"{value:.6g}"


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    return interval(row[name], row[f"{name}_lower"], row[f"{name}_upper"])
