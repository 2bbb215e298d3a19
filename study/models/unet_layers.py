"""A pack of U-Nets: its weights and products, which training and inference share.

The U-Net is that of [Favero 2025a] and [Aparicio 2026].

Because stride and kernel are both s, a layer that joins s neighbours is one matrix product on
reshaped leaves, and the same layer of K members is one batched product. Activations at level l are
(K, B·s^l, W).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from study.kernels.products import Products
from study.models.features import NoisyInput
from study.models.noise import Noise
from study.models.weights import NetworkShape

LAYER_NORM_EPSILON = 1e-5


class UNetLayers:
    """K networks of equal shape, before it is said how they are evaluated.

    Attributes:
        shape: shape of every member.
        noise: the numbers of the noise process.
        flat: (K·numel,) all weights.

    Args:
        products: how matrices are multiplied; in full precision without them.
    """

    def __init__(
        self,
        shape: NetworkShape,
        noise: Noise,
        flat: Tensor,
        *,
        products: Products | None = None,
    ) -> None:
        self.shape = shape
        self.noise = noise
        self.flat = flat
        self._products = products or Products()
        self._noisy_input = NoisyInput(noise, shape.vocab_size, shape.padded_vocab)
        self._weights = broadcastable(shape.views(flat))

    def _product(self, inputs: dict[str, Tensor], onto: Tensor | None = None) -> Tensor:
        """Σ input @ weight over the inputs; with two of them, the product of a concatenation."""
        for name, h in inputs.items():
            onto = self._products.accumulate(onto, h, self._weights[name], self._scale(name))
        assert onto is not None
        return onto

    def _read_out(self, inputs: dict[str, Tensor]) -> Tensor:
        """Σ weight @ inputᵀ over the inputs, (K, padded v, n): symbol by symbol."""
        logits = None
        for name, h in inputs.items():
            logits = self._products.accumulate(logits, self._weights[name], h.mT, self._scale(name))
        assert logits is not None
        return logits

    def _logits(self, product: Tensor, x_t: Tensor) -> Tensor:
        """(K, B, d, v) from (K, padded v, B·d), still symbol by symbol in memory."""
        symbols = product[:, : self.shape.vocab_size]
        return symbols.unflatten(-1, x_t.shape[1:]).movedim(1, -1)

    def _scale(self, name: str) -> float:
        """1/√fan-in; the readout has 1/fan-in, the mean-field scaling of [Favero 2025a]."""
        if name == "embedding":
            return 1 / math.sqrt(self.shape.vocab_size)
        if name.startswith("readout"):
            return 1 / (2 * self.shape.width)
        if name.startswith("down"):
            return 1 / math.sqrt(self.shape.tuple_size * self.shape.width)
        return 1 / math.sqrt(2 * self.shape.width)


def reciprocal_deviation(centred: Tensor) -> Tensor:
    """1/√(variance + ε) over the channels of rows without their mean."""
    norm = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    epsilon = norm.new_full((), LAYER_NORM_EPSILON)
    return torch.addcmul(epsilon, norm, norm, value=1 / centred.shape[-1]).rsqrt_()


def broadcastable(views: dict[str, Tensor]) -> dict[str, Tensor]:
    """Scales and shifts as (K, 1, W), to act on all rows."""
    return {name: x.unsqueeze(1) if x.dim() == 2 else x for name, x in views.items()}
