"""A pack that takes more memory than there is goes on in halves, to the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from study.store.results import Results
from study.training import run
from study.training.run import run_pack
from tests.study.small import small

CONFIGS = [small(seed=seed) for seed in range(4)]
MORE_THAN_THERE_IS = 2**56


def digests(folder: Path) -> dict[str, dict[str, str]]:
    """Training -> table or checkpoint -> checksum, without the clock's."""
    results = Results.open(folder)
    found = {}
    for training in results.trainings():
        status = results.verified(training)
        assert status is not None
        found[training] = {n: e.sha256 for n, e in status.files.items() if n != "timing"}
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    run_pack(CONFIGS, Results.open(folder))
    return folder


def exhaust(how: str) -> None:
    """Ask for more memory than there is, of who gives it."""
    if how == "torch":
        torch.empty(MORE_THAN_THERE_IS, dtype=torch.uint8)
    elif how == "numpy":
        np.empty(MORE_THAN_THERE_IS, dtype=np.uint8)
    else:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 TiB.\nmore")


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict]:
    """A machine whose memory holds so many trainings, from a step on; it fails once it measured."""
    limit = {"members": 4, "from": 0, "how": "torch"}
    whole = run.measure

    def measured(members, network, diffusion, step, **options):
        found = whole(members, network, diffusion, step, **options)
        if len(members) > limit["members"] and step >= limit["from"]:
            exhaust(limit["how"])
        return found

    monkeypatch.setattr(run, "measure", measured)
    yield limit


@pytest.mark.parametrize(
    ("members", "start", "how", "said"),
    [
        (3, 0, "torch", ["4 trainings take more memory than there is", "they go on 2 at a time"]),
        (1, 0, "numpy", ["4 trainings", "2 trainings", "they go on 1 at a time"]),
        (1, 16, "torch", ["DefaultCPUAllocator: can't allocate memory"]),
        (2, 32, "gpu", ["(CUDA out of memory. Tried to allocate 1.00 TiB.)"]),
    ],
)
def test_it_goes_on_in_halves(holds, undisturbed, tmp_path: Path, members, start, how, said):
    holds |= {"members": members, "from": start, "how": how}
    heard: list[str] = []
    statuses = run_pack(CONFIGS, Results.open(tmp_path), note=heard.append)
    assert [status.state for status in statuses] == ["finished"] * 4
    assert digests(tmp_path) == digests(undisturbed)
    assert all(any(words in line for line in heard) for words in said)
    assert len(heard) == (2 if members == 1 else 1)


def test_a_single_training_that_is_too_large_fails_as_such(holds, tmp_path: Path):
    holds |= {"members": 0, "from": 16}
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        run_pack(CONFIGS[:1], Results.open(tmp_path))
    status = Results.open(tmp_path).verified(CONFIGS[0].hash)
    assert status is not None
    assert status.step == 8


def test_other_errors_are_raised_whatever_the_pack(tmp_path: Path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(run, "measure", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run_pack(CONFIGS, Results.open(tmp_path))
