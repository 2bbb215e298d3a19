"""What a trainable denoiser is to those that train, measure and load it.

A model knows the noise by its numbers alone, ᾱ_t and π, and the loss as a function. An instance is
registered in `study.models.kinds`; a plain torch module becomes one in `study.models.autograd`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from study.config import TrialConfig
from study.models.layout import Layout

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From logits (K, B, d, v), x_0, x_t (K, B, d) and t (K, B): the loss of every leaf (K, B, d), in
nats, and its derivative in the logits."""


class Networks(Protocol):
    """The K networks of a pack; a `study.processes.process.Denoiser`.

    Networks that are quicker where t is equal for all strings say so by a method
    `for_shared_time`; see `study.processes.generation.TakesSharedTime`.

    Attributes:
        flat: (K·numel,) all weights; as they change, so do the networks.
    """

    @property
    def flat(self) -> Tensor:
        """(K·numel,) all weights."""
        ...

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and steps (K, B), or (1, 1) for all."""
        ...


Learner = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From x_0, x_t (K, B, d) and t (K, B): every member's mean loss per leaf (K,), in nats. Its
gradient in all weights is written on the way, over whatever was there."""


class Model(Protocol):
    """One kind of network in the shape that a pack's trainings ask for."""

    @property
    def layout(self) -> Layout:
        """Where the weights of a network lie."""
        ...

    def initial_weights(self, configs: Sequence[TrialConfig]) -> Tensor:
        """Flat weights (K·numel,) float32 on the CPU; each member's follow from its seed alone."""
        ...

    def networks(self, flat: Tensor) -> Networks:
        """The networks with these weights, in full precision."""
        ...

    def learner(self, flat: Tensor, gradient: Tensor, loss: Loss) -> Learner:
        """What works out the gradient of these weights and writes it, both (K·numel,).

        In the precision that the trainings ask for, and compiled where they ask for it.
        """
        ...

    def is_exact_on_threads(self, rows: int, members: int) -> bool:
        """Whether a CPU's several threads change no bit, with so many noisy strings of each member.

        Where `training.is_exact`, no bit may depend on the company of a pack either.
        """
        ...
