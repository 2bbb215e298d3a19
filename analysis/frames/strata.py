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


def why_single_by_cell(trainings: pd.DataFrame) -> dict[str, str]:
    """The same of every cell where it is so, for where its curve over typicality would be.

    Args:
        trainings: with `cell` and the dotted settings.
    """
    first = trainings.drop_duplicates("cell")
    zipf = first[[name for name in first.columns if name.startswith("grammar.zipf.")]]
    exponents = zipf.astype(float).fillna(0.0).to_numpy().tolist()
    with_grammar = first["grammar.depth"].notna()
    told = zip(first["cell"], with_grammar, exponents, first["corpus.control_size"], strict=True)
    reasons = {
        str(cell): why_single(own if grammar else None, int(controls))
        for cell, grammar, own, controls in told
    }
    return {cell: why for cell, why in reasons.items() if why is not None}


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
