"""The U-Net on its fast path, as a `Model`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from study.config import TrialConfig
from study.kernels.gelu import FusedGelu, SeparateGelu
from study.kernels.products import Products
from study.models.model import Learner, Loss
from study.models.noise import Noise
from study.models.unet import PackedUNet, Tape
from study.models.weights import NetworkShape, initial_weights


class UNetModel:
    """U-Nets of one shape, whose backward pass is written out; see `study.models.model.Model`."""

    def __init__(self, config: TrialConfig, noise: Noise) -> None:
        self.layout = NetworkShape.of(config)
        self._noise = noise
        self._training = config.training

    def initial_weights(self, configs: Sequence[TrialConfig]) -> Tensor:
        """See `Model`."""
        return initial_weights(self.layout, [config.seed for config in configs])

    def networks(self, flat: Tensor) -> PackedUNet:
        """See `Model`."""
        return PackedUNet(self.layout, self._noise, flat)

    def learner(self, flat: Tensor, gradient: Tensor, loss: Loss) -> Learner:
        """See `Model`."""
        network = PackedUNet(
            self.layout,
            self._noise,
            flat,
            gradient=gradient,
            products=Products(self._training.precision),
            gelu=FusedGelu() if self._training.compile else SeparateGelu(),
        )
        return UNetLearner(network, loss, compile=self._training.compile)

    def is_exact_on_threads(self, rows: int, members: int) -> bool:
        """See `Model`."""
        return members > 1 or self.layout.is_even(rows)


class UNetLearner:
    """The two passes and the loss between them; a `Learner`."""

    def __init__(self, network: PackedUNet, loss: Loss, *, compile: bool) -> None:
        self._network, self._loss = network, loss
        self._forward, self._backward = network.forward, self._write_gradient
        if compile:
            from study.kernels.compilation import compiled

            # Apart, so that what the backward pass reads is worked out once and saved.
            self._forward, self._backward = compiled(
                self._forward, self._backward, device=network.flat.device
            )

    def __call__(self, x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """See `Learner`."""
        logits, tape = self._forward(x_t, t)
        return self._backward(logits, tape, x_0, x_t, t)

    def _write_gradient(
        self, logits: Tensor, tape: Tape, x_0: Tensor, x_t: Tensor, t: Tensor
    ) -> Tensor:
        losses, gradient = self._loss(logits, x_0, x_t, t)
        leaves = losses[0].numel()
        self._network.backward(tape, gradient / leaves)
        return losses.sum((1, 2)) / leaves
