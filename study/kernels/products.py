"""The batched matrix products of a pack, in the precision that its training asks for.

`float32` is full precision; `tf32` rounds factors to 10 bits of mantissa, on GPUs that can and
nowhere else; `bfloat16` rounds factors and products to 7. All add up in float32, and weights,
LayerNorm, loss and optimizer are float32 always.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Products:
    """Products scale·a @ b of float32 tensors (K, n, i) and (K, i, o).

    Attributes:
        precision: float32, tf32 or bfloat16.
    """

    precision: str = "float32"

    def accumulate(self, onto: Tensor | None, a: Tensor, b: Tensor, scale: float) -> Tensor:
        """The product, added in place to what is there already; alone where nothing is."""
        if self.precision == "bfloat16":
            product = _narrow(a, b).float().mul_(scale)
            return product if onto is None else onto.add_(product)
        if onto is None:
            return torch.baddbmm(a.new_empty(()), a, b, beta=0, alpha=scale)
        return onto.baddbmm_(a, b, alpha=scale)

    def write(self, out: Tensor, a: Tensor, b: Tensor, scale: float) -> None:
        """The product, written into `out`."""
        if self.precision == "bfloat16":
            out.copy_(_narrow(a, b)).mul_(scale)
        else:
            out.baddbmm_(a, b, beta=0, alpha=scale)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """While it lasts, float32 products on a GPU round as tf32 does, if that is asked for."""
        matmul = torch.backends.cuda.matmul
        before = matmul.allow_tf32
        matmul.allow_tf32 = self.precision == "tf32"
        try:
            yield
        finally:
            matmul.allow_tf32 = before


def _narrow(a: Tensor, b: Tensor) -> Tensor:
    return torch.bmm(a.bfloat16(), b.bfloat16())
