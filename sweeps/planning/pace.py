"""Seconds that a pack takes, from the seconds of its parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from study.config import TrialConfig
from sweeps.planning import cost
from sweeps.planning.packing import Pack

REVERSE_STEPS = 3
"""Steps of the reverse chain that are timed."""


@dataclass(frozen=True)
class Parts:
    """Seconds of the parts of a pack.

    Attributes:
        prepared: before the first warm step: corpora, what they are compared with, networks.
        step: of training.
        reverse: one step of the reverse chain, per string.
        read: what the generated strings of one measured step are found to be.
        measured: likelihood and noise at one measured step.
        first: what the first measured step takes beyond that.
        published: one measured step of all members.
    """

    prepared: float
    step: float
    reverse: float
    read: float
    measured: float
    first: float
    published: float


@dataclass(frozen=True)
class Pace:
    """Seconds by what they grow with.

    Attributes:
        fixed: per member, whatever its length.
        training, generating, measuring: per operation, as `Cost` counts them.
        reading: per member and step with generated strings.
        publishing: per member and measured step.
    """

    fixed: float
    training: float
    generating: float
    measuring: float
    reading: float
    publishing: float

    @classmethod
    def of(cls, timed: Parts, configs: Sequence[TrialConfig]) -> Pace:
        """The pace of a pack whose parts were timed."""
        config, members = configs[0], len(configs)
        forward = cost.FLOP_PER_MAC * cost.forward_macs(config) * members
        batch = config.training.batch_size * config.training.noisings
        return cls(
            fixed=(timed.prepared + timed.first) / members,
            training=timed.step / (cost.BACKWARD * forward * batch),
            generating=timed.reverse / forward,
            measuring=timed.measured / (forward * config.schedule.likelihood_passes),
            reading=timed.read / members,
            publishing=timed.published / members,
        )

    def seconds(self, pack: Pack) -> float:
        """What a pack takes from where it stands to its end."""
        configs = [training.config for training in pack.trainings]
        spent = cost.total(cost.of(config, pack.step) for config in configs)
        generated = sum(step > pack.step for c in configs for step in c.generated_steps)
        measured = sum(step > pack.step for c in configs for step in c.measured_steps)
        return (
            self.fixed * len(configs)
            + self.training * spent.training_flop
            + self.generating * spent.generating_flop
            + self.measuring * spent.measuring_flop
            + self.reading * generated
            + self.publishing * measured
        )


def mean(paces: Sequence[Pace], weights: Sequence[float] | None = None) -> Pace:
    """The weighted mean in logarithms."""
    logs = {
        field.name: fmean((math.log(getattr(pace, field.name)) for pace in paces), weights)
        for field in fields(Pace)
    }
    return Pace(**{name: math.exp(log) for name, log in logs.items()})
