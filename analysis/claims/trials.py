"""The trainings of a sweep before any of them has run, as claims look at them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from study.config import TrialConfig


class Trials(tuple[TrialConfig, ...]):
    """Trainings whose settings are laid out once, however many claims ask for them."""

    @cached_property
    def settings(self) -> pd.DataFrame:
        """One row per training, a column for each dotted field; nobody changes it."""
        return pd.DataFrame([trial.flat() for trial in self])


def settings_of(trials: Sequence[TrialConfig]) -> pd.DataFrame:
    """`Trials.settings` of any trainings."""
    return (trials if isinstance(trials, Trials) else Trials(trials)).settings
