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

from study.diffusion import Diffusion
from study.features import Lookup, NoisyInput
from study.weights import NetworkShape

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
        rstd = _reciprocal_deviation(values)
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
        activation: what GELU read.
    """

    name: str
    inputs: dict[str, Tensor]
    normal: _Normal
    activation: Tensor


@dataclass
class _Tape:
    """What a forward pass leaves behind for its backward pass."""

    noisy: Tensor
    embedded: Tensor
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
        gradient: (K·numel,) what the last `backward` wrote; padding stays 0.
    """

    def __init__(self, shape: NetworkShape, diffusion: Diffusion, flat: Tensor) -> None:
        self.shape = shape
        self.flat = flat
        self.gradient = torch.zeros_like(flat)
        self._noisy_input = NoisyInput(diffusion, shape.padded_vocab)
        self._nothing = flat.new_zeros(())
        self._weights = _broadcastable(shape.views(flat))
        self._gradients = _broadcastable(shape.views(self.gradient))

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and steps (K, B), or (1, 1) for all."""
        if t.numel() == 1:
            return self._at_one_step(x_t, t)
        logits, _ = self.forward(x_t, t)
        return logits

    def forward(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, _Tape]:
        """Logits as `__call__` gives them, and what `backward` needs."""
        noisy = self._noisy_input(x_t, t)
        embedded = self._product({"embedding": noisy})
        tape = _Tape(noisy, embedded)
        h = F.gelu(embedded)
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
        return self._logits(self._product(tape.readout), x_t), tape

    def backward(self, tape: _Tape, slope: Tensor) -> None:
        """Write the gradient of a loss whose slope in the logits (K, B, d, v) is given."""
        padding = self.shape.padded_vocab - self.shape.vocab_size
        slope = F.pad(slope.movedim(-1, 1).flatten(2), (0, 0, 0, padding)).mT
        self._product_backward(tape.readout, slope)
        skip, above = (self._slope_in_input(name, slope) for name in tape.readout)
        skips = [skip]
        for block in reversed(tape.up):
            slope = self._block_backward(block, above)
            skip, above = (self._slope_in_input(name, slope) for name in block.inputs)
            skips.append(skip)
        above += skips.pop()
        for block in reversed(tape.down):
            slope = self._block_backward(block, above)
            above = self._slope_in_input(block.name, slope, added_to=skips.pop())
        slope = torch.ops.aten.gelu_backward(above.view_as(tape.embedded), tape.embedded)
        self._product_backward({"embedding": tape.noisy}, slope)

    def _block(self, name: str, inputs: dict[str, Tensor]) -> tuple[Tensor, _Block]:
        """Products, LayerNorm over the channels with each member's scale and shift, GELU."""
        product = self._product(inputs)
        normal = _Normal.of(product.view(len(product), -1, self.shape.width))
        scale, shift = self._weights[f"{name}.scale"], self._weights[f"{name}.shift"]
        activation = torch.addcmul(shift, normal.values, scale)
        return F.gelu(activation), _Block(name, inputs, normal, activation)

    def _block_backward(self, block: _Block, slope: Tensor) -> Tensor:
        """Write the block's gradients; the slope in its product from the slope in its output."""
        scale, shift = f"{block.name}.scale", f"{block.name}.shift"
        slope = torch.ops.aten.gelu_backward(slope.view_as(block.activation), block.activation)
        torch.sum(slope, 1, keepdim=True, out=self._gradients[shift])
        torch.sum(slope * block.normal.values, 1, keepdim=True, out=self._gradients[scale])
        slope = block.normal.backward(slope.mul_(self._weights[scale]))
        slope = slope.view(len(slope), -1, self._weights[block.name].shape[2])
        self._product_backward(block.inputs, slope)
        return slope

    def _product(self, inputs: dict[str, Tensor], onto: Tensor | None = None) -> Tensor:
        """Σ input @ weight over the inputs; with two of them, the product of a concatenation."""
        for name, h in inputs.items():
            weight, scale = self._weights[name], self._scale(name)
            if onto is None:
                onto = torch.baddbmm(self._nothing, h, weight, beta=0, alpha=scale)
            else:
                onto.baddbmm_(h, weight, alpha=scale)
        assert onto is not None
        return onto

    def _product_backward(self, inputs: dict[str, Tensor], slope: Tensor) -> None:
        """Write the gradients of the inputs' weights."""
        for name, h in inputs.items():
            gradient = self._gradients[name]
            gradient.baddbmm_(h.mT, slope, beta=0, alpha=self._scale(name))

    def _slope_in_input(
        self, name: str, slope: Tensor, *, added_to: Tensor | None = None
    ) -> Tensor:
        """Slope in what a weight was multiplied with, from the slope in the product."""
        weight, scale = self._weights[name], self._scale(name)
        if added_to is None:
            return torch.baddbmm(self._nothing, slope, weight.mT, beta=0, alpha=scale)
        return added_to.view(len(slope), slope.shape[1], -1).baddbmm_(slope, weight.mT, alpha=scale)

    def _logits(self, product: Tensor, x_t: Tensor) -> Tensor:
        """(K, B, d, v), laid out symbol by symbol as the diffusion likes it."""
        by_symbol = product.mT[:, : self.shape.vocab_size].contiguous()
        return by_symbol.unflatten(-1, x_t.shape[1:]).movedim(1, -1)

    def _at_one_step(self, x_t: Tensor, t: Tensor) -> Tensor:
        """The logits where t is equal for all strings.

        Then the features of a leaf follow from its symbol and those above from few symbols: as long
        as there are fewer of them than nodes, each is computed once and looked up.
        """
        symbols = torch.arange(self.shape.vocab_size, device=x_t.device)
        noisy = self._noisy_input(symbols.view(1, 1, -1), t).expand(len(x_t), -1, -1)
        h: Tensor | Lookup = Lookup(F.gelu(self._product({"embedding": noisy})), x_t.flatten(1))
        skips: list[Tensor | Lookup] = [h]
        for level in reversed(range(self.shape.depth)):
            h = self._joined(f"down.{level}", h)
            skips.append(h)
        h = h.rows() if isinstance(h, Lookup) else h
        for level in range(self.shape.depth):
            total = self._skipped(f"skip.{level}", skips.pop())
            h = self._features(f"up.{level}", self._product({f"up.{level}": h}, onto=total))
        total = self._skipped("readout.skip", skips.pop())
        return self._logits(self._product({"readout": h}, onto=total), x_t)

    def _joined(self, name: str, h: Tensor | Lookup) -> Tensor | Lookup:
        """A down block on features or, while they are few, on all they can be."""
        s = self.shape.tuple_size
        joined = h.joined(s) if isinstance(h, Lookup) else h.view(len(h), -1, s * h.shape[2])
        if isinstance(joined, Lookup):
            product = self._product({name: joined.table})
            return Lookup(self._features(name, product), joined.index)
        return self._features(name, self._product({name: joined}))

    def _skipped(self, name: str, h: Tensor | Lookup) -> Tensor:
        """Features times a skip's weight."""
        if isinstance(h, Lookup):
            return Lookup(self._product({name: h.table}), h.index).rows()
        return self._product({name: h})

    def _features(self, name: str, product: Tensor) -> Tensor:
        """LayerNorm and GELU where no backward pass will follow, all in place."""
        rows = product.view(len(product), -1, self.shape.width)
        rows -= rows.mean(-1, keepdim=True)
        rows *= _reciprocal_deviation(rows)
        scale, shift = self._weights[f"{name}.scale"], self._weights[f"{name}.shift"]
        return torch.ops.aten.gelu_(torch.addcmul(shift, rows, scale, out=rows))

    def _scale(self, name: str) -> float:
        """1/√fan-in; the readout has 1/fan-in, the mean-field scaling of [C]."""
        if name == "embedding":
            return 1 / math.sqrt(self.shape.vocab_size)
        if name.startswith("readout"):
            return 1 / (2 * self.shape.width)
        if name.startswith("down"):
            return 1 / math.sqrt(self.shape.tuple_size * self.shape.width)
        return 1 / math.sqrt(2 * self.shape.width)


def _reciprocal_deviation(centred: Tensor) -> Tensor:
    """1/√(variance + ε) over the channels of rows without their mean."""
    norm = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    epsilon = norm.new_full((), LAYER_NORM_EPSILON)
    return torch.addcmul(epsilon, norm, norm, value=1 / centred.shape[-1]).rsqrt_()


def _broadcastable(views: dict[str, Tensor]) -> dict[str, Tensor]:
    """Scales and shifts as (K, 1, W), to act on all rows."""
    return {name: x.unsqueeze(1) if x.dim() == 2 else x for name, x in views.items()}
