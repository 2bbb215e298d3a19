"""Training a pack of U-Nets: the forward pass that remembers, and the backward pass written out."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from study.kernels.gelu import Gelu, SeparateGelu
from study.kernels.products import Products
from study.models.inference import SharedTimeUNet
from study.models.noise import Noise
from study.models.unet_layers import UNetLayers, broadcastable, reciprocal_deviation
from study.models.weights import NetworkShape


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

    def backward(self, gradient: Tensor) -> Tensor:
        """The gradient in the rows from that in the values."""
        width = self.rows.shape[-1:]
        gradient, _, _ = torch.ops.aten.native_layer_norm_backward(
            gradient, self.rows, width, self.mean, self.rstd, None, None, (True, False, False)
        )
        return gradient


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


class PackedUNet(UNetLayers):
    """K networks of equal shape, a denoiser of the pack.

    The backward pass is written out: it needs no graph, and every gradient is written once, where
    the optimizer reads it. `study.models.reference` says plainly what it computes.

    Args:
        gradient: (K·numel,) zeros, where `backward` writes; not needed where it is never called.
        products: how matrices are multiplied; in full precision without them.
        gelu: how GELU is worked out where a backward pass follows; by torch without it.
    """

    def __init__(
        self,
        shape: NetworkShape,
        noise: Noise,
        flat: Tensor,
        *,
        gradient: Tensor | None = None,
        products: Products | None = None,
        gelu: Gelu | None = None,
    ) -> None:
        super().__init__(shape, noise, flat, products=products)
        self._gelu = gelu or SeparateGelu()
        self._gradients = {} if gradient is None else broadcastable(shape.views(gradient))

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and steps (K, B)."""
        logits, _ = self.forward(x_t, t)
        return logits

    def for_shared_time(self) -> SharedTimeUNet:
        """The networks as they are now, for where t is equal for all strings."""
        return SharedTimeUNet(self)

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

    def backward(self, tape: Tape, gradient: Tensor) -> None:
        """Write the gradient of a loss in all weights, from that in the logits (K, B, d, v)."""
        skip, above = self._read_out_backward(tape.readout, gradient)
        skips = [skip]
        for block in reversed(tape.up):
            gradient = self._block_backward(block, above)
            skip, above = (self._input_gradient(name, gradient) for name in block.inputs)
            skips.append(skip)
        above += skips.pop()
        for block in reversed(tape.down):
            gradient = self._block_backward(block, above)
            above = self._input_gradient(block.name, gradient, added_to=skips.pop())
        gradient = self._gelu.backward(above.view_as(tape.activation), tape.activation)
        self._product_backward({"embedding": tape.noisy}, gradient)

    def _block(self, name: str, inputs: dict[str, Tensor]) -> tuple[Tensor, _Block]:
        """Products, LayerNorm over the channels with each member's scale and shift, GELU."""
        product = self._product(inputs)
        normal = _Normal.of(product.view(len(product), -1, self.shape.width))
        scale, shift = self._weights[f"{name}.scale"], self._weights[f"{name}.shift"]
        h, activation = self._gelu.forward(torch.addcmul(shift, normal.values, scale))
        return h, _Block(name, inputs, normal, activation)

    def _block_backward(self, block: _Block, gradient: Tensor) -> Tensor:
        """Write the block's gradients; the gradient in its product from that in its output."""
        scale, shift = f"{block.name}.scale", f"{block.name}.shift"
        gradient = self._gelu.backward(gradient.view_as(block.activation), block.activation)
        torch.sum(gradient, 1, keepdim=True, out=self._gradients[shift])
        torch.sum(gradient * block.normal.values, 1, keepdim=True, out=self._gradients[scale])
        gradient = block.normal.backward(gradient.mul_(self._weights[scale]))
        gradient = gradient.view(len(gradient), -1, self._weights[block.name].shape[2])
        self._product_backward(block.inputs, gradient)
        return gradient

    def _product_backward(self, inputs: dict[str, Tensor], gradient: Tensor) -> None:
        """Write the gradients of the inputs' weights."""
        for name, h in inputs.items():
            self._products.write(self._gradients[name], h.mT, gradient, self._scale(name))

    def _input_gradient(
        self, name: str, gradient: Tensor, *, added_to: Tensor | None = None
    ) -> Tensor:
        """The gradient in what a weight was multiplied with, from that in the product."""
        onto = None if added_to is None else added_to.view(*gradient.shape[:2], -1)
        return self._products.accumulate(onto, gradient, self._weights[name].mT, self._scale(name))

    def _read_out_backward(self, inputs: dict[str, Tensor], gradient: Tensor) -> list[Tensor]:
        """Write the readout's gradients; those in its inputs from that in the logits."""
        padding = self.shape.padded_vocab - self.shape.vocab_size
        gradient = F.pad(gradient.movedim(-1, 1).flatten(2), (0, 0, 0, padding))
        gradients = []
        for name, h in inputs.items():
            weight, scale = self._weights[name], self._scale(name)
            self._products.write(self._gradients[name], gradient, h, scale)
            gradients.append(self._products.accumulate(None, gradient.mT, weight, scale))
        return gradients
