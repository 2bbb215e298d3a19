"""Where novel validity V means anything, told from the configuration.

Tables written before V was null at κ > 0.25 hold a number there, so it is taken out as they are
read: what a figure shows does not depend on when its trainings ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from study.config import GrammarConfig
from study.measures.validity import tells_generalization, untold


def with_defined_validity(curves: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """The table `curves`, or some of its columns, with V missing where it means nothing."""
    if "novel_validity" not in curves:
        return curves
    told = [tells_generalization(_shape(row)) for row in trainings.to_dict("records")]
    undefined = curves["training"].isin(trainings["training"][~pd.Series(told, dtype=bool)])
    return curves.assign(novel_validity=curves["novel_validity"].mask(undefined))


def untold_cells(trainings: pd.DataFrame) -> str | None:
    """In which cells generalization cannot be told, in a sentence; None where in none."""
    cells = trainings.drop_duplicates("cell").to_dict("records")
    return untold([_shape(row) for row in cells])


def _shape(row: Mapping[Any, Any]) -> Any:
    fields = ("depth", "vocab_size", "num_synonyms", "tuple_size", "num_classes")
    return GrammarConfig(**{name: row[f"grammar.{name}"] for name in fields}).shape
