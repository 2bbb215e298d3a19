"""Memorization by each level's part of the typicality: log p(x) = -log n + Σ_l log p_l(x).

The tables hold the slopes T_E and T_L of every level; the curves behind them are worked out here
from the tables of single strings, with the definitions and guarantees of the table `typicality`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.frames.generated import generated
from analysis.statistics.single_strings import by_step
from analysis.statistics.typicality import READINGS, typicality_table
from study.corpus import Scores, Strata
from study.measures.memorized import LARGEST_P, excess_share, null_rate, p_values

COLUMNS = [
    "training", "level", "reading", "step", "stratum", "n_training", "mean_log_p", *READINGS,
]  # fmt: skip


def level_typicality_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`typicality_table` of every level whose rules differ in probability.

    Returns:
        Its columns and `level`; `log_p` is the level's part of log p, in nats.
    """
    trainings = tables["trainings"]
    found = [
        typicality_table({"trainings": trainings, "typicality": own}).assign(
            level=int(own["level"].iloc[0])
        )
        for _, own in level_strata(tables).groupby(["level", "reading"])
    ]
    order = ["cell", "level", "reading", "step", "bin"]
    if not found:
        return pd.DataFrame(columns=[*order, "log_p", "mean", "lower", "upper", "seeds"])
    return pd.concat(found).sort_values(order, ignore_index=True)


def level_strata(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Strata of every training by one level's part of log p, at every step.

    Emission is read from all strings of a corpus, likelihood from those whose loss is followed, and
    each reading has strata of its own.

    Returns:
        `training`, `level`, `reading`, `step`, `stratum` (0: most typical), `n_training`,
        `mean_log_p`, and the columns of `READINGS`, of which the reading's own is defined.
    """
    losses = dict(iter(tables["likelihood"].groupby("training")))
    copies = dict(iter(tables["emissions"].groupby("training")))
    steps = generated(tables["curves"]).groupby("training")["step"].unique()
    count = tables["trainings"].set_index("training")["measurement.generated"]
    rows = []
    for training, strings in tables["strings"].groupby("training"):
        readings = []
        if training in losses:
            readings += _likelihood(strings, losses[training])
        if training in steps.index:
            own = copies.get(training, tables["emissions"].head(0))
            readings += _emission(strings, own, steps[training], int(count[training]))
        rows += [reading.assign(training=training) for reading in readings]
    return pd.concat(rows)[COLUMNS] if rows else pd.DataFrame(columns=COLUMNS)


@dataclass(frozen=True)
class Stratified:
    """Strings in the strata of one level's part of log p.

    level     the level
    strings   (n,) the strings
    training  (n,) whether they are training strings
    members   (n, S) whether a string is in a stratum, the most typical one first
    log_p     (S,) mean part of the level, nats
    ratio     (S,) probability of a stratum's training strings over that of its controls
    """

    level: int
    strings: pd.Index
    training: NDArray[np.bool_]
    members: NDArray[np.bool_]
    log_p: NDArray[np.float64]
    ratio: NDArray[np.float64]

    @classmethod
    def by_level(cls, strings: pd.DataFrame) -> Iterator[Stratified]:
        """The levels at which strings, by their number, fall into more than one stratum."""
        training = (strings["side"] == "training").to_numpy()
        parts = np.array(strings["log_p_by_level"].tolist(), dtype=float)
        log_p = strings["log_p"].to_numpy(dtype=float)
        # A string that a corpus holds several times has its mass, and its emissions, but once.
        repeated = strings.assign(key=strings["tokens"].map(tuple)).duplicated(["side", "key"])
        distinct = ~repeated.to_numpy()
        for level, part in enumerate(parts.T):
            sides = [
                Scores(
                    score=part[own],
                    counted=np.ones(own.sum(), dtype=bool),
                    distinct=distinct[own],
                    log_mass=log_p[own],
                )
                for own in (training, ~training)
            ]
            strata = Strata.of(*sides)
            if len(strata) == 1:
                continue
            stratum = np.empty(len(part), dtype=np.int64)
            stratum[training] = strata.training_stratum
            stratum[~training] = strata.control_stratum
            members = stratum[:, None] == np.arange(len(strata))
            mean = part @ members / members.sum(0)
            yield cls(level, strings.index, training, members, mean, strata.mass_ratio)

    def side(self, *, training: bool) -> NDArray[np.float64]:
        """(n, S): 1 for the strings of one side in their stratum."""
        return (self.members & (self.training == training)[:, None]).astype(float)

    def rows(
        self, steps: NDArray[np.int64], name: str, values: NDArray[np.float64]
    ) -> pd.DataFrame:
        """One row per step and stratum of a reading, from its values (steps, S)."""
        number = np.arange(len(self.log_p))
        table = pd.DataFrame(
            {
                "step": np.repeat(steps, len(number)),
                "stratum": np.tile(number, len(steps)),
                "n_training": np.tile(self.side(training=True).sum(0).astype(int), len(steps)),
                "mean_log_p": np.tile(self.log_p, len(steps)),
                **dict.fromkeys(READINGS, np.nan),
            }
        )
        return table.assign(level=self.level, reading=READINGS[name], **{name: values.ravel()})


def _counted(strings: pd.DataFrame) -> pd.DataFrame:
    """The strings that are on one side only, by their number, rising."""
    return strings[strings["stratum"].notna()].set_index("string").sort_index()


def _likelihood(strings: pd.DataFrame, losses: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The excess share of memorized strings, conformal within the strata of every level."""
    counted = _counted(strings)
    followed = counted.loc[counted.index.isin(losses["string"])]
    steps = np.unique(losses["step"])
    values = by_step(losses, "loss", steps, followed.index.to_numpy())
    for found in Stratified.by_level(followed):
        sides = [found.members & side[:, None] for side in (found.training, ~found.training)]
        excess = [
            [_memorized_excess(row[own], row[others]) for row in values]
            for own, others in zip(sides[0].T, sides[1].T, strict=True)
        ]
        yield found.rows(steps, "memorized_excess", np.array(excess).T)


def _memorized_excess(training: NDArray[np.float64], control: NDArray[np.float64]) -> float:
    rate = null_rate(len(control))
    flagged = float((p_values(training, control) <= LARGEST_P).mean())
    return np.nan if rate is None else excess_share(flagged, rate)


def _emission(
    strings: pd.DataFrame, copies: pd.DataFrame, steps: NDArray[np.int64], generated: int
) -> Iterator[pd.DataFrame]:
    """The emission excess (c_Db - ρ_b·c_Cb)/(n_Db/N) in the strata of every level.

    Strings that a corpus holds on both sides count for neither: divided by the share of training
    strings that count, a perfect memorizer shows 1 there too.
    """
    counted = _counted(strings)
    exclusive = (counted["side"] == "training").sum() / (strings["side"] == "training").sum()
    emitted = np.nan_to_num(by_step(copies, "count", steps, counted.index.to_numpy()))
    share = emitted / (generated * exclusive)
    for found in Stratified.by_level(counted):
        training, control = found.side(training=True), found.side(training=False)
        weight = training.sum(0) / training.sum()
        excess = (share @ training - found.ratio * (share @ control)) / weight
        yield found.rows(steps, "emission_excess", excess)
