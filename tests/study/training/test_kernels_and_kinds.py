"""Every kind of network under every noise process, through training, publication and resumption."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from study import load_training
from study.config import TrialConfig
from study.kernels.threads import on_threads
from study.store import records
from study.store.results import FOLDER, Results
from study.training.member import Member
from study.training.pack import BLOCK, PackTrainer
from study.training.run import run_pack
from tests.study.small import small

CPU = torch.device("cpu")
NEW = [
    ("unet", "absorbing"),
    ("unet-reference", "absorbing"),
    ("transformer", "uniform"),
    ("transformer", "absorbing"),
]
"""Kind and process; the U-Net under uniform noise has tests of its own."""

both = pytest.mark.parametrize(("kind", "process"), NEW)


def config_of(kind: str, process: str, **changes: Any) -> TrialConfig:
    return small(network__kind=kind, diffusion__process=process, **changes)


def tables(results: Results, training: str) -> dict[str, Any]:
    status = results.verified(training)
    assert status is not None
    names = [name for name in records.SCHEMAS if name != "timing"]
    return {name: results.read(status, name) for name in names}


@both
def test_published_bytes_are_equal_alone_in_a_pack_and_after_an_interruption(
    kind, process, tmp_path
):
    configs = [config_of(kind, process, seed=seed) for seed in range(3)]
    pack, alone, cut = (Results.open(tmp_path / name) for name in ("pack", "alone", "cut"))
    run_pack(configs, pack)
    run_pack(configs[1:2], alone)

    def interrupt(step: int, _parameters: dict[str, Any]) -> None:
        if step == 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pack(configs[:2], cut, report=interrupt)
    run_pack(configs[:2], cut)
    training = configs[1].hash
    expected = tables(pack, training)
    assert tables(alone, training) == expected
    assert tables(cut, training) == expected
    strings = load_training(tmp_path / "cut" / FOLDER / training).generate(50, seed=3)
    assert strings.shape == (50, 4)
    assert strings.max() < 6


@both
@pytest.mark.parametrize(
    ("width", "members", "batch", "tuple_size"),
    [(8, 8, 7, 2), (24, 2, 8, 2), (64, 8, 7, 2), (64, 2, 7, 3), (24, 3, 2, 3)],
)
def test_weights_are_bit_identical_in_any_company_and_after_resuming(
    kind, process, width, members, batch, tuple_size
):
    changes = {
        "network__width": width,
        "training__batch_size": batch,
        "grammar__tuple_size": tuple_size,
    }
    pack, alone = (
        PackTrainer([Member(config_of(kind, process, seed=s, **changes)) for s in seeds], CPU)
        for seeds in (range(members), [members - 1])
    )
    resumed = PackTrainer(alone.members, CPU)
    for trainer in (pack, alone):
        trainer.train(BLOCK - 3)
    resumed.resume([alone.checkpoint(0)])
    for trainer in (pack, alone, resumed):
        with on_threads(trainer.threads(2)):
            trainer.train(BLOCK + 4)
    assert alone.checkpoint(0) == pack.checkpoint(members - 1)
    assert resumed.checkpoint(0) == alone.checkpoint(0)


@both
def test_a_small_training_memorizes_and_its_tables_say_so(kind, process, tmp_path):
    """Few strings, many steps: the network falls below its first losses and into its strings."""
    config = config_of(
        kind,
        process,
        corpus__size=20,
        network__width=32,
        training__steps=2048,
        training__batch_size=32,
        measurement__first_step=64,
        measurement__generated=400,
        measurement__loss_strings=40,
    )
    results = Results.open(tmp_path)
    (status,) = run_pack([config], results)
    assert (status.state, status.step) == ("finished", 2048)
    curves = results.tables(status)["curves"].to_pydict()
    assert all(map(math.isfinite, curves["batch_loss"]))
    assert curves["batch_loss"][-1] < 0.8 * curves["batch_loss"][0]
    assert curves["excess_copies"][-1] > 0.15 > curves["excess_copies"][0]
    assert curves["position"][-1] > 0.7 > curves["position"][0]
    assert curves["gap_fraction"][-1] > 0.5 > curves["gap_fraction"][0]
    assert 0.5 < curves["root_validity"][-1] <= 1
    noise = results.tables(status)["noise"].to_pandas()
    assert np.isfinite(noise["training_loss"]).all()
