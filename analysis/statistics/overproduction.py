"""Overproduction: how often rules are generated against how often they should be, over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.frames.tables import columns_of, in_parts
from analysis.statistics.seeds import over_seeds, runs
from study.config.trial import GRAMMAR

RULE, PAIRS = "rule", "pairs"
"""What is ranked: rules, or without a grammar groups of pairs of neighbours."""

COLUMNS = ["level", "rank", "generated", "training_frequency", "true_frequency"]
"""The columns of `rules` that are needed, beside training and step."""


def overproduction_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """log2 of generated / max(p_l(k), f_D(k)) of every rule rank k and level l, over seeds.

    0 where a rule is as common among the generated nodes as in the grammar or in the training
    strings, whichever is more; undefined where it is never generated. Levels with uniform rules
    have no ranks that mean anything and are left out.

    Returns:
        `cell`, `level`, `rank`, `series` (`rule 1` is the commonest; without a grammar `pairs 1`,
        the commonest tenth of all pairs of neighbours), `step`, `mean`, `lower`, `upper`, `seeds`
        and `run`.
    """
    keys = ["cell", "level", "rank"]
    table = in_parts(tables, _over_seeds).sort_values([*keys, "step"], ignore_index=True)
    pairs = table["cell"].isin(_without_rules(tables["trainings"]))
    named = pairs.map({True: f"{PAIRS} ", False: f"{RULE} "})
    table["series"] = named + table["rank"].astype(str)
    return runs(table, by=keys)


def _over_seeds(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rules = at_zipf_levels(columns_of(tables, "rules", COLUMNS))
    expected = rules[["training_frequency", "true_frequency"]].max(axis=1)
    ratio = (rules["generated"] / expected).where(rules["generated"] > 0)
    cell = tables["trainings"].set_index("training")["cell"]
    frame = rules.assign(value=np.log2(ratio), cell=rules["training"].map(cell))
    return over_seeds(frame, by=["cell", "level", "rank", "step"])


def _without_rules(trainings: pd.DataFrame) -> pd.Series:
    """The cells whose strings come from no grammar."""
    if "corpus.source" not in trainings:
        return trainings["cell"].iloc[:0]
    return trainings.loc[trainings["corpus.source"] != GRAMMAR, "cell"]


def at_zipf_levels(rules: pd.DataFrame) -> pd.DataFrame:
    """The rows of `rules` of levels whose rules are not all equally probable."""
    return rules[~_uniform(rules)]


def _uniform(rules: pd.DataFrame) -> pd.Series:
    """Whether the row's level has equal rule probabilities in its training."""
    keys = ["training", "level"]
    true = rules.drop_duplicates([*keys, "rank"]).groupby(keys)["true_frequency"]
    spread = (true.max() - true.min()).rename("spread").reset_index()
    return rules[keys].merge(spread, on=keys, how="left")["spread"].set_axis(rules.index) < 1e-9
