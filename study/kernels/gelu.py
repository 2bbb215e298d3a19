"""GELU(x) = x·Φ(x), Φ the standard normal distribution function, and its backward pass.

Two ways to one function. torch's kernels are the fastest when every operation is a pass of its own.
Where a compiler fuses passes, it is better to work out Φ and the density φ together, once, and to
save the derivative: then the backward pass is a product.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

COEFFICIENTS = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
POLE = 0.3275911
"""a_1 … a_5 and p of Abramowitz and Stegun 7.1.26, for the error function."""


class Gelu(Protocol):
    """GELU with its backward pass."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """GELU(x), and what `backward` needs; both of the shape of x."""
        ...

    def backward(self, gradient: Tensor, saved: Tensor) -> Tensor:
        """The gradient in x from the gradient in GELU(x)."""
        ...


class SeparateGelu:
    """torch's own two kernels."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `Gelu`; x itself is saved."""
        return F.gelu(x), x

    def backward(self, gradient: Tensor, saved: Tensor) -> Tensor:
        """See `Gelu`."""
        return torch.ops.aten.gelu_backward(gradient, saved)


class FusedGelu:
    """Φ by Abramowitz and Stegun 7.1.26, off by 1e-7 at most, made of what a compiler can fuse."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `Gelu`; the derivative Φ(x) + x·φ(x) is saved."""
        bell = torch.exp(-0.5 * x * x)
        t = 1 / (1 + POLE * math.sqrt(0.5) * x.abs())
        series = torch.zeros_like(t)
        for coefficient in reversed(COEFFICIENTS):
            series = t * (coefficient + series)
        tail = 0.5 * series * bell
        phi = torch.where(x > 0, 1 - tail, tail)
        return x * phi, phi + x * bell * math.sqrt(0.5 / math.pi)

    def backward(self, gradient: Tensor, saved: Tensor) -> Tensor:
        """See `Gelu`."""
        return gradient * saved
