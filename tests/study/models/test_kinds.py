"""The registry of models, and what a model from outside the package can rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from study import load_training
from study.__main__ import main
from study.config import ConfigError
from study.models import kinds
from study.models.autograd import AutogradModel
from study.models.kinds import kind_of, known, model_of, register
from study.models.weights import NetworkShape
from study.processes.uniform import Uniform
from study.store import records
from study.store.results import FOLDER, Results
from study.training.member import Member
from study.training.pack import PackTrainer
from study.training.run import run_pack
from tests.installed import name_entry_points
from tests.study.models.toy import TOY, Toy
from tests.study.small import small

CPU = torch.device("cpu")
NOISE = Uniform.build(24, 6)


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(kinds, "_registered", dict(kinds._registered))


@pytest.fixture
def toy(own_registry: None) -> None:
    register("toy", TOY)


def tables(results: Results, training: str) -> dict:
    status = results.verified(training)
    assert status is not None
    names = [name for name in records.SCHEMAS if name != "timing"]
    return {name: results.read(status, name) for name in names}


@pytest.mark.usefixtures("toy")
def test_a_model_from_outside_is_trained_published_resumed_loaded_and_generated_from(tmp_path):
    configs = [small(network__kind="toy", seed=seed) for seed in (0, 1)]
    whole, cut = Results.open(tmp_path / "whole"), Results.open(tmp_path / "cut")
    statuses = run_pack(configs, whole)
    assert {(status.state, status.step) for status in statuses} == {("finished", 32)}

    def interrupt(step: int, _parameters: dict) -> None:
        if step == 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pack(configs[:1], cut, report=interrupt)
    run_pack(configs[:1], cut)
    assert tables(cut, configs[0].hash) == tables(whole, configs[0].hash)

    folder = tmp_path / "cut" / FOLDER / configs[0].hash
    loaded = load_training(folder)
    strings = loaded.generate(50, seed=3)
    assert strings.shape == (50, 4)
    assert np.array_equal(strings, load_training(folder).generate(50, seed=3))


@pytest.mark.usefixtures("toy")
def test_a_model_from_outside_learns():
    config = small(network__kind="toy", network__width=64, corpus__size=10)
    trainer = PackTrainer([Member(config)], CPU)
    trainer.train(64)
    early = trainer.batch_losses()[0]
    trainer.train(600)
    trainer.batch_losses()
    trainer.train(800)
    assert trainer.batch_losses()[0] < 0.85 * early


@pytest.mark.usefixtures("toy")
def test_the_pack_decides_no_bit_of_a_plain_module():
    configs = [small(network__kind="toy", seed=seed) for seed in (1, 2, 3)]
    pack, alone = (PackTrainer([Member(c) for c in own], CPU) for own in (configs, configs[1:2]))
    for trainer in (pack, alone):
        trainer.train(70)
    assert pack.checkpoint(1) == alone.checkpoint(0)
    pack.select([1])
    for trainer in (pack, alone):
        trainer.train(90)
    assert pack.checkpoint(0) == alone.checkpoint(0)
    assert pack.threads(8) == 1


@pytest.mark.usefixtures("toy")
def test_first_weights_follow_from_the_seed_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    one, same, other = (small(network__kind="toy", seed=seed) for seed in (1, 1, 2))
    model = model_of(one, NOISE)
    first, second, third = model.layout.rows(model.initial_weights([one, same, other]))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(9)
    assert torch.equal(model.layout.rows(model.initial_weights([one]))[0], first)
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("kind", ["toy", "unet", "unet-reference"])
def test_a_kind_counts_its_own_weights(kind):
    config = small(network__kind=kind, network__width=16, grammar__vocab_size=16)  # no padding
    model = model_of(config, Uniform.build(24, 16))
    assert kind_of(config).num_weights(config) == model.layout.numel


def test_state_that_no_checkpoint_would_hold_is_refused():
    class Counting(Toy):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.seen = nn.BatchNorm1d(4)

    with pytest.raises(ValueError, match=r"no checkpoint would hold: seen\.num_batches_tracked"):
        AutogradModel(Counting, small(), NOISE)


def test_parameters_that_two_layers_share_are_one():
    class Tied(nn.Module):
        def __init__(self, *_arguments):
            super().__init__()
            self.one, self.other = nn.Linear(8, 8), nn.Linear(8, 8)
            self.other.weight = self.one.weight

    model = AutogradModel(Tied, small(), NOISE)
    assert list(model.layout.parameters) == ["one.weight", "one.bias", "other.bias"]


@pytest.mark.usefixtures("toy")
def test_a_name_is_given_once():
    register("toy", TOY)  # again the same
    with pytest.raises(ValueError, match="a model of kind 'unet' already"):
        register("unet", TOY)


@pytest.mark.usefixtures("own_registry")
def test_an_installed_package_adds_a_model_by_an_entry_point(tmp_path, monkeypatch):
    name_entry_points(tmp_path, kinds.GROUP, **{"installed-toy": "tests.study.models.toy:TOY"})
    monkeypatch.syspath_prepend(tmp_path)
    assert known() == ["installed-toy", "transformer", "unet", "unet-reference"]
    assert kind_of(small(network__kind="installed-toy")) is TOY


def test_an_unknown_kind_is_one_clear_line(tmp_path, capsys):
    config = small(network__kind="perceptron")
    says = r"network\.kind: there is no model 'perceptron' here; known are transformer, unet, "
    with pytest.raises(ConfigError, match=says):
        run_pack([config], Results.open(tmp_path))
    with pytest.raises(ConfigError, match=says):
        PackTrainer([Member(config)], CPU)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config.to_dict()))
    assert main([str(file), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is no model 'perceptron' here" in line
    assert not (tmp_path / "out").exists()


def test_a_precision_that_the_kind_does_not_honour_is_refused(tmp_path):
    config = small(network__kind="unet-reference", training__precision="bfloat16")
    with pytest.raises(ConfigError, match=r"'unet-reference' is trained in float32 or tf32 only"):
        run_pack([config], Results.open(tmp_path))


def test_the_kind_is_part_of_the_identity_and_of_the_pack():
    one, other = small(), small(network__kind="unet-reference")
    assert one.hash != other.hash
    assert one.pack_key != other.pack_key
    assert small(network__kind="unet").hash == one.hash


def test_costs_are_told_without_torch():
    code = (
        "import sys; from study.models.kinds import kind_of; from tests.study.small import small; "
        "print(kind_of(small()).forward_macs(small()), 'torch' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root
    )
    nodes, leaves, W, v = 1 + 2, 4, 8, 6
    assert run.stdout.split() == [str(nodes * 3 * 2 * W * W + leaves * 3 * v * W), "False"]


def test_the_shape_of_the_fast_network_is_a_layout():
    config = small(network__kind="unet")
    assert model_of(config, NOISE).layout == NetworkShape.of(config)
