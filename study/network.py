"""The U-Net in the tree's own shape, for a whole pack of trainings at once ([C], [S]).

Because stride and kernel are both s, a layer that joins s neighbours is one matrix product on
reshaped leaves, and the same layer of K members is one batched product. Activations at level l are
(K, B·s^l, W). All weights lie in one flat buffer, parameter by parameter, so that the optimizer is
one operation and every parameter is a contiguous (K, fan-in, fan-out).

Bits must not depend on the pack or, on a CPU, on the number of threads. Batched products of two and
more members keep to that at any size; the product of a single member does at multiples of 4 rows
and 8 columns (`is_even`), for which the vocabulary is padded with symbols that never occur.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from study.config import TrialConfig
from study.diffusion import Diffusion
from study.randomness import generator

LAYER_NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class NetworkShape:
    """What fixes the shapes of all tensors; equal for the members of a pack."""

    depth: int
    tuple_size: int
    vocab_size: int
    width: int

    @classmethod
    def of(cls, config: TrialConfig) -> NetworkShape:
        """The shape of a training's network."""
        grammar = config.grammar
        return cls(grammar.depth, grammar.tuple_size, grammar.vocab_size, config.network.width)

    @property
    def padded_vocab(self) -> int:
        """v, rounded up to a multiple of 8."""
        return -(-self.vocab_size // 8) * 8

    @cached_property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Parameter name -> its shape for one member.

        `down.l` joins the children of level l + 1 into level l; `up.l` and `skip.l` spread level l
        over its children.
        """
        s, v, W = self.tuple_size, self.padded_vocab, self.width
        shapes: dict[str, tuple[int, ...]] = {"embedding": (v, W)}
        for level in reversed(range(self.depth)):
            shapes |= {f"down.{level}": (s * W, W)}
            shapes |= {f"down.{level}.scale": (W,), f"down.{level}.shift": (W,)}
        for level in range(self.depth):
            shapes |= {f"up.{level}": (W, s * W), f"skip.{level}": (W, s * W)}
            shapes |= {f"up.{level}.scale": (W,), f"up.{level}.shift": (W,)}
        return shapes | {"readout": (W, v), "readout.skip": (W, v)}

    @cached_property
    def numel(self) -> int:
        """Numbers of one member, padding included."""
        return sum(map(math.prod, self.parameters.values()))

    def is_even(self, rows: int) -> bool:
        """Whether a lone member's products of so many rows keep their bits on several threads."""
        return rows % 4 == 0 and self.width % 8 == 0

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """Every parameter as a view (K, *shape) of the flat buffer (K·numel,)."""
        members = len(flat) // self.numel
        sizes = (members * math.prod(shape) for shape in self.parameters.values())
        ranges = pairwise(accumulate(sizes, initial=0))
        return {
            name: flat[start:end].view(members, *shape)
            for (name, shape), (start, end) in zip(self.parameters.items(), ranges, strict=True)
        }

    def rows(self, flat: Tensor) -> Tensor:
        """The flat buffer by member: (K·numel,) -> (K, numel), a copy."""
        return torch.cat([view.flatten(1) for view in self.views(flat).values()], dim=1)

    def flattened(self, rows: Tensor) -> Tensor:
        """The inverse of `rows`."""
        sizes = [math.prod(shape) for shape in self.parameters.values()]
        return torch.cat([part.flatten() for part in rows.split(sizes, dim=1)])


def initial_weights(shape: NetworkShape, seeds: Sequence[int]) -> Tensor:
    """Flat weights (K·numel,) drawn from N(0, 1), LayerNorm scales 1 and shifts 0; padding is 0.

    Drawn on the CPU, so that a training starts alike on every device.
    """
    flat = torch.zeros(len(seeds) * shape.numel)
    views = shape.views(flat)
    for k, seed in enumerate(seeds):
        stream = generator(torch.device("cpu"), seed, "initialization")
        for name, view in views.items():
            if name.endswith(".scale"):
                view[k] = 1.0
            elif not name.endswith(".shift"):
                view[k] = torch.randn(view.shape[1:], generator=stream)
    v = shape.vocab_size
    views["embedding"][:, v:] = 0
    views["readout"][..., v:] = 0
    views["readout.skip"][..., v:] = 0
    return flat


@dataclass(frozen=True)
class _Block:
    """What one block leaves behind for its backward pass.

    Attributes:
        inputs: weight name -> what was multiplied with it.
        product, mean, rstd, normal: what LayerNorm read and made.
        activation: what GELU read.
    """

    name: str
    inputs: dict[str, Tensor]
    product: Tensor
    mean: Tensor
    rstd: Tensor
    normal: Tensor
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
        self._noisy_input = _NoisyInput(diffusion, shape.padded_vocab)
        self._weights = shape.views(flat)
        self._gradients = shape.views(self.gradient)

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and steps (K, B)."""
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
            joined = h.reshape(len(h), -1, self.shape.tuple_size * self.shape.width)
            h, block = self._block(f"down.{level}", {f"down.{level}": joined})
            tape.down.append(block)
            skips.append(h)
        for level in range(self.shape.depth):
            inputs = {f"up.{level}": h, f"skip.{level}": skips.pop()}
            h, block = self._block(f"up.{level}", inputs)
            tape.up.append(block)
        tape.readout = {"readout": h, "readout.skip": skips.pop()}
        logits = self._product(tape.readout).view(*x_t.shape, -1)
        return logits[..., : self.shape.vocab_size], tape

    def backward(self, tape: _Tape, slope: Tensor) -> None:
        """Write the gradient of a loss whose slope in the logits (K, B, d, v) is given."""
        padding = self.shape.padded_vocab - self.shape.vocab_size
        slopes = self._product_backward(tape.readout, F.pad(slope, (0, padding)).flatten(1, 2))
        skip_slopes = [slopes["readout.skip"]]
        above = slopes["readout"]
        while tape.up:
            block = tape.up.pop()
            above, skip = self._block_backward(block, above).values()
            skip_slopes.append(skip)
        above = above + skip_slopes.pop()
        while tape.down:
            block = tape.down.pop()
            (below,) = self._block_backward(block, above).values()
            above = below.view_as(skip_slopes[-1]) + skip_slopes.pop()
        above = torch.ops.aten.gelu_backward(above, tape.embedded)
        self._product_backward({"embedding": tape.noisy}, above, onward=False)

    def _block(self, name: str, inputs: dict[str, Tensor]) -> tuple[Tensor, _Block]:
        """Products, LayerNorm over the channels with each member's scale and shift, GELU."""
        product = self._product(inputs)
        product = product.view(len(product), -1, self.shape.width)
        normal, mean, rstd = torch.native_layer_norm(
            product, (self.shape.width,), None, None, LAYER_NORM_EPSILON
        )
        scale, shift = self._weights[f"{name}.scale"], self._weights[f"{name}.shift"]
        activation = torch.addcmul(shift.unsqueeze(1), normal, scale.unsqueeze(1))
        block = _Block(name, inputs, product, mean, rstd, normal, activation)
        return F.gelu(activation), block

    def _block_backward(self, block: _Block, slope: Tensor) -> dict[str, Tensor]:
        """Slopes in the block's inputs, by weight name, from the slope in its output."""
        slope = slope.view_as(block.activation)
        slope = torch.ops.aten.gelu_backward(slope, block.activation)
        torch.sum(slope, 1, out=self._gradients[f"{block.name}.shift"])
        torch.sum(slope * block.normal, 1, out=self._gradients[f"{block.name}.scale"])
        slope = slope * self._weights[f"{block.name}.scale"].unsqueeze(1)
        slope, _, _ = torch.ops.aten.native_layer_norm_backward(
            slope,
            block.product,
            (self.shape.width,),
            block.mean,
            block.rstd,
            None,
            None,
            (True, False, False),
        )
        return self._product_backward(block.inputs, slope)

    def _product(self, inputs: dict[str, Tensor]) -> Tensor:
        """Σ input @ weight over the inputs; with two of them, the product of a concatenation."""
        total: Tensor | None = None
        for name, h in inputs.items():
            weight = self._weights[name]
            start = h.new_empty(()) if total is None else total
            beta = 0 if total is None else 1
            scale = self._scale(name)
            total = torch.baddbmm(start, h, weight, beta=beta, alpha=scale)
        assert total is not None
        return total

    def _product_backward(
        self, inputs: dict[str, Tensor], slope: Tensor, *, onward: bool = True
    ) -> dict[str, Tensor]:
        """Write the weights' gradients; slopes in the inputs, by weight name, unless not onward."""
        slopes = {}
        for name, h in inputs.items():
            weight, scale = self._weights[name], self._scale(name)
            slope = slope.reshape(len(h), h.shape[1], weight.shape[2])
            gradient = self._gradients[name]
            torch.baddbmm(gradient, h.mT, slope, beta=0, alpha=scale, out=gradient)
            if onward:
                slopes[name] = torch.baddbmm(h.new_empty(()), slope, weight.mT, beta=0, alpha=scale)
        return slopes

    def _scale(self, name: str) -> float:
        """1/√fan-in; the readout has 1/fan-in, the mean-field scaling of [C]."""
        if name == "embedding":
            return 1 / math.sqrt(self.shape.vocab_size)
        if name.startswith("readout"):
            return 1 / (2 * self.shape.width)
        if name.startswith("down"):
            return 1 / math.sqrt(self.shape.tuple_size * self.shape.width)
        return 1 / math.sqrt(2 * self.shape.width)


class _NoisyInput:
    """The only place where time enters: u = ᾱ_t·onehot + (1-ᾱ_t)/v, standardised over t.

    With μ = mean_t[ᾱ_t + (1-ᾱ_t)/v] and σ² = mean_t[ᾱ_t + (1-ᾱ_t)/v²] - μ², t = 0 … T ([C]).
    """

    def __init__(self, diffusion: Diffusion, padded_vocab: int) -> None:
        v, keep = diffusion.vocab_size, diffusion.alpha_bar.double()
        mean = (keep + (1 - keep) / v).mean()
        deviation = ((keep + (1 - keep) / v**2).mean() - mean**2).sqrt()
        self._symbols = torch.arange(padded_vocab, device=keep.device)
        self._step = (keep / deviation).float().unsqueeze(-1)
        base = (((1 - keep) / v - mean) / deviation).float()
        self._base = torch.where(self._symbols < v, base.unsqueeze(-1), 0)

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """(K, B·d, padded v) from tokens (K, B, d) and steps (K, B); 0 at the padding."""
        one_hot = x_t.unsqueeze(-1) == self._symbols
        step, base = self._step[t].unsqueeze(-2), self._base[t].unsqueeze(-2)
        return (base + step * one_hot).flatten(1, 2)
