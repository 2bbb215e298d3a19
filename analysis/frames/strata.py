"""Where memorization by typicality is a single point, and why, told from the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.frames.wording import counted
from study.config import TrialConfig
from study.measures.memorized import ONE_IN

NEEDED = 2 * (ONE_IN - 1)
"""Controls of two strata: one that has fewer than 19 cannot tell what is memorized."""

UNIFORM = "all rules are equally probable, so all strings are equally typical: set grammar.zipf"
FEW = (
    f"fewer than {NEEDED} controls make a single stratum: raise corpus.size or corpus.control_size"
)


def why_single(exponents: Iterable[float] | None, controls: int) -> str | None:
    """Why a corpus has one stratum, and what to set; None where it can have several.

    Args:
        exponents: Zipf exponents of the levels of its grammar, those that are set; None where it
            has no grammar, and strings differ in their score.
        controls: N_C.
    """
    if exponents is not None and not any(exponent > 0 for exponent in exponents):
        return UNIFORM
    return FEW if controls < NEEDED else None


def why_single_of(trial: TrialConfig) -> str | None:
    """The same of a training that need not have run."""
    exponents = None if trial.grammar is None else trial.grammar.zipf.values()
    return why_single(exponents, trial.control_size)


def why_single_in(trainings: pd.DataFrame, cell: str) -> str | None:
    """The same of a cell of a sweep, for where its curve over typicality would be.

    Args:
        trainings: with `cell` and the dotted settings.
        cell: one of its cells.
    """
    first = trainings[trainings["cell"] == cell].iloc[0]
    controls = int(first["corpus.control_size"])
    if pd.isna(first["grammar.depth"]):
        return why_single(None, controls)
    exponents = first[[name for name in first.index if str(name).startswith("grammar.zipf.")]]
    return why_single(exponents.dropna().astype(float), controls)


def single_stratum(cells: Sequence[TrialConfig]) -> str | None:
    """In how many cells of a sweep that is so, in a sentence; None where in none.

    Args:
        cells: one training of each.
    """
    reasons = [why for cell in cells if (why := why_single_of(cell)) is not None]
    if not reasons:
        return None
    first = max(dict.fromkeys(reasons), key=reasons.count)
    more = ", or fewer controls than two strata take" if len(set(reasons)) > 1 else ""
    where = f"{len(reasons):,} of {counted(len(cells), 'cell')}"
    return f"memorization by typicality is a single point in {where}: {first}{more}"
