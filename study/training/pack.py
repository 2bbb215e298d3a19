"""The training of a pack in lockstep: batches from each member's own streams, one Adam for all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from study.config import TrialConfig
from study.kernels.adam import Adam
from study.kernels.gelu import FusedGelu, SeparateGelu
from study.kernels.memory import keep_freed_memory
from study.kernels.products import Products
from study.models.unet import PackedUNet, Tape
from study.models.weights import NetworkShape, initial_weights
from study.processes.uniform import Diffusion
from study.randomness import generator

BLOCK = 64
"""Steps whose random numbers are drawn at once; part of what decides the bits of a result."""


@dataclass(frozen=True)
class Batch:
    """One step's noisy strings: x_0 and x_t (K, B, d), t (K, B)."""

    x_0: Tensor
    x_t: Tensor
    t: Tensor


class Batches:
    """The noisy batches of every member, as a function of the step.

    Strings are drawn with replacement; each is noised `noisings` times at independent steps t,
    uniform on 1 … T.
    """

    def __init__(
        self, configs: Sequence[TrialConfig], corpora: Sequence[Tensor], diffusion: Diffusion
    ) -> None:
        self._configs = configs
        self._corpora = corpora
        self._diffusion = diffusion
        self._block = -1
        self._x_0, self._x_t, self._t = (torch.empty(0),) * 3

    def __getitem__(self, step: int) -> Batch:
        """The batch of optimizer step 0, 1, …"""
        block, within = divmod(step, BLOCK)
        if block != self._block:
            self._draw(block)
        return Batch(self._x_0[within], self._x_t[within], self._t[within])

    def _draw(self, block: int) -> None:
        members = zip(self._configs, self._corpora, strict=True)
        drawn = [self._member(config, corpus, block) for config, corpus in members]
        parts = (torch.stack(part, dim=1) for part in zip(*drawn, strict=True))
        self._x_0, self._x_t, self._t = parts
        self._block = block

    def _member(
        self, config: TrialConfig, corpus: Tensor, block: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x_0 and x_t (BLOCK, B, d), t (BLOCK, B); member by member, they fit the cache."""
        size, repeats = config.training.batch_size, config.training.noisings
        leaves, T, device = corpus.shape[1], self._diffusion.num_timesteps, corpus.device
        g = generator(device, config.seed, "batches", block)
        chosen = torch.randint(len(corpus), (BLOCK, size), generator=g, device=device)
        rows = (BLOCK, size * repeats)
        steps = torch.randint(1, T + 1, rows, generator=g, device=device)
        uniform = torch.rand(*rows, leaves, generator=g, device=device)
        strings = F.embedding(chosen.repeat_interleave(repeats, dim=1), corpus)
        return strings, self._diffusion.noised(strings, steps, uniform), steps


class PackTrainer:
    """K trainings of equal shape, learning rate and step.

    Attributes:
        network: the pack's networks.
        step: optimizer steps done.
    """

    def __init__(
        self,
        configs: Sequence[TrialConfig],
        corpora: Sequence[np.ndarray],
        device: torch.device,
        threads: int = 1,
    ) -> None:
        keep_freed_memory()
        self.configs = list(configs)
        self._threads = threads
        self.step = 0
        self.shape = NetworkShape.of(configs[0])
        T = configs[0].diffusion.num_timesteps
        self.diffusion = Diffusion.build(T, self.shape.vocab_size, device)
        self._corpora = [torch.as_tensor(c.astype(np.int64), device=device) for c in corpora]
        self._device = device
        weights = initial_weights(self.shape, [config.seed for config in configs]).to(device)
        self._assemble(weights, torch.zeros_like(weights), torch.zeros_like(weights))

    def _assemble(self, weights: Tensor, first: Tensor, second: Tensor) -> None:
        """Network, optimizer and batches around weights and Adam's two moments, all flat."""
        training = self.configs[0].training
        self._products = Products(training.precision)
        self.network = PackedUNet(self.shape, self.diffusion, weights)
        gradient = torch.zeros_like(weights)
        self._learner = PackedUNet(
            self.shape,
            self.diffusion,
            weights,
            gradient=gradient,
            products=self._products,
            gelu=FusedGelu() if training.compile else SeparateGelu(),
        )
        self._choose_threads()
        self._forward, self._backward = self._learner.forward, self._write_gradient
        if training.compile:
            from study.kernels.compilation import compiled

            # Apart, so that what the backward pass reads is worked out once and kept.
            self._forward, self._backward = compiled(
                self._forward, self._backward, device=self._device
            )
        steps = torch.tensor(float(self.step), device=self._device)
        self._adam = Adam(weights, gradient, first, second, steps, training.learning_rate)
        self._batches = Batches(self.configs, self._corpora, self.diffusion)
        self._loss = torch.zeros(len(self.configs), dtype=torch.float64, device=self._device)
        self._since = 0

    def _choose_threads(self) -> None:
        """Several threads only where they cannot change bits."""
        training = self.configs[0].training
        even = self.shape.is_even(training.batch_size * training.noisings)
        torch.set_num_threads(self._threads if even or len(self.configs) > 1 else 1)

    def train(self, until: int) -> None:
        """Take optimizer steps until `step` equals `until`."""
        with self._products.in_force():
            while self.step < until:
                batch = self._batches[self.step]
                logits, tape = self._forward(batch.x_t, batch.t)
                self._loss += self._backward(logits, tape, batch)
                self._adam.step()
                self.step += 1
                self._since += 1

    def _write_gradient(self, logits: Tensor, tape: Tape, batch: Batch) -> Tensor:
        """Write the gradients of all weights; every member's mean loss per leaf, (K,)."""
        losses, slope = self.diffusion.loss_and_slope(logits, batch.x_0, batch.x_t, batch.t)
        leaves = losses[0].numel()
        self._learner.backward(tape, slope / leaves)
        return losses.sum((1, 2)) / leaves

    def batch_losses(self) -> list[float]:
        """Every member's mean loss per leaf over the batches since the last call, in nats."""
        means = (self._loss / max(1, self._since)).tolist()
        self._loss.zero_()
        self._since = 0
        return means

    def checkpoint(self, member: int) -> bytes:
        """A member's step, weights and moments; streams need none, they follow from the step."""
        document: dict[str, Any] = {"step": self.step}
        for name, flat in self._state().items():
            document[name] = self.shape.row(flat, member).cpu()
        sink = io.BytesIO()
        torch.save(document, sink)
        return sink.getvalue()

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
        if stacked[0].shape[1] != self.shape.numel:
            raise ValueError("the checkpoint is of another network shape")
        self.step = steps.pop()
        self._assemble(*(self.shape.flattened(rows).to(self._device) for rows in stacked))

    def keep(self, members: Sequence[int]) -> None:
        """Compact the pack to some of its members; the others are frozen as they are."""
        state = [self.shape.rows(flat)[list(members)] for flat in self._state().values()]
        self.configs = [self.configs[k] for k in members]
        self._corpora = [self._corpora[k] for k in members]
        self._assemble(*(self.shape.flattened(rows) for rows in state))


def read_checkpoint(data: bytes) -> dict[str, Any]:
    """The content of a checkpoint; nothing but tensors and numbers is ever unpickled."""
    return torch.load(io.BytesIO(data), weights_only=True)
