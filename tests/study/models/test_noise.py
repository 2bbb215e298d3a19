"""What the networks read, under every noise process."""

from __future__ import annotations

import pytest
import torch

from study.models.features import NoisyInput
from study.models.noise import trust
from study.processes.absorbing import Absorbing
from study.processes.process import Diffusion
from study.processes.registry import PROCESSES
from study.processes.uniform import Uniform

V, PADDED = 5, 8


def entries(diffusion: Diffusion, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The input (K, B, d, padded v)."""
    network_input = NoisyInput(diffusion, V, PADDED)
    assert network_input.num_inputs == diffusion.num_inputs
    return network_input(x_t, t).unflatten(1, x_t.shape[1:])


@pytest.mark.parametrize("process", PROCESSES.values())
def test_a_leaf_is_read_as_its_normalised_evidence(process: type[Diffusion]):
    diffusion, T = process.build(30, V), 30
    t = torch.arange(1, T).unsqueeze(0)  # at T no symbol is seen under absorbing noise
    x_t = torch.arange(diffusion.num_inputs).expand(1, T - 1, -1)
    found = entries(diffusion, x_t, t)
    evidence = diffusion.likelihood(x_t, t).double()
    evidence /= evidence.sum(-1, keepdim=True)
    mean = (diffusion.alpha_bar + (1 - diffusion.alpha_bar) / V).double().mean()
    square = (diffusion.alpha_bar + (1 - diffusion.alpha_bar) / V**2).double().mean()
    expected = (evidence - mean) / (square - mean**2).sqrt()
    assert torch.allclose(found[..., :V].double(), expected, atol=1e-5)
    assert (found[..., V:] == 0).all()


def test_under_absorbing_noise_a_leafs_own_entry_is_standardised_and_knows_no_time():
    diffusion, n = Absorbing.build(200, V), 2000
    g = torch.Generator().manual_seed(0)
    t = torch.arange(201).repeat_interleave(n).unsqueeze(0)
    x_0 = torch.zeros(1, 201 * n, 1, dtype=torch.long)
    x_t = diffusion.noised(x_0, t, torch.rand(x_0.shape, generator=g))
    own = entries(diffusion, x_t, t)[..., 0].double()
    assert float(own.mean()) == pytest.approx(0, abs=0.01)
    assert float(own.std()) == pytest.approx(1, abs=0.01)
    assert len(own.unique()) == 2
    assert torch.isfinite(own).all()


@pytest.mark.parametrize("v", [2, 3, 6, 39, 49, 100, 255])
@pytest.mark.parametrize("T", [21, 200, 1000])
def test_under_uniform_noise_no_bit_of_the_input_is_another(v: int, T: int):
    diffusion = Uniform.build(T, v)
    assert torch.equal(trust(diffusion, v), diffusion.alpha_bar.double())
