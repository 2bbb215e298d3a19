"""The fast path learns what the plain reference learns, by the same trainer."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import torch

from study.models.reference import ReferenceUNet
from study.training.member import Member
from study.training.pack import PackTrainer
from tests.study.small import small

SEEDS = (1, 2)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"grammar__depth": 3, "training__learning_rate": 1e-3, "network__width": 16},
    {"grammar__tuple_size": 3, "training__noisings": 2, "training__learning_rate": 1e-3},
    {"diffusion__process": "absorbing", "training__learning_rate": 1e-3},
]


def pack(kind: str, settings: dict[str, Any]) -> PackTrainer:
    members = [Member(small(network__kind=kind, seed=seed, **settings)) for seed in SEEDS]
    return PackTrainer(members, torch.device("cpu"))


def plain(fast: PackTrainer, flat: torch.Tensor, member: int) -> dict[str, torch.Tensor]:
    """One member of the fast path's buffer under the reference's names."""
    network = ReferenceUNet(fast.layout, fast.diffusion)
    network.assign(fast.layout.views(flat), member)
    return network.state_dict()


def assert_equal(fast: PackTrainer, reference: PackTrainer, attribute: str) -> None:
    flats = [getattr(trainer._adam, attribute) for trainer in (fast, reference)]
    found = reference.layout.views(flats[1])
    for k in range(len(SEEDS)):
        for name, expected in plain(fast, flats[0], k).items():
            own = found[name][k][: expected.numel()].view_as(expected)
            assert torch.allclose(own, expected, atol=1e-5, rtol=0), (name, k)


@pytest.mark.parametrize("settings", SETTINGS)
def test_losses_gradients_and_trained_weights_are_equal(settings):
    fast, reference = pack("unet", settings), pack("unet-reference", settings)
    assert_equal(fast, reference, "weights")
    for step in range(1, 49):
        for trainer in (fast, reference):
            trainer.train(step)
        assert fast.batch_losses() == pytest.approx(reference.batch_losses(), abs=1e-5)
        assert_equal(fast, reference, "gradient")
    assert_equal(fast, reference, "weights")
    assert not torch.allclose(fast._adam.weights, pack("unet", settings)._adam.weights, atol=1e-3)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own
def test_a_compiled_reference_takes_the_same_step():
    tiny = {"grammar__depth": 1, "corpus__size": 8, "grammar__zipf": {}}
    compiled = pack("unet-reference", {**tiny, "training__compile": True})
    reference = pack("unet-reference", tiny)
    for trainer in (compiled, reference):
        trainer.train(3)
    assert compiled.batch_losses() == pytest.approx(reference.batch_losses(), rel=1e-5)
    gradients = compiled._adam.gradient, reference._adam.gradient
    assert torch.allclose(*gradients, atol=1e-5)
