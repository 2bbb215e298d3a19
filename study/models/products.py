"""The scaled products of `study.kernels.products` under autograd: no pass for the scale alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from study.kernels.products import Products

_products = Products()


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.scale = scale
        return _products.accumulate(None, a, b, scale)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, gradient: Tensor
    ) -> tuple[Tensor | None, Tensor | None, None]:
        a, b = ctx.saved_tensors
        needs_a, needs_b, _ = ctx.needs_input_grad
        in_a = _products.accumulate(None, gradient, b.mT, ctx.scale) if needs_a else None
        in_b = _products.accumulate(None, a.mT, gradient, ctx.scale) if needs_b else None
        return in_a, in_b, None


def product(a: Tensor, b: Tensor, scale: float) -> Tensor:
    """scale·a @ b, (K, n, o) from (K, n, i) and (K, i, o), in float32."""
    return _Product.apply(a, b, scale)  # pyright: ignore[reportReturnType]
