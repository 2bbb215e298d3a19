"""The U-Net where t is equal for all strings, as in every reverse step of generation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from study.models.features import Lookup
from study.models.unet_layers import UNetLayers, reciprocal_deviation
from study.models.weights import NetworkShape


class SharedTimeUNet(UNetLayers):
    """A pack's networks as they are now, at one t for all strings, without a backward pass.

    The features of a leaf follow from its symbol and those above from few symbols: as long as there
    are fewer of them than nodes, each is computed once and looked up. The mean that LayerNorm would
    subtract is taken out of the weights beforehand.
    """

    def __init__(self, network: UNetLayers) -> None:
        super().__init__(network.shape, network.noise, _centred(network.shape, network.flat))

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Logits (K, B, d, v) of p̃ from tokens (K, B, d) and one step (1, 1) for all."""
        symbols = torch.arange(self._noisy_input.num_inputs, device=x_t.device)
        noisy = self._noisy_input(symbols.view(1, 1, -1), t).expand(len(x_t), -1, -1)
        leaves = Lookup(F.gelu(self._product({"embedding": noisy})), x_t.flatten(1))
        h: Tensor | Lookup = leaves
        skips: list[Tensor | Lookup] = []
        for level in reversed(range(self.shape.depth)):
            h = self._joined(f"down.{level}", h)
            skips.append(h)
        h = h.rows() if isinstance(h, Lookup) else h
        for level in range(self.shape.depth):
            total = self._skipped(f"skip.{level}", skips.pop())
            h = self._features(f"up.{level}", self._product({f"up.{level}": h}, onto=total))
        skip = Lookup(self._read_out({"readout.skip": leaves.table}).mT, leaves.index).rows()
        return self._logits(self._read_out({"readout": h}).add_(skip.mT), x_t)

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
        """LayerNorm of rows without mean, and GELU, all in place."""
        rows = product.view(len(product), -1, self.shape.width)
        rows *= reciprocal_deviation(rows)
        scale, shift = self._weights[f"{name}.scale"], self._weights[f"{name}.shift"]
        return torch.ops.aten.gelu_(torch.addcmul(shift, rows, scale, out=rows))


def _centred(shape: NetworkShape, flat: Tensor) -> Tensor:
    """The weights, with products that have no mean over the channels of a node."""
    flat = flat.clone()
    for name, view in shape.views(flat).items():
        if name.startswith(("down.", "up.", "skip.")) and view.dim() == 3:
            nodes = view.unflatten(-1, (-1, shape.width))
            nodes -= nodes.mean(-1, keepdim=True)
    return flat
