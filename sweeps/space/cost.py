"""What a training costs, counted before anything runs: operations, memory, disk.

What one network takes, its kind says; see `study.models.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from study.config import TrialConfig
from study.models.kinds import kind_of
from study.processes import chunks

FLOP_PER_MAC = 2
BACKWARD = 3
"""Forward and backward of a matrix product take three times the operations of forward alone."""
BYTES = 4
STATES = 3
"""Tensors as large as the weights that a checkpoint holds: weights and Adam's two moments."""
OVERHEAD = 100.0
"""Members a pack of width 1 could hold for the price of its launches; measured for two cores,
widths 16 to 128: a step takes as long as K + 100/W members would without launches."""

ELEMENTWISE = 100.0
"""Width at which elementwise work takes as long as products."""
LARGEST = 16
"""Members of a pack at most; beyond it packs gain little on a core and lose balance."""


@dataclass(frozen=True)
class Cost:
    """What trainings take; sums add up.

    Attributes:
        training_flop, generating_flop, measuring_flop: floating-point operations; of generating,
            as if the network were asked about every string at every step.
        memory_bytes: of one training while it runs; of several, the largest one's.
        disk_bytes: of the checkpoints and tables that stay.
    """

    training_flop: float
    generating_flop: float
    measuring_flop: float
    memory_bytes: float
    disk_bytes: float

    @property
    def flop(self) -> float:
        """All operations."""
        return self.training_flop + self.generating_flop + self.measuring_flop


def of(config: TrialConfig, step: int = 0) -> Cost:
    """What a training still takes from a step to its end."""
    leaves = config.shape.num_leaves
    measured = sum(s > step for s in config.measured_steps)
    generated = sum(s > step for s in config.generated_steps)
    widest = max(_batch(config), *chunks.sizes(config.measurement.generated))
    return Cost(
        training_flop=optimizer_step(config) * max(config.last_step - step, 0),
        generating_flop=generation(config) * generated,
        measuring_flop=likelihood(config) * measured,
        memory_bytes=BYTES
        * ((STATES + 1) * weights(config) + 12 * widest * leaves * _width(config)),
        disk_bytes=BYTES * STATES * weights(config) + _table_bytes(config),
    )


def optimizer_step(config: TrialConfig) -> float:
    """Operations of one step of training."""
    return BACKWARD * FLOP_PER_MAC * forward_macs(config) * _batch(config)


def generation(config: TrialConfig) -> float:
    """Operations of the strings that are generated at one measured step."""
    strings = sum(chunks.sizes(config.measurement.generated))
    return FLOP_PER_MAC * forward_macs(config) * strings * config.reverse_steps


def likelihood(config: TrialConfig) -> float:
    """Operations of everything else at one measured step."""
    return FLOP_PER_MAC * forward_macs(config) * config.schedule.likelihood_passes


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs; its memory is that of the largest."""
    rows = list(costs)
    return Cost(
        training_flop=sum(row.training_flop for row in rows),
        generating_flop=sum(row.generating_flop for row in rows),
        measuring_flop=sum(row.measuring_flop for row in rows),
        memory_bytes=max((row.memory_bytes for row in rows), default=0.0),
        disk_bytes=sum(row.disk_bytes for row in rows),
    )


def forward_macs(config: TrialConfig) -> int:
    """Multiply-accumulates of one string's forward pass."""
    return kind_of(config).forward_macs(config)


def weights(config: TrialConfig) -> int:
    """Learned numbers of one network."""
    return kind_of(config).num_weights(config)


def launches(members: int, width: int) -> float:
    """How much longer a pack's operations take for its launches: (K + 100/W)/K times as long."""
    return 1 + OVERHEAD / (members * width)


def effort(members: int, width: int) -> float:
    """How much longer a pack's operations take than as many of one wide network.

    Elementwise work grows as W where products grow as W²; then there are launches. With both taken
    out, rates were equal within 40 % from width 8 to 64 and from 3 members to 12, on one core.
    """
    return elementwise(width) * launches(members, width)


def elementwise(width: float) -> float:
    """How much longer a network's operations take for those that are no products."""
    return 1 + ELEMENTWISE / width


def most_members(width: int, *, on_gpu: bool) -> int:
    """Members of a pack at most, memory apart: 16 up to width 32, fewer of wider networks."""
    return max(1, min(LARGEST * 4, 16384 // width) if on_gpu else min(LARGEST, 512 // width))


def pack_flop(members: Sequence[float], width: int) -> float:
    """Operations of a pack from its members', launches counted as members that could run."""
    return sum(members) * launches(len(members), width)


def _batch(config: TrialConfig) -> int:
    return config.training.batch_size * config.training.noisings


def _width(config: TrialConfig) -> int:
    return 2 * config.network.width


def _table_bytes(config: TrialConfig) -> float:
    """Measured on small trainings: some ten tables, a row per string and rows per measured step."""
    strings = config.corpus.size + config.control_size
    leaves = config.shape.num_leaves
    return 60_000 + strings * (20 + leaves) + 6_000 * len(config.measured_steps)
