"""A pack of small bidirectional transformers, which know nothing of the tree.

Pre-norm with learned positions; every leaf attends to all ([Vaswani 2017], arXiv 1706.03762, with
the LayerNorms before attention and MLP, arXiv 2002.04745). Time enters where it does in the U-Net
and nowhere else, through the noisy input, and so is the parametrisation the U-Net's: weights of
unit variance, 1/√fan-in in the forward pass and 1/fan-in at the readout, LayerNorms with scale and
shift, no other biases.

Every layer of K members is one batched product; autograd works out the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from study.config import TrialConfig
from study.models.autograd import AutogradLearner
from study.models.features import NoisyInput
from study.models.layout import Layout, standard_normal
from study.models.model import Learner, Loss
from study.models.noise import Noise
from study.models.products import product
from study.models.transformer_counts import layers_of
from study.models.unet_layers import LAYER_NORM_EPSILON, broadcastable

WIDEST_HEAD = 32
"""Channels of an attention head: the largest power of two up to it that divides the width."""


@dataclass(frozen=True)
class TransformerShape(Layout):
    """What fixes the shapes of all tensors; equal for the members of a pack."""

    leaves: int
    vocab_size: int
    width: int
    layers: int

    @classmethod
    def of(cls, config: TrialConfig) -> TransformerShape:
        """The shape of a training's network."""
        shape = config.shape
        return cls(shape.num_leaves, shape.vocab_size, config.network.width, layers_of(config))

    @property
    def padded_vocab(self) -> int:
        """v, rounded up to a multiple of 8, as in `study.models.weights`."""
        return -(-self.vocab_size // 8) * 8

    @property
    def heads(self) -> int:
        """Attention heads of a layer."""
        return self.width // math.gcd(self.width, WIDEST_HEAD)

    @cached_property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """See `Layout.parameters`; a weight is (fan-in, fan-out)."""
        v, W = self.padded_vocab, self.width
        shapes: dict[str, tuple[int, ...]] = {"embedding": (v, W), "positions": (self.leaves, W)}
        for layer in range(self.layers):
            for block, inner, joined in (("attention", 3 * W, W), ("mlp", 4 * W, 4 * W)):
                name = f"{block}.{layer}"
                shapes |= {f"{name}.scale": (W,), f"{name}.shift": (W,)}
                shapes |= {f"{name}.in": (W, inner), f"{name}.out": (joined, W)}
        return shapes | {"readout.scale": (W,), "readout.shift": (W,), "readout": (W, v)}


class TransformerModel:
    """Transformers of one shape; see `study.models.model.Model`."""

    def __init__(self, config: TrialConfig, noise: Noise) -> None:
        self.layout = TransformerShape.of(config)
        self._noise = noise
        self._compile = config.training.compile

    def initial_weights(self, configs: Sequence[TrialConfig]) -> Tensor:
        """N(0, 1), scales 1 and shifts 0; padding is 0. See `Model`."""
        flat = standard_normal(self.layout, [config.seed for config in configs])
        views, v = self.layout.views(flat), self.layout.vocab_size
        views["embedding"][:, v:] = 0
        views["readout"][:, :, v:] = 0
        return flat

    def networks(self, flat: Tensor) -> PackedTransformer:
        """See `Model`."""
        return PackedTransformer(self.layout, self._noise, flat)

    def learner(self, flat: Tensor, gradient: Tensor, loss: Loss) -> Learner:
        """See `Model`."""
        networks = PackedTransformer(self.layout, self._noise, flat, gradient)
        return AutogradLearner(networks, gradient, loss, compile=self._compile)

    def is_exact_on_threads(self, rows: int, members: int) -> bool:
        """Not known to be; see `Model`."""
        del rows, members
        return False


class PackedTransformer:
    """K networks of equal shape; see `study.models.model.Networks`.

    Args:
        shape: of every member.
        noise: the numbers of the noise process.
        flat: (K·numel,) all weights.
        gradient: (K·numel,) where autograd adds the gradients; not needed where it never does.
    """

    def __init__(
        self, shape: TransformerShape, noise: Noise, flat: Tensor, gradient: Tensor | None = None
    ) -> None:
        self.shape = shape
        self.flat = flat
        self._noisy_input = NoisyInput(noise, shape.vocab_size, shape.padded_vocab)
        self._weights = broadcastable(shape.views(flat))
        if gradient is not None:
            gradients = broadcastable(shape.views(gradient))
            for name, weight in self._weights.items():
                weight.requires_grad_().grad = gradients[name]

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and steps (K, B), or (1, 1) for all."""
        v, W = self.shape.vocab_size, self.shape.width
        w = self._weights
        h = product(self._noisy_input(x_t, t), w["embedding"], 1 / math.sqrt(v))
        h = (h.unflatten(1, x_t.shape[1:]) + w["positions"].unsqueeze(1)).flatten(1, 2)
        for layer in range(self.shape.layers):
            h = h + self._attention(f"attention.{layer}", h, x_t.shape)
            h = h + self._mlp(f"mlp.{layer}", h)
        logits = product(self._normal("readout", h), w["readout"], 1 / W)
        return logits[..., :v].unflatten(1, x_t.shape[1:])

    def _attention(self, name: str, h: Tensor, strings: torch.Size) -> Tensor:
        """What the leaves of a string tell one another, (K, B·d, W)."""
        members, rows, leaves = strings
        mixed = self._product(f"{name}.in", self._normal(name, h))
        mixed = mixed.view(members * rows, leaves, 3, self.shape.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = mixed.unbind()
        told = F.scaled_dot_product_attention(q, k, v)
        return self._product(f"{name}.out", told.transpose(1, 2).reshape(h.shape))

    def _mlp(self, name: str, h: Tensor) -> Tensor:
        """What a leaf makes of its own features, (K, B·d, W)."""
        return self._product(
            f"{name}.out", F.gelu(self._product(f"{name}.in", self._normal(name, h)))
        )

    def _product(self, name: str, h: Tensor) -> Tensor:
        weight = self._weights[name]
        return product(h, weight, 1 / math.sqrt(weight.shape[1]))

    def _normal(self, name: str, h: Tensor) -> Tensor:
        """LayerNorm over the channels with each member's scale and shift."""
        rows = F.layer_norm(h, h.shape[-1:], eps=LAYER_NORM_EPSILON)
        return torch.addcmul(self._weights[f"{name}.shift"], rows, self._weights[f"{name}.scale"])
