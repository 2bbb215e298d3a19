"""The packed network against an independent, plain, concatenating implementation in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from study.models.inference import OneStepUNet
from study.models.unet import PackedUNet
from study.models.weights import NetworkShape, initial_weights
from study.processes.uniform import Diffusion

SHAPES = [NetworkShape(3, 2, 6, 16), NetworkShape(2, 3, 5, 7), NetworkShape(1, 4, 3, 1)]


def plain_logits(
    shape: NetworkShape, w: dict[str, Tensor], x_t: Tensor, t: Tensor, alpha_bar: Tensor
) -> Tensor:
    """One network on (B, d) tokens, written as the papers describe it."""
    v, W, s = shape.vocab_size, shape.width, shape.tuple_size
    mean = (alpha_bar + (1 - alpha_bar) / v).mean()
    deviation = ((alpha_bar + (1 - alpha_bar) / v**2).mean() - mean**2).sqrt()
    keep = alpha_bar[t][:, None, None]
    belief = keep * F.one_hot(x_t, v).double() + (1 - keep) / v
    h = F.gelu((belief - mean) / deviation @ w["embedding"][:v] / math.sqrt(v))
    skips = [h]
    for level in reversed(range(shape.depth)):
        joined = h.reshape(len(x_t), s**level, s * W)
        h = joined @ w[f"down.{level}"] / math.sqrt(s * W)
        scale, shift = w[f"down.{level}.scale"], w[f"down.{level}.shift"]
        h = F.gelu(F.layer_norm(h, (W,), scale, shift))
        skips.append(h)
    for level in range(shape.depth):
        weight = torch.cat([w[f"up.{level}"], w[f"skip.{level}"]])
        h = torch.cat([h, skips.pop()], -1) @ weight / math.sqrt(2 * W)
        h = h.reshape(len(x_t), s ** (level + 1), W)
        scale, shift = w[f"up.{level}.scale"], w[f"up.{level}.shift"]
        h = F.gelu(F.layer_norm(h, (W,), scale, shift))
    weight = torch.cat([w["readout"], w["readout.skip"]], -1)
    return (torch.cat([h, skips.pop()], -1) @ weight.mT / (2 * W))[..., :v]


def plain_loss(diffusion: Diffusion, logits: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
    """Mean KL of full posteriors, by torch's own cross entropies."""
    v, alpha, alpha_bar = diffusion.vocab_size, diffusion.alpha, diffusion.alpha_bar

    def posterior(x_0: Tensor) -> Tensor:
        earlier = alpha_bar[t - 1][:, None, None]
        last = alpha[t][:, None, None]
        forward = last * F.one_hot(x_t, v) + (1 - last) / v
        joint = forward * (earlier * x_0 + (1 - earlier) / v)
        return joint / joint.sum(-1, keepdim=True)

    q, p = posterior(F.one_hot(x_0, v).double()), posterior(logits.softmax(-1))
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(-1).mean()


def setting(shape: NetworkShape) -> tuple[Diffusion, PackedUNet, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    diffusion = Diffusion.build(25, shape.vocab_size)
    flat = initial_weights(shape, [3, 4])
    for name, view in shape.views(flat).items():
        if name.endswith(("scale", "shift")):  # away from 1 and 0, where errors could hide
            view += 0.3 * torch.randn(view.shape, generator=g)
    leaves = shape.tuple_size**shape.depth
    x_0, x_t = torch.randint(shape.vocab_size, (2, 2, 9, leaves), generator=g)
    t = torch.randint(1, 26, (2, 9), generator=g)
    flat.grad = torch.zeros_like(flat)
    return diffusion, PackedUNet(shape, diffusion, flat, gradient=flat.grad), x_0, x_t, t


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_loss_and_gradients_equal_the_plain_network(shape):
    diffusion, network, x_0, x_t, t = setting(shape)
    logits, tape = network.forward(x_t, t)
    loss, slope = diffusion.loss_and_slope(logits, x_0, x_t, t)
    network.backward(tape, slope / loss[0].numel())
    exact = Diffusion.build(25, shape.vocab_size, dtype=torch.float64)
    assert network.flat.grad is not None
    gradients = shape.views(network.flat.grad)
    for k in range(2):
        weights = {
            name: view[k].double().requires_grad_()
            for name, view in shape.views(network.flat).items()
        }
        plain = plain_logits(shape, weights, x_t[k], t[k], exact.alpha_bar)
        expected = plain_loss(exact, plain, x_0[k], x_t[k], t[k])
        expected.backward()
        assert torch.allclose(logits[k].double(), plain, atol=1e-5)
        assert float(loss[k].mean()) == pytest.approx(expected.item(), abs=1e-5)
        for name, weight in weights.items():
            assert weight.grad is not None
            assert torch.allclose(gradients[name][k].double(), weight.grad, atol=1e-5), name


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
    network.backward(tape, diffusion.loss_and_slope(logits, x_0, x_t, t)[1])
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
def test_looking_features_up_at_one_step_changes_no_logit(shape, strings):
    """From no table at all to tables for every level of the tree."""
    diffusion, network, *_ = setting(shape)
    g = torch.Generator().manual_seed(1)
    leaves = shape.tuple_size**shape.depth
    x_t = torch.randint(shape.vocab_size, (2, strings, leaves), generator=g)
    for step in (1, diffusion.num_timesteps):
        expected, _ = network.forward(x_t, torch.full((2, strings), step))
        found = OneStepUNet(network)(x_t, torch.full((1, 1), step))
        assert torch.allclose(found, expected, atol=1e-5)
