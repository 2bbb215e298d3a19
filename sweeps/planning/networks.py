"""The networks of a sweep: how many numbers each learns, and what a step of it takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from study.config import TrialConfig
from study.models.transformer_counts import matched_width
from sweeps.space import cost

N = TypeVar("N", int, float)

TRANSFORMER = "transformer"


@dataclass(frozen=True)
class Network:
    """Trainings whose networks are of one kind and size.

    Attributes:
        kind, width, layers: `network.*`; layers None where a kind has no number of them to be set.
        trainings: how many.
        parameters: learned numbers, the fewest and the most over their grammars.
        step_flop: operations of an optimizer step, likewise.
        matched: width of the transformer that comes nearest in learned numbers, likewise, with as
            many layers as the sweep's own; None of transformers, and without them.
    """

    kind: str
    width: int
    layers: int | None
    trainings: int
    parameters: tuple[int, int]
    step_flop: tuple[float, float]
    matched: tuple[int, int] | None


def networks(trials: Iterable[TrialConfig]) -> tuple[Network, ...]:
    """The networks of some trainings, by kind, width and layers."""
    groups: dict[tuple[str, int, int], list[TrialConfig]] = {}
    transformers: set[int | None] = set()
    for trial in trials:
        network = trial.network
        groups.setdefault((network.kind, network.width, network.layers or 0), []).append(trial)
        if network.kind == TRANSFORMER:
            transformers.add(network.layers)
    return tuple(
        Network(
            kind,
            width,
            layers or None,
            len(group),
            _ends([cost.weights(trial) for trial in group]),
            _ends([cost.optimizer_step(trial) for trial in group]),
            _matched(group, transformers),
        )
        for (kind, width, layers), group in sorted(groups.items())
    )


def _matched(
    group: list[TrialConfig], transformers: Collection[int | None]
) -> tuple[int, int] | None:
    if group[0].network.kind == TRANSFORMER or len(transformers) != 1:
        return None
    (layers,) = transformers
    return _ends([matched_width(trial, cost.weights(trial), layers) for trial in group])


def _ends(values: list[N]) -> tuple[N, N]:
    return min(values), max(values)
