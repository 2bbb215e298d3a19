"""The corpus size from which the rules of a level are learned, against N*_l = v·m^(L-l+1).

[Favero 2025a] gives the number of strings from which a table is learned as an order of magnitude,
for levels that count from the leaves; the conversion to levels from the root is ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.statistics.matching import alike
from analysis.statistics.onsets import NONE, first_crossings
from analysis.statistics.slopes import SIZE, labels, slopes
from analysis.statistics.uncopied_validity import uncopied_validity

MAGNITUDE = 0.5
"""log10(N/N*_l) within so much of zero is of the order of magnitude of N*_l, and of no other."""

NARROW = "N does not span N*_l by half a power of ten on both sides"

RULES = ("grammar.depth", "grammar.vocab_size", "grammar.num_synonyms")
VOCABULARY = ("grammar.vocab_size", "grammar.num_classes")
SYNONYMS = ("grammar.num_synonyms",)


def enough_strings(trainings: pd.DataFrame, level: pd.Series | int) -> pd.Series:
    """N*_l = v·m^(L-l+1).

    Args:
        trainings: rows with the fields of `RULES`.
        level: l, for every row.
    """
    depth, vocabulary, synonyms = (trainings[name].astype(float) for name in RULES)
    return vocabulary * synonyms ** (depth - level + 1)


def spans(smallest: pd.Series, largest: pd.Series, enough: pd.Series) -> pd.Series:
    """Whether corpora reach so far to both sides of N*_l that they tell its order of magnitude.

    Then every outcome is decided: an N beyond the smallest or the largest corpus is known to be of
    another order of magnitude.
    """
    reach = 10**MAGNITUDE
    return (smallest * reach <= enough) & (largest >= enough * reach)


def learned_sizes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The N at which the rules of each level are learned by the end of training, per seed.

    Learned: conditional validity of the strings that are no copies, at the last step at which it
    is defined, is half the way from chance to 1; between corpus sizes linearly in log N.

    Which levels take part is decided by the corpus sizes alone, see `spans`: whatever depended on
    where N turns out to be would draw it there. Where it lies beyond the smallest or largest
    corpus, the position of that one stands for it, which errs towards N*_l.

    Returns:
        One row per (settings other than N, seed, level): `cell` (these settings), `seed`, `level`,
        `position` (log10 of N over N*_l, missing where left out), `bound` (whether it is one),
        `log_size` (log N, missing where not known in every seed), `weight` (L-l+1), the fields of
        `RULES`, `by_vocabulary` and `by_synonyms` (numbers of the groups that differ in v, or m,
        alone) and `left_out` (why, or missing).
    """
    trainings = tables["trainings"]
    frame = trainings.assign(
        curve=alike(trainings, but=SIZE),
        row=labels(trainings, but=SIZE),
        by_vocabulary=alike(trainings, but=(*SIZE, *VOCABULARY)),
        by_synonyms=alike(trainings, but=(*SIZE, *SYNONYMS)),
    )
    named = ["seed", "row", *RULES, "by_vocabulary", "by_synonyms"]
    settings = frame.drop_duplicates("curve").set_index("curve")[named]
    found = _crossings(tables, frame).join(settings, on="curve").rename(columns={"row": "cell"})
    enough = enough_strings(found, found["level"])
    tested = spans(found["smallest"], found["largest"], enough)
    end = found["step"].fillna(found["by"]).fillna(found["after"])
    known = found["censoring"] == NONE
    everywhere = known.groupby([found["cell"], found["level"]]).transform("all")
    columns = ["cell", "seed", "level", *RULES, "by_vocabulary", "by_synonyms"]
    return found[columns].assign(
        position=(end / enough).map(np.log10).where(tested),
        bound=tested & ~known,
        log_size=_log(end.where(tested & everywhere)),
        weight=found["grammar.depth"] - found["level"] + 1,
        left_out=pd.Series(NARROW, index=found.index, dtype=object).mask(tested, None),
    )


def positions(sizes: pd.DataFrame) -> pd.Series:
    """By seed the mean of log10(N/N*_l) over levels and settings."""
    return sizes.groupby("seed")["position"].mean().dropna()


def vocabulary_slopes(sizes: pd.DataFrame) -> pd.Series:
    """By seed the slope of log N on log v at equal level and otherwise equal settings: 1."""
    return _slopes(sizes, "by_vocabulary", _log(sizes["grammar.vocab_size"]))


def synonym_slopes(sizes: pd.DataFrame) -> pd.Series:
    """By seed the slope of log N on (L-l+1)·log m at equal level and settings: 1.

    That is the exponent of m in units of the one that N*_l has at that level.
    """
    return _slopes(sizes, "by_synonyms", sizes["weight"] * _log(sizes["grammar.num_synonyms"]))


def _slopes(sizes: pd.DataFrame, others: str, x: pd.Series) -> pd.Series:
    group = sizes.groupby([others, "level"]).ngroup()
    points = {"seed": sizes["seed"], "group": group, "x": x, "y": sizes["log_size"]}
    return slopes(pd.DataFrame(points))


def _log(setting: pd.Series) -> pd.Series:
    return setting.astype(float).map(np.log)


def _crossings(tables: Mapping[str, pd.DataFrame], frame: pd.DataFrame) -> pd.DataFrame:
    """Per curve over N and level what `first_crossings` finds, N in the place of the step.

    Beside it `smallest` and `largest`, the N between which the curve is defined.
    """
    known = uncopied_validity(tables).dropna(subset="uncopied")
    known = known[known["chance_validity"] < 1]
    last = known.sort_values("step").drop_duplicates(["training", "level"], keep="last")
    chance = last["chance_validity"]
    points = last.assign(share=(last["uncopied"] - chance) / (1 - chance))
    points = points.merge(frame[["training", "curve", "corpus.size"]], on="training")
    points = points.drop(columns="step").rename(columns={"corpus.size": "step"})
    curve = ["curve", "level"]
    ends = points.groupby(curve)["step"].agg(smallest="min", largest="max")
    return first_crossings(points, by=curve, value="share", threshold=0.5).join(ends, on=curve)
