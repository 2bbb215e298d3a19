"""The packed network against the plain reference in float64, and a loss written out plainly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from study.models.inference import SharedTimeUNet
from study.models.noise import Noise
from study.models.reference import ReferenceUNet
from study.models.unet import PackedUNet
from study.models.weights import NetworkShape, initial_weights
from study.processes.process import Diffusion
from study.processes.registry import PROCESSES
from study.processes.uniform import Uniform

SHAPES = [NetworkShape(3, 2, 6, 16), NetworkShape(2, 3, 5, 7), NetworkShape(1, 4, 3, 1)]


def reference(shape: NetworkShape, flat: Tensor, member: int, noise: Noise) -> ReferenceUNet:
    """One member of a flat buffer as the plain network, in float64."""
    network = ReferenceUNet(shape, noise).double()
    network.assign(shape.views(flat), member)
    return network


def plain_loss(diffusion: Diffusion, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
    """Mean KL of full posteriors over symbols and mask, by the definition."""
    v, n = diffusion.vocab_size, diffusion.num_inputs
    alpha, alpha_bar, pi = diffusion.alpha, diffusion.alpha_bar, diffusion.stationary

    def posterior(x_0: Tensor) -> Tensor:
        earlier = alpha_bar[t - 1][:, None, None]
        last = alpha[t][:, None, None]
        forward = last * F.one_hot(x_t, n) + (1 - last) * pi[x_t].unsqueeze(-1)
        joint = forward * (earlier * F.pad(x_0, (0, n - v)) + (1 - earlier) * pi)
        return joint / joint.sum(-1, keepdim=True)

    q, p = posterior(F.one_hot(x_0, v).double()), posterior(logits.softmax(-1))
    p = torch.where(q > 0, p, 1)  # a symbol that cannot be adds nothing, and no gradient
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(-1).mean()


def setting(
    shape: NetworkShape, process: type[Diffusion] = Uniform
) -> tuple[Diffusion, PackedUNet, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    diffusion = process.build(25, shape.vocab_size)
    flat = initial_weights(shape, [3, 4])
    for name, view in shape.views(flat).items():
        if name.endswith(("scale", "shift")):  # away from 1 and 0, where errors could hide
            view += 0.3 * torch.randn(view.shape, generator=g)
    leaves = shape.tuple_size**shape.depth
    x_0 = torch.randint(shape.vocab_size, (2, 9, leaves), generator=g)
    t = torch.randint(1, 26, (2, 9), generator=g)
    x_t = diffusion.noised(x_0, t, torch.rand(x_0.shape, generator=g))
    flat.grad = torch.zeros_like(flat)
    return diffusion, PackedUNet(shape, diffusion, flat, gradient=flat.grad), x_0, x_t, t


@pytest.mark.parametrize("process", PROCESSES.values())
@pytest.mark.parametrize("shape", SHAPES)
def test_logits_loss_and_gradients_equal_the_plain_network(shape, process):
    diffusion, network, x_0, x_t, t = setting(shape, process)
    logits, tape = network.forward(x_t, t)
    loss, gradient = diffusion.loss_and_gradient(logits, x_0, x_t, t)
    network.backward(tape, gradient / loss[0].numel())
    exact = process.build(25, shape.vocab_size, dtype=torch.float64)
    assert network.flat.grad is not None
    for k in range(2):
        plain = reference(shape, network.flat, k, exact)
        expected_logits = plain(x_t[k], t[k])
        expected = plain_loss(exact, expected_logits, x_0[k], x_t[k], t[k])
        expected.backward()
        assert torch.allclose(logits[k].double(), expected_logits, atol=1e-5)
        assert float(loss[k].mean()) == pytest.approx(expected.item(), abs=1e-5)
        gradients = dict(reference(shape, network.flat.grad, k, exact).named_parameters())
        for name, weight in plain.named_parameters():
            assert weight.grad is not None
            assert torch.allclose(gradients[name], weight.grad, atol=1e-5), name


@pytest.mark.parametrize("shape", SHAPES)
def test_the_flat_buffer_holds_every_parameter_once(shape):
    flat = torch.arange(2 * shape.numel)
    views = shape.views(flat)
    assert sorted(torch.cat([view.flatten() for view in views.values()]).tolist()) == flat.tolist()
    assert torch.equal(shape.flattened(shape.rows(flat)), flat)
    one = shape.views(shape.rows(flat)[1])
    assert all(torch.equal(one[name][0], view[1]) for name, view in views.items())


def test_the_padding_of_the_vocabulary_stays_zero():
    shape = SHAPES[1]
    diffusion, network, x_0, x_t, t = setting(shape)
    logits, tape = network.forward(x_t, t)
    network.backward(tape, diffusion.loss_and_gradient(logits, x_0, x_t, t)[1])
    for flat in (network.flat, network.flat.grad):
        assert flat is not None
        views = shape.views(flat)
        assert (views["embedding"][:, shape.vocab_size :] == 0).all()
        assert (views["readout"][:, shape.vocab_size :] == 0).all()
        assert (views["readout.skip"][:, shape.vocab_size :] == 0).all()
        assert (views["embedding"][:, : shape.vocab_size] != 0).any()


def test_initial_weights_are_standard_normal_and_follow_the_seed():
    shape = NetworkShape(3, 2, 6, 32)
    one, same, other = shape.rows(initial_weights(shape, [1, 1, 2]))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    weights = shape.views(one)["up.1"].numpy()
    assert abs(weights.mean()) < 4 / np.sqrt(weights.size)
    assert abs(weights.std() - 1) < 0.05
    assert (shape.views(one)["up.1.scale"] == 1).all()


@pytest.mark.parametrize("shape", [*SHAPES, NetworkShape(4, 2, 6, 8)])
@pytest.mark.parametrize("strings", [2, 40, 400])
@pytest.mark.parametrize("process", PROCESSES.values())
def test_looking_features_up_at_one_step_changes_no_logit(shape, strings, process):
    """From no table at all to tables for every level of the tree."""
    diffusion, network, *_ = setting(shape, process)
    g = torch.Generator().manual_seed(1)
    leaves = shape.tuple_size**shape.depth
    x_t = torch.randint(diffusion.num_inputs, (2, strings, leaves), generator=g)
    for step in (1, diffusion.num_timesteps):
        expected, _ = network.forward(x_t, torch.full((2, strings), step))
        found = SharedTimeUNet(network)(x_t, torch.full((1, 1), step))
        assert torch.allclose(found, expected, atol=1e-5)
