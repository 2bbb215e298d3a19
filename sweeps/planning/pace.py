"""Seconds that a pack takes, from five rates: what `plan` times and a run's ETA starts from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from statistics import fmean

from sweeps.planning.packing import Pack
from sweeps.space import cost


@dataclass(frozen=True)
class Pace:
    """Seconds by what they grow with; operations are those of `cost.Cost` times `cost.effort`.

    Attributes:
        preparing: per member, whatever its length: its corpus, what that is compared with, warming
            up, and what the first measurement prepares.
        training, generating, measuring: per operation; generated strings are read, too.
        publishing: per member and measured step.
    """

    preparing: float
    training: float
    generating: float
    measuring: float
    publishing: float

    @classmethod
    def mean(cls, paces: Collection[Pace]) -> Pace:
        """The mean of several."""
        return cls(*(fmean(getattr(each, f.name) for each in paces) for f in fields(cls)))

    def times(self, factor: float) -> Pace:
        """The same where everything takes so many times as long."""
        return Pace(*(factor * getattr(self, f.name) for f in fields(self)))

    def seconds(self, pack: Pack) -> float:
        """What a pack takes, from its start to its end."""
        return self.preparing * len(pack.trainings) + self.left(pack, pack.step)

    def left(self, pack: Pack, step: int) -> float:
        """What a pack that is under way takes from a measured step to its end."""
        configs = [training.config for training in pack.trainings]
        spent = cost.total(cost.of(config, step) for config in configs)
        measured = sum(s > step for config in configs for s in config.measured_steps)
        operations = (
            self.training * spent.training_flop
            + self.generating * spent.generating_flop
            + self.measuring * spent.measuring_flop
        )
        width = configs[0].network.width
        return operations * cost.effort(len(configs), width) + self.publishing * measured
