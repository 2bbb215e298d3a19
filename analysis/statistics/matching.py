"""Trainings that differ in nothing but some settings."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from analysis.frames.cells import fields_of


def alike(trainings: pd.DataFrame, *, but: Collection[str]) -> pd.Series:
    """Number of the group of each training, equal for those that differ in some settings alone.

    Args:
        trainings: with `seed` and the dotted fields of the configuration.
        but: the fields that may differ; a missing value equals another one.
    """
    fields = ["seed", *(name for name in fields_of(trainings) if name not in but)]
    return trainings.groupby(fields, dropna=False, sort=False).ngroup()


def reverse_steps(trainings: pd.DataFrame) -> pd.Series:
    """Steps from noise to a generated string, all of the schedule where none are set."""
    whole = trainings["diffusion.num_timesteps"].astype(float)
    return pd.to_numeric(trainings["measurement.reverse_steps"]).astype(float).fillna(whole)
