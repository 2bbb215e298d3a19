"""The packed transformer against torch's own layers in float64, and what it takes."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import torch
from torch import Tensor

from study.config import ConfigError
from study.models import counts, transformer_counts
from study.models.kinds import kind_of, model_of
from study.models.transformer import PackedTransformer, TransformerModel, TransformerShape
from study.processes.process import Diffusion
from study.processes.registry import PROCESSES
from study.processes.uniform import Uniform
from study.training.member import Member
from study.training.pack import PackTrainer
from tests.study.models.plain_transformer import PlainTransformer
from tests.study.small import small

T = 25


def config_of(**changes: Any):
    return small(network__kind="transformer", **changes)


CONFIGS: list[dict[str, Any]] = [
    {"network__width": 64, "network__layers": 1},
    {"grammar__depth": 3, "network__width": 24, "network__layers": 3},
    {"grammar__tuple_size": 3, "grammar__depth": 2, "grammar__vocab_size": 5, "network__width": 7},
]


@pytest.mark.parametrize("process", PROCESSES.values())
@pytest.mark.parametrize("changes", CONFIGS)
def test_logits_loss_and_gradients_equal_torchs_own_layers(
    changes: dict[str, Any], process: type[Diffusion]
):
    configs = [config_of(seed=seed, **changes) for seed in (3, 4)]
    shape = TransformerShape.of(configs[0])
    diffusion = process.build(T, shape.vocab_size)
    g = torch.Generator().manual_seed(0)
    model = TransformerModel(configs[0], diffusion)
    flat = model.initial_weights(configs)
    for name, view in shape.views(flat).items():
        if name.endswith(("scale", "shift")):  # away from 1 and 0, where errors could hide
            view += 0.3 * torch.randn(view.shape, generator=g)
    x_0 = torch.randint(shape.vocab_size, (2, 9, shape.leaves), generator=g)
    t = torch.randint(1, T, (2, 9), generator=g)
    x_t = diffusion.noised(x_0, t, torch.rand(x_0.shape, generator=g))
    gradient = torch.full_like(flat, 7.0)  # of an earlier step
    found = model.learner(flat, gradient, diffusion.loss_and_gradient)(x_0, x_t, t)
    logits = model.networks(flat)(x_t, t)
    assert not logits.requires_grad
    exact = process.build(T, shape.vocab_size, dtype=torch.float64)
    for k in range(2):
        plain = PlainTransformer(shape, exact).double()
        own = {
            name: x[k : k + 1].double().requires_grad_() for name, x in shape.views(flat).items()
        }
        expected = torch.func.functional_call(plain, plain.parameters_of(own, 0), (x_t[k], t[k]))
        assert torch.allclose(logits[k].double(), expected, atol=1e-5)
        losses, in_logits = exact.loss_and_gradient(
            expected.detach()[None], x_0[k : k + 1], x_t[k : k + 1], t[k : k + 1]
        )
        assert float(found[k]) == pytest.approx(float(losses.mean()), abs=1e-5)
        expected.backward(in_logits[0] / losses.numel())
        for name, view in shape.views(gradient).items():
            expected_gradient = own[name].grad
            assert expected_gradient is not None
            assert torch.allclose(view[k].double(), expected_gradient[0], atol=1e-5), name


def test_every_leaf_hears_of_every_other_and_knows_its_place():
    config = config_of(network__width=16)
    diffusion = Uniform.build(T, 6)
    model = TransformerModel(config, diffusion)
    network, t = model.networks(model.initial_weights([config])), torch.tensor([[3]])
    x_t = torch.tensor([[[0, 1, 2, 3], [0, 1, 2, 4], [1, 0, 2, 3]]])
    one, other, turned = network(x_t, t)[0]
    assert ((one - other).abs().amax(-1) > 1e-6).all()
    assert not torch.allclose(one[[1, 0]], turned[:2], atol=1e-4)


def test_one_step_for_all_strings_is_that_step_for_each():
    config = config_of(network__width=16)
    model = TransformerModel(config, Uniform.build(T, 6))
    network: PackedTransformer = model.networks(model.initial_weights([config, config]))
    x_t = torch.randint(6, (2, 5, 4), generator=torch.Generator().manual_seed(1))
    shared: Tensor = network(x_t, torch.tensor([[9]]))
    assert torch.equal(shared, network(x_t, torch.full((2, 5), 9)))


@pytest.mark.parametrize("layers", [None, 1, 5])
def test_a_transformer_counts_its_own_weights_and_products(layers):
    config = config_of(network__width=16, network__layers=layers, grammar__vocab_size=16)
    diffusion = Uniform.build(T, 16)
    model = model_of(config, diffusion)
    assert kind_of(config).num_weights(config) == model.layout.numel  # no padding at v = 16
    plain = PlainTransformer(TransformerShape.of(config), diffusion)
    d, W, matrices = 4, 16, 0
    for name, parameter in plain.named_parameters():
        matrices += parameter.numel() if parameter.dim() == 2 and name != "positions" else 0
    attention = (layers or 2) * 2 * d * d * W
    assert kind_of(config).forward_macs(config) == d * matrices + attention


@pytest.mark.parametrize("width", [8, 64, 200, 1024])
@pytest.mark.parametrize("layers", [None, 1, 6])
def test_the_matched_width_comes_nearest_to_the_u_net(width, layers):
    unet = small(network__width=width, grammar__depth=3)
    wanted = counts.num_weights(unet)
    found = transformer_counts.matched_width(unet, wanted, layers)

    def apart(W: int) -> int:
        changes = {"network__width": W, "network__layers": layers, "grammar__depth": 3}
        return abs(transformer_counts.num_weights(config_of(**changes)) - wanted)

    assert found % 8 == 0
    assert apart(found) == min(map(apart, range(8, 2 * width + 16, 8)))


def test_layers_are_for_kinds_that_have_them():
    says = r"network\.layers: 'unet' has no number of layers to be set; leave it out"
    with pytest.raises(ConfigError, match=says):
        kind_of(small(network__layers=3))
    with pytest.raises(ConfigError, match="1 or more"):
        config_of(network__layers=0)
    with pytest.raises(ConfigError, match=r"'transformer' is trained in float32 or tf32 only"):
        kind_of(config_of(training__precision="bfloat16"))


def test_as_many_layers_as_levels_are_the_default_and_the_same_training():
    assert config_of(network__layers=2).hash == config_of().hash
    assert config_of(network__layers=3).hash != config_of().hash
    assert config_of(grammar__depth=3, network__layers=2).hash != config_of(grammar__depth=3).hash


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # as well
def test_compiled_transformers_take_the_same_steps():
    tiny = {"grammar__depth": 1, "corpus__size": 8, "grammar__zipf": {}, "network__layers": 1}
    compiled, plain = (
        PackTrainer(
            [Member(config_of(training__compile=c, seed=seed, **tiny)) for seed in (1, 2)],
            torch.device("cpu"),
        )
        for c in (True, False)
    )
    for trainer in (compiled, plain):
        trainer.train(3)
    assert compiled.batch_losses() == pytest.approx(plain.batch_losses(), rel=1e-5)
    assert torch.allclose(compiled._adam.gradient, plain._adam.gradient, atol=1e-5)
