"""Where novel validity V means anything, told from the configuration.

Tables written before V was null at κ > 0.25 hold a number there, so it is taken out as they are
read: what a figure shows does not depend on when its trainings ran.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from study.config import GrammarConfig
from study.measures.validity import tells_generalization, untold

FIELDS = ("depth", "vocab_size", "num_synonyms", "tuple_size", "num_classes")
"""Of the grammar, that decide its shape."""


def with_defined_validity(curves: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """The table `curves`, or some of its columns, with V missing where it means nothing."""
    if trainings.empty or "novel_validity" not in curves:
        return curves
    trainings = trainings[trainings["grammar.depth"].notna()]
    told = [tells_generalization(grammar.shape) for grammar in _grammars(trainings)]
    undefined = curves["training"].isin(trainings["training"][~np.array(told, dtype=bool)])
    return curves.assign(novel_validity=curves["novel_validity"].mask(undefined))


def untold_cells(trainings: pd.DataFrame) -> str | None:
    """In which cells generalization cannot be told, in a sentence; None where in none."""
    cells = trainings.drop_duplicates("cell")
    with_grammar = cells[cells["grammar.depth"].notna()]
    said = [untold([grammar.shape for grammar in _grammars(with_grammar)])]
    if lawless := len(cells) - len(with_grammar):
        said.append(
            f"in {lawless} of {len(cells)} cells strings have no grammar: whether they are valid "
            "or generalize, rules, probabilities and the place between the optima are undefined"
        )
    return "; ".join(part for part in said if part) or None


def _grammars(trainings: pd.DataFrame) -> list[GrammarConfig]:
    """The grammar of every training, as far as its shape goes; all must have one."""
    columns = [trainings[f"grammar.{name}"].astype(int).tolist() for name in FIELDS]
    return [_grammar(*values) for values in zip(*columns, strict=True)]


@lru_cache(maxsize=256)
def _grammar(*values: int) -> GrammarConfig:
    """Kept, because the trainings of a sweep share few grammars."""
    return GrammarConfig(**dict(zip(FIELDS, values, strict=True)))
