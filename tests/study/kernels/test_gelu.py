from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from study.kernels.gelu import FusedGelu, SeparateGelu


@pytest.mark.parametrize("gelu", [SeparateGelu(), FusedGelu()])
def test_value_and_derivative_equal_those_of_double_precision(gelu):
    x = torch.cat([torch.linspace(-20, 20, 4001), torch.tensor([0.0, -1e-30, 1e6, -1e6])])
    gradient = torch.linspace(-2, 2, len(x))
    exact = x.double().requires_grad_()
    expected = F.gelu(exact)
    expected.backward(gradient.double())
    value, saved = gelu.forward(x)
    assert exact.grad is not None
    assert torch.allclose(value.double(), expected.detach(), rtol=1e-6, atol=1e-6)
    assert torch.allclose(gelu.backward(gradient, saved).double(), exact.grad, rtol=1e-5, atol=2e-6)
