from __future__ import annotations

import torch

from study.kernels.adam import Adam


def test_it_takes_the_steps_of_torch_optim():
    g = torch.Generator().manual_seed(0)
    weights = torch.randn(100, generator=g)
    theirs = weights.clone()
    gradient = torch.zeros(100)
    count = torch.tensor(0.0)
    ours = Adam(weights, gradient, torch.zeros(100), torch.zeros(100), count, 0.03)
    optimizer = torch.optim.Adam([theirs], lr=0.03)
    for _ in range(20):
        gradient.copy_(torch.randn(100, generator=g))
        theirs.grad = gradient.clone()
        ours.step()
        optimizer.step()
    assert torch.allclose(weights, theirs, rtol=1e-5)
    assert float(count) == 20
