"""The training of a pack in lockstep: batches from each member's own streams, one Adam for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from study.config import TrainingConfig, TrialConfig
from study.kernels.adam import Adam
from study.kernels.products import Products
from study.models.kinds import model_of
from study.processes.process import Diffusion
from study.processes.registry import process_of
from study.randomness import generator
from study.training.checkpoints import read_checkpoint, written

BLOCK = 64
"""Steps whose random numbers are drawn at once; part of what decides the bits of a result."""


class Trainee(Protocol):
    """What a pack has to know of a training."""

    @property
    def config(self) -> TrialConfig:
        """Its configuration."""
        ...

    @property
    def strings(self) -> NDArray[np.uint8]:
        """(N, d) what it is trained on."""
        ...


M = TypeVar("M", bound=Trainee)


@dataclass(frozen=True)
class Batch:
    """One step's noisy strings: x_0 and x_t (K, B, d), t (K, B)."""

    x_0: Tensor
    x_t: Tensor
    t: Tensor


class Stream(Generic[M]):
    """The noisy batches of one member.

    Strings are drawn with replacement; each is noised `noisings` times at independent steps t,
    uniform on 1 … T.
    """

    def __init__(self, member: M, diffusion: Diffusion) -> None:
        self.member = member
        self._diffusion = diffusion
        device = diffusion.alpha.device
        self._strings = torch.as_tensor(member.strings.astype(np.int64), device=device)

    def block(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """x_0 and x_t (BLOCK, B, d), t (BLOCK, B); member by member, they fit the cache."""
        strings, training = self._strings, self.member.config.training
        size, repeats = training.batch_size, training.noisings
        leaves, T, device = strings.shape[1], self._diffusion.num_timesteps, strings.device
        g = generator(device, self.member.config.seed, "batches", number)
        chosen = torch.randint(len(strings), (BLOCK, size), generator=g, device=device)
        rows = (BLOCK, size * repeats)
        steps = torch.randint(1, T + 1, rows, generator=g, device=device)
        uniform = torch.rand(*rows, leaves, generator=g, device=device)
        x_0 = F.embedding(chosen.repeat_interleave(repeats, dim=1), strings)
        return x_0, self._diffusion.noised(x_0, steps, uniform), steps


class Batches:
    """The noisy batches of a pack, as a function of the step."""

    def __init__(self, streams: Sequence[Stream[Any]]) -> None:
        self._streams = streams
        self._block = -1
        self._x_0, self._x_t, self._t = (torch.empty(0),) * 3

    def __getitem__(self, step: int) -> Batch:
        """The batch of optimizer step 0, 1, …"""
        block, within = divmod(step, BLOCK)
        if block != self._block:
            self._draw(block)
        return Batch(self._x_0[within], self._x_t[within], self._t[within])

    def _draw(self, block: int) -> None:
        drawn = [stream.block(block) for stream in self._streams]
        parts = (torch.stack(part, dim=1) for part in zip(*drawn, strict=True))
        self._x_0, self._x_t, self._t = parts
        self._block = block


class PackTrainer(Generic[M]):
    """K trainings of equal shape, learning rate and step.

    Attributes:
        diffusion: what noises their strings.
        layout: of their weights.
        network: the pack's networks.
        step: optimizer steps done.

    Args:
        members: the trainings; their weights, moments and batches lie in the same order.
        device: of torch.

    Raises:
        ConfigError: when their kind of network is unknown here.
    """

    def __init__(self, members: Sequence[M], device: torch.device) -> None:
        config = members[0].config
        self._device = device
        self.step = 0
        self.diffusion = process_of(config.diffusion, config.shape.vocab_size, device)
        self._model = model_of(config, self.diffusion)
        self.layout = self._model.layout
        self._streams = [Stream(member, self.diffusion) for member in members]
        weights = self._model.initial_weights([member.config for member in members]).to(device)
        self._assemble(weights, torch.zeros_like(weights), torch.zeros_like(weights))

    @property
    def members(self) -> list[M]:
        """The trainings, in their order."""
        return [stream.member for stream in self._streams]

    def _assemble(self, weights: Tensor, first: Tensor, second: Tensor) -> None:
        """Network, optimizer and batches around weights and Adam's two moments, all flat."""
        self.network = self._model.networks(weights)
        gradient = torch.zeros_like(weights)
        self._learner = self._model.learner(weights, gradient, self.diffusion.loss_and_gradient)
        steps = torch.tensor(float(self.step), device=self._device)
        rate = self._training.learning_rate
        self._adam = Adam(weights, gradient, first, second, steps, rate)
        self._batches = Batches(self._streams)
        self._loss = torch.zeros(len(self._streams), dtype=torch.float64, device=self._device)
        self._since = 0

    @property
    def _training(self) -> TrainingConfig:
        """What is equal for all members."""
        return self._streams[0].member.config.training

    def threads(self, at_most: int) -> int:
        """On how many threads of a CPU to train: several only where they cannot change bits."""
        rows = self._training.batch_size * self._training.noisings
        return at_most if self._model.is_exact_on_threads(rows, len(self._streams)) else 1

    def train(self, until: int) -> None:
        """Take optimizer steps until `step` equals `until`."""
        with Products(self._training.precision).in_force():
            while self.step < until:
                batch = self._batches[self.step]
                self._loss += self._learner(batch.x_0, batch.x_t, batch.t)
                self._adam.step()
                self.step += 1
                self._since += 1

    def batch_losses(self) -> list[float]:
        """Every member's mean loss per leaf over the batches since the last call, in nats."""
        means = (self._loss / max(1, self._since)).tolist()
        self._loss.zero_()
        self._since = 0
        return means

    def checkpoint(self, member: int) -> bytes:
        """The step, weights and moments of the member at a place in the pack."""
        rows = {name: self.layout.row(flat, member).cpu() for name, flat in self._state().items()}
        return written({"step": self.step, **rows})

    def _state(self) -> dict[str, Tensor]:
        """What a checkpoint holds of the pack, each flat."""
        adam = self._adam
        return {
            "weights": adam.weights,
            "first_moment": adam.first_moment,
            "second_moment": adam.second_moment,
        }

    def resume(self, checkpoints: Sequence[bytes]) -> None:
        """Go on from the members' checkpoints, which must stand at one step.

        Raises:
            ValueError: when they stand at different steps or have another shape.
        """
        documents = [read_checkpoint(data) for data in checkpoints]
        steps = {document["step"] for document in documents}
        if len(steps) != 1:
            raise ValueError(f"members of a pack must stand at one step, not at {sorted(steps)}")
        stacked = [
            torch.stack([document[name] for document in documents]) for name in self._state()
        ]
        if stacked[0].shape[1] != self.layout.numel:
            raise ValueError("the checkpoint is of another network shape")
        self.step = steps.pop()
        self._assemble(*(self.layout.flattened(rows).to(self._device) for rows in stacked))

    def select(self, places: Sequence[int]) -> None:
        """Compact the pack to the members at some places; the others are frozen as they are."""
        state = [self.layout.rows(flat)[list(places)] for flat in self._state().values()]
        self._streams = [self._streams[k] for k in places]
        self._assemble(*(self.layout.flattened(rows) for rows in state))
