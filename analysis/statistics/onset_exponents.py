"""How every onset grows with every setting that varies: exponents over seeds.

Where τ ∝ x^a, log τ rises with slope a on log x; of the depth L the slope is per level. Slopes are
fitted within cells that differ in nothing else, censored onsets by a normal
accelerated-failure-time model, seeds jackknifed; see `onset_slopes` and `censored`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.frames.cells import distinguishing, symbol, title
from analysis.statistics.onset_slopes import (
    OnsetSlope,
    equal_but,
    fitted,
    learners,
    log_onsets,
    onset_frame,
)
from analysis.statistics.onsets import GENERALIZATION, LOSS, MEMORIZATION, PARTIAL

ONSETS = {
    "τ_mem": (MEMORIZATION, None),
    "τ_partial": (PARTIAL, None),
    "τ_gen": (GENERALIZATION, None),
    "τ_gen by loss": (LOSS, None),
    "τ_mem/τ_gen": (MEMORIZATION, GENERALIZATION),
}
"""What is called so -> the onset, and the one that it is a multiple of."""

FIELDS = (
    "corpus.size", "network.width", "grammar.vocab_size", "grammar.num_synonyms", "grammar.depth",
)  # fmt: skip
"""The settings whose exponents are of interest, where they vary."""

BY_LEVEL = ("grammar.depth",)
"""The settings whose slope is per unit, not per logarithm."""

COLUMNS = [
    "onset", "setting", "field", "exponent", "lower", "upper", "seeds", "trainings", "note",
]  # fmt: skip


def onset_exponents(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The exponent of every onset in every setting of `FIELDS` that varies.

    Returns:
        `COLUMNS`: the exponent (missing where too few onsets are known) with its 95 % interval over
        `seeds`, from so many `trainings`; `note` says how many onsets are censored.
    """
    trainings = tables["trainings"]
    fields = [name for name in FIELDS if name in distinguishing(trainings)]
    left_out = learners(tables) if fields else None
    rows = []
    for name, (onset, since) in ONSETS.items() if fields else ():
        bounds = log_onsets(tables, onset, since)
        reason = left_out if onset == MEMORIZATION else None
        for field in fields:
            found = _slope(trainings, bounds, field, reason)
            estimate, tested = found.estimate, found.tested
            rows.append(
                (name, symbol(field), field, *estimate, len(tested), found.how if len(tested) else
                 "no onset is known for two values of it")
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=COLUMNS)
    numbers = dict.fromkeys(("exponent", "lower", "upper"), "float64")
    return table.astype({**numbers, "seeds": "int64", "trainings": "int64"})


def _slope(
    trainings: pd.DataFrame, bounds: pd.DataFrame, field: str, left_out: pd.Series | None
) -> OnsetSlope:
    values = trainings[field].astype(float)
    frame = onset_frame(
        trainings,
        bounds,
        values if field in BY_LEVEL else values.map(np.log),
        equal_but(trainings, [field]),
        alone=f"no other cell differs in {title(field)} alone",
        left_out=left_out,
    )
    return fitted(frame)
