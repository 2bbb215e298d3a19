"""Moments at which cells are compared: a step, equal epochs, equal compute, the best held-out loss.

A step is worth N strings' epochs and a network's operations, both proportional to it within a
cell, so equal epochs and equal compute pick another step in every cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.frames.cells import fields_of
from analysis.frames.grammars import config_of
from analysis.statistics.sample_complexity import RULES, enough_strings
from study.config import ConfigError
from study.models.kinds import kind_of

FLOP_PER_MAC, BACKWARD = 2, 3
"""Forward and backward of a matrix product take three times the operations of forward alone."""


def worth_of_a_step(trainings: pd.DataFrame) -> pd.DataFrame:
    """What one optimizer step is worth in each cell.

    Returns:
        `cell`, `epochs` (passes through the training strings per step), `flop` (floating-point
        operations per step; missing for a network that is not known here) and `enough` (N*_0, the
        strings from which all rules are learned [Favero 2025a], missing without a grammar).
    """
    first = trainings.drop_duplicates("cell").reset_index(drop=True)
    known = first[[*RULES]].notna().all(axis=1)
    return pd.DataFrame(
        {
            "cell": first["cell"],
            "epochs": first["training.batch_size"] / first["corpus.size"].astype(float),
            "flop": _flop_of_each(first),
            "enough": enough_strings(first, 0).where(known),
        }
    )


def best_steps(curves: pd.DataFrame) -> pd.Series:
    """By cell the step with the least held-out loss, among those with generated strings.

    Args:
        curves: from `curves_table`.
    """
    generated = curves.loc[curves["series"] == "excess copies E", ["cell", "step"]]
    losses = curves[(curves["panel"] == "loss") & (curves["series"] == "controls")]
    known = losses.merge(generated, on=["cell", "step"])
    best = known.sort_values(["mean", "step"]).drop_duplicates("cell")
    return best.set_index("cell")["step"]


def _settings(trainings: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The dotted fields of every training."""
    fields = fields_of(trainings)
    for values in zip(*(trainings[name].tolist() for name in fields), strict=True):
        yield dict(zip(fields, values, strict=True))


OF_NO_STEP = ("corpus.size", "corpus.control_size", "corpus.seed", "grammar.seed")
"""The fields that change no product of a training step."""


def _flop_of_each(trainings: pd.DataFrame) -> pd.Series:
    """The operations of a step of every training, worked out once for equal networks."""
    named = trainings[[name for name in fields_of(trainings) if name not in OF_NO_STEP]]
    network = named.groupby(list(named), dropna=False, sort=False).ngroup()
    different = ~network.duplicated()
    found = [_flop(row) for row in _settings(trainings[different])]
    return network.map(dict(zip(network[different], found, strict=True)))


def _flop(row: Mapping[str, Any]) -> float:
    try:
        config = config_of(row)
        macs = kind_of(config).forward_macs(config)
    except (ConfigError, ValueError):
        return np.nan
    return BACKWARD * FLOP_PER_MAC * macs * config.training.batch_size * config.training.noisings
