"""The U-Net in the tree's own shape, for a whole pack of trainings at once ([C], [S]).

Because stride and kernel are both s, a layer that joins s neighbours is one matrix product on
reshaped leaves, and the same layer of K members is one batched product. Activations at level l are
(K, B·s^l, W).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from study.kernels.gelu import Gelu, SeparateGelu
from study.kernels.products import Products
from study.models.features import NoisyInput
from study.models.weights import NetworkShape
from study.processes.uniform import Diffusion

LAYER_NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class _Normal:
    """LayerNorm over the channels, without scale and shift.

    The forward pass in plain steps: on narrow rows they take half the time of torch's own.
    """

    rows: Tensor
    mean: Tensor
    rstd: Tensor
    values: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> _Normal:
        """(row - mean)/√(variance + ε) of rows (K, n, W)."""
        mean = rows.mean(-1, keepdim=True)
        values = rows - mean
        rstd = reciprocal_deviation(values)
        return cls(rows, mean, rstd, values.mul_(rstd))

    def backward(self, slope: Tensor) -> Tensor:
        """The slope in the rows from the slope in the values."""
        width = self.rows.shape[-1:]
        slope, _, _ = torch.ops.aten.native_layer_norm_backward(
            slope, self.rows, width, self.mean, self.rstd, None, None, (True, False, False)
        )
        return slope


@dataclass(frozen=True)
class _Block:
    """What one block leaves behind for its backward pass.

    Attributes:
        inputs: weight name -> what was multiplied with it.
        activation: what the backward pass of GELU needs.
    """

    name: str
    inputs: dict[str, Tensor]
    normal: _Normal
    activation: Tensor


@dataclass
class Tape:
    """What a forward pass leaves behind for its backward pass."""

    noisy: Tensor
    activation: Tensor
    down: list[_Block] = field(default_factory=list)
    up: list[_Block] = field(default_factory=list)
    readout: dict[str, Tensor] = field(default_factory=dict)


class PackedUNet:
    """K networks of equal shape, a `Denoiser` for the pack.

    The backward pass is written out: it needs no graph, and every gradient is written once, where
    the optimizer reads it.

    Attributes:
        shape: shape of every member.
        flat: (K·numel,) all weights.
        diffusion: what noised the strings.

    Args:
        gradient: (K·numel,) zeros, where `backward` writes; not needed where it is never called.
        products: how matrices are multiplied; in full precision without them.
        gelu: how GELU is worked out where a backward pass follows; by torch without it.
    """

    def __init__(
        self,
        shape: NetworkShape,
        diffusion: Diffusion,
        flat: Tensor,
        *,
        gradient: Tensor | None = None,
        products: Products | None = None,
        gelu: Gelu | None = None,
    ) -> None:
        self.shape = shape
        self.flat = flat
        self.diffusion = diffusion
        self._products = products or Products()
        self._gelu = gelu or SeparateGelu()
        self._noisy_input = NoisyInput(diffusion, shape.padded_vocab)
        self._weights = _broadcastable(shape.views(flat))
        self._gradients = {} if gradient is None else _broadcastable(shape.views(gradient))

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and steps (K, B)."""
        logits, _ = self.forward(x_t, t)
        return logits

    def forward(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tape]:
        """Logits as `__call__` gives them, and what `backward` needs."""
        noisy = self._noisy_input(x_t, t)
        h, activation = self._gelu.forward(self._product({"embedding": noisy}))
        tape = Tape(noisy, activation)
        skips = [h]
        for level in reversed(range(self.shape.depth)):
            joined = h.view(len(h), -1, self.shape.tuple_size * self.shape.width)
            h, block = self._block(f"down.{level}", {f"down.{level}": joined})
            tape.down.append(block)
            skips.append(h)
        for level in range(self.shape.depth):
            inputs = {f"skip.{level}": skips.pop(), f"up.{level}": h}
            h, block = self._block(f"up.{level}", inputs)
            tape.up.append(block)
        tape.readout = {"readout.skip": skips.pop(), "readout": h}
        return self._logits(self._read_out(tape.readout), x_t), tape

    def backward(self, tape: Tape, slope: Tensor) -> None:
        """Write the gradient of a loss whose slope in the logits (K, B, d, v) is given."""
        skip, above = self._read_out_backward(tape.readout, slope)
        skips = [skip]
        for block in reversed(tape.up):
            slope = self._block_backward(block, above)
            skip, above = (self._slope_in_input(name, slope) for name in block.inputs)
            skips.append(skip)
        above += skips.pop()
        for block in reversed(tape.down):
            slope = self._block_backward(block, above)
            above = self._slope_in_input(block.name, slope, added_to=skips.pop())
        slope = self._gelu.backward(above.view_as(tape.activation), tape.activation)
        self._product_backward({"embedding": tape.noisy}, slope)

    def _block(self, name: str, inputs: dict[str, Tensor]) -> tuple[Tensor, _Block]:
        """Products, LayerNorm over the channels with each member's scale and shift, GELU."""
        product = self._product(inputs)
        normal = _Normal.of(product.view(len(product), -1, self.shape.width))
        scale, shift = self._weights[f"{name}.scale"], self._weights[f"{name}.shift"]
        h, activation = self._gelu.forward(torch.addcmul(shift, normal.values, scale))
        return h, _Block(name, inputs, normal, activation)

    def _block_backward(self, block: _Block, slope: Tensor) -> Tensor:
        """Write the block's gradients; the slope in its product from the slope in its output."""
        scale, shift = f"{block.name}.scale", f"{block.name}.shift"
        slope = self._gelu.backward(slope.view_as(block.activation), block.activation)
        torch.sum(slope, 1, keepdim=True, out=self._gradients[shift])
        torch.sum(slope * block.normal.values, 1, keepdim=True, out=self._gradients[scale])
        slope = block.normal.backward(slope.mul_(self._weights[scale]))
        slope = slope.view(len(slope), -1, self._weights[block.name].shape[2])
        self._product_backward(block.inputs, slope)
        return slope

    def _product(self, inputs: dict[str, Tensor], onto: Tensor | None = None) -> Tensor:
        """Σ input @ weight over the inputs; with two of them, the product of a concatenation."""
        for name, h in inputs.items():
            onto = self._products.added(onto, h, self._weights[name], self._scale(name))
        assert onto is not None
        return onto

    def _product_backward(self, inputs: dict[str, Tensor], slope: Tensor) -> None:
        """Write the gradients of the inputs' weights."""
        for name, h in inputs.items():
            self._products.write(self._gradients[name], h.mT, slope, self._scale(name))

    def _slope_in_input(
        self, name: str, slope: Tensor, *, added_to: Tensor | None = None
    ) -> Tensor:
        """Slope in what a weight was multiplied with, from the slope in the product."""
        onto = None if added_to is None else added_to.view(*slope.shape[:2], -1)
        return self._products.added(onto, slope, self._weights[name].mT, self._scale(name))

    def _read_out(self, inputs: dict[str, Tensor]) -> Tensor:
        """Σ weight @ inputᵀ over the inputs, (K, padded v, n): symbol by symbol."""
        logits = None
        for name, h in inputs.items():
            logits = self._products.added(logits, self._weights[name], h.mT, self._scale(name))
        assert logits is not None
        return logits

    def _read_out_backward(self, inputs: dict[str, Tensor], slope: Tensor) -> list[Tensor]:
        """Write the readout's gradients; the slopes in its inputs from that in the logits."""
        padding = self.shape.padded_vocab - self.shape.vocab_size
        slope = F.pad(slope.movedim(-1, 1).flatten(2), (0, 0, 0, padding))
        slopes = []
        for name, h in inputs.items():
            weight, scale = self._weights[name], self._scale(name)
            self._products.write(self._gradients[name], slope, h, scale)
            slopes.append(self._products.added(None, slope.mT, weight, scale))
        return slopes

    def _logits(self, product: Tensor, x_t: Tensor) -> Tensor:
        """(K, B, d, v) from (K, padded v, B·d), still symbol by symbol in memory."""
        symbols = product[:, : self.shape.vocab_size]
        return symbols.unflatten(-1, x_t.shape[1:]).movedim(1, -1)

    def _scale(self, name: str) -> float:
        """1/√fan-in; the readout has 1/fan-in, the mean-field scaling of [C]."""
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


def _broadcastable(views: dict[str, Tensor]) -> dict[str, Tensor]:
    """Scales and shifts as (K, 1, W), to act on all rows."""
    return {name: x.unsqueeze(1) if x.dim() == 2 else x for name, x in views.items()}
