"""What `doctor` says of two machines that share no more than it says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import machines
from tests.machines import Machine
from tests.sweeps.tiny import command

pytestmark = [
    pytest.mark.long,
    pytest.mark.ray,
    pytest.mark.skipif(not machines.possible(), reason="namespaces cannot be made here"),
]

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "ab" * 32}
START = ("ray", "start", "--num-cpus", "1")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Machine, Path]]:
    """Head and worker of a guarded cluster, and a folder for results that both see."""
    home = tmp_path_factory.mktemp("machines")
    (home / "shared").mkdir()
    with machines.machines(home / "nodes", ["head", "worker"]) as (head, worker):
        started = head.run(*START, "--head", "--port", "6379", cwd=home, **TOKEN)
        assert started.returncode == 0, started.stderr
        address = f"{head.address}:6379"
        started = worker.run(*START, "--num-gpus", "1", "--address", address, cwd=home, **TOKEN)
        assert started.returncode == 0, started.stderr
        yield head, worker, home / "shared"


def examined(head: Machine, folder: Path) -> list[dict[str, Any]]:
    words = command("doctor", "--address", "auto", "--results", str(folder / "mine"), "--json")
    done = head.run(*words, cwd=folder, **TOKEN)
    assert done.returncode == 1, done.stdout + done.stderr  # the GPU that Ray was told of
    return json.loads(done.stdout)["findings"]


def wrong(head: Machine, folder: Path) -> dict[tuple[str, str], str]:
    """Machine and item -> what is wrong with it."""
    found = examined(head, folder)
    return {(f["where"], f["what"]): f["said"] for f in found if f["state"] == "fault"}


def test_only_what_is_wrong_is_told(two):
    head, worker, folder = two
    there = f"{worker.address} (worker)"
    gpus = {(there, "GPUs"): "Ray counts 1 there, the driver lists none"}
    found = examined(head, folder)
    assert {(f["where"], f["what"]) for f in found if f["state"] == "fault"} == set(gpus)
    for where in (there, f"{head.address} (head)"):
        items = ["versions", "GPUs", "Ray's files", "clock", "storage", "disk"]
        assert [f["what"] for f in found if f["where"] == where] == items
    assert [f["said"] for f in found if f["what"] == "token"] == ["refuses who shows none"]
    assert list(folder.iterdir()) == []

    worker.run("mount", "--bind", str(folder), str(folder), cwd=Path("/"))
    worker.run("mount", "-o", "remount,bind,ro", str(folder), cwd=Path("/"))
    assert wrong(head, folder) == gpus | {(there, "storage"): "Read-only file system"}
    worker.run("umount", str(folder), cwd=Path("/"))

    worker.run("mount", "-t", "tmpfs", "none", str(folder), cwd=Path("/"))
    said = f"{folder / 'mine'} there is not what it is here"
    assert wrong(head, folder) == gpus | {(there, "storage"): said}
    worker.run("umount", str(folder), cwd=Path("/"))
    assert wrong(head, folder) == gpus
