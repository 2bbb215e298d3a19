from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from study import load_training
from study.kernels.threads import on_threads
from study.store.results import FOLDER, Results
from study.store.status import DamagedTraining
from study.training import loading
from study.training.member import Member
from study.training.pack import PackTrainer
from study.training.run import run_pack
from tests.study.small import small


def test_a_loaded_training_generates_what_the_training_measured(tmp_path):
    config = small()
    run_pack([config, small(seed=1)], Results.open(tmp_path))
    loaded = load_training(tmp_path / FOLDER / config.hash)
    assert loaded.config == config
    assert loaded.step == 32
    assert loaded.corpus.training.strings.shape == (40, 4)
    strings = loaded.generate(50, seed=3)
    assert strings.shape == (50, 4)
    assert np.array_equal(strings, loaded.generate(50, seed=3))
    assert not np.array_equal(strings, loaded.generate(50, seed=4))


@pytest.mark.parametrize("folder", ["nowhere", f"{FOLDER}/0123456789abcdef"])
def test_what_is_no_training_is_said_plainly(tmp_path, folder):
    with pytest.raises(DamagedTraining, match=r"not a training|no published training"):
        load_training(tmp_path / folder)


@pytest.fixture(scope="module")
def with_checkpoints(tmp_path_factory) -> Path:
    """The folder of a finished training that kept its checkpoints at powers of two."""
    config, folder = small(training__keep="log2"), tmp_path_factory.mktemp("kept")
    run_pack([config], Results.open(folder))
    return folder / FOLDER / config.hash


@pytest.fixture
def two_threads() -> Iterator[None]:
    with on_threads(2):
        yield


@pytest.mark.parametrize("step", [1, 8, 32])
def test_a_kept_checkpoint_is_loaded_by_its_step(with_checkpoints, step):
    config = small()
    trainer = PackTrainer([Member(config)], torch.device("cpu"))
    trainer.train(step)
    loaded = load_training(with_checkpoints, step=step)
    assert loaded.step == step
    assert torch.equal(loaded.denoiser.flat, trainer.network.flat)


def test_a_step_without_a_checkpoint_is_refused_with_those_that_there_are(with_checkpoints):
    says = r"has no checkpoint of step 12; it kept 1, 2, 4, 8, 16, 32$"
    with pytest.raises(ValueError, match=says):
        load_training(with_checkpoints, step=12)


@pytest.mark.parametrize(
    ("folder", "results"),
    [
        ("/trainings/0123", "/"),
        ("trainings/0123/", "."),
        ("somewhere/trainings/0123", "somewhere/"),
        ("/a/b/trainings/0123", "/a/b/"),
        ("s3://bucket/trainings/0123", "s3://bucket/"),
    ],
)
def test_a_folder_names_its_results(monkeypatch, folder, results):
    asked = []
    empty = SimpleNamespace(status=asked.append)
    monkeypatch.setattr(Results, "open", lambda location: asked.append(location) or empty)
    with pytest.raises(DamagedTraining, match="holds no published training"):
        load_training(folder)
    assert asked == [results, "0123"]


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("largest", "threads"), [(loading.SMALL_WORK, 1), (0, 2)])
def test_small_networks_generate_on_one_thread_and_the_callers_setting_stays(
    with_checkpoints, monkeypatch, largest, threads
):
    seen = set()

    def denoiser(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.add(torch.get_num_threads())
        return torch.zeros(*x_t.shape, 6)

    monkeypatch.setattr(loading, "SMALL_WORK", largest)
    replace(load_training(with_checkpoints), denoiser=denoiser).generate(20)
    assert seen == {threads}
    assert torch.get_num_threads() == 2
