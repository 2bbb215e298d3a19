"""The precisions against float64, on a CPU; tf32 rounds on GPUs only."""

from __future__ import annotations

import json

import pytest
import torch

from study.__main__ import main
from study.kernels.products import Products
from study.training.member import Member
from study.training.pack import PackTrainer
from tests.study.small import small

UNIT = {"float32": 2**-24, "tf32": 2**-24, "bfloat16": 2**-8}
"""Relative rounding of a number, on a CPU."""


@pytest.mark.parametrize("precision", UNIT)
def test_products_are_as_exact_as_their_precision(precision):
    g = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 5, 16, generator=g), torch.rand(2, 16, 8, generator=g)
    exact = 0.3 * a.double() @ b.double()  # positive terms: no cancellation
    products, out = Products(precision), torch.empty(2, 5, 8)
    products.write(out, a, b, 0.3)
    for found in (products.accumulate(None, a, b, 0.3), out):
        error = ((found - exact) / exact).abs().max()
        assert error < 4 * UNIT[precision]
        assert (precision != "bfloat16") or error > UNIT["bfloat16"] / 8  # it did round
    twice = products.accumulate(out, a, b, 0.3)
    assert twice is out
    assert torch.allclose(twice.double(), 2 * exact, rtol=8 * UNIT[precision])


def test_tf32_is_in_force_only_while_training():
    matmul = torch.backends.cuda.matmul
    with Products("tf32").in_force():
        assert matmul.allow_tf32
    assert not matmul.allow_tf32
    with pytest.raises(RuntimeError), Products("tf32").in_force():
        raise RuntimeError
    assert not matmul.allow_tf32


def test_tf32_on_a_cpu_can_be_planned_but_not_trained(tmp_path, capsys):
    config = small(training__precision="tf32")
    assert config.hash != small().hash
    file, out = tmp_path / "config.json", tmp_path / "out"
    file.write_text(json.dumps(config.to_dict()))
    assert main([str(file), "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "training.precision: tf32 needs a GPU" in line
    assert not out.exists()


def trained(precision: str, steps: int) -> tuple[torch.Tensor, list[float]]:
    """Weights and last losses of a small pack."""
    configs = [small(seed=seed, training__precision=precision) for seed in (1, 2)]
    trainer = PackTrainer([Member(config) for config in configs], torch.device("cpu"))
    trainer.train(steps)
    trainer.batch_losses()
    trainer.train(steps + 100)
    return trainer.network.flat, trainer.batch_losses()


def test_narrow_products_leave_master_weights_and_learning_alone():
    weights, losses = trained("bfloat16", 300)
    full, expected = trained("float32", 300)
    assert weights.dtype == torch.float32
    assert not torch.equal(weights, full)
    assert losses == pytest.approx(expected, rel=0.05)
