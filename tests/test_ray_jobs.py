"""The page on Ray Jobs: a job is submitted from a third machine to a cluster of two."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import machines
from tests.machines import Machine
from tests.sweeps.tiny import TINY, command, contents

DASHBOARD = importlib.util.find_spec("aiohttp_cors") is not None
pytestmark = [
    pytest.mark.long,
    pytest.mark.ray,
    pytest.mark.skipif(not machines.possible(), reason="namespaces cannot be made here"),
    pytest.mark.skipif(not DASHBOARD, reason="needs ray[default]"),
]

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "ab" * 32}
START = ("ray", "start", "--num-cpus", "1")
HEAD = "http://head:8265"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Path]]:
    """A machine outside a guarded cluster of two, and a folder that all share."""
    home = tmp_path_factory.mktemp("jobs")
    (home / "sent").mkdir()
    (home / "sent" / "mine.yaml").write_text(TINY)
    with machines.machines(home / "nodes", ["head", "worker", "user"]) as (head, worker, user):
        options = ("--head", "--port", "6379", "--dashboard-host", "0.0.0.0")
        for machine, more in ((head, options), (worker, ("--address", "head:6379"))):
            started = machine.run(*START, *more, cwd=home, **TOKEN)
            assert started.returncode == 0, started.stderr
        yield user, home


def submitted(user: Machine, home: Path, **token: str) -> tuple[int, str]:
    """Exit code and words of the page's command."""
    words = ("memophase", "run", "mine.yaml", "--address", "auto", "--results", str(home / "mine"))
    job = ("ray", "job", "submit", "--address", HEAD, "--working-dir", ".", "--", *words)
    done = user.run(*job, cwd=home / "sent", HOME=str(home), **token)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ({}, "Missing authentication token"),
        ({"RAY_AUTH_MODE": "token"}, "couldn't find an authentication token"),
        (TOKEN | {"RAY_AUTH_TOKEN": "cd" * 32}, "Invalid authentication token"),
    ],
)
def test_without_the_token_nothing_is_submitted(user, token: dict[str, str], said: str):
    machine, home = user
    code, words = submitted(machine, home, **token)
    assert code == 1
    assert said in words
    assert not (home / "mine").exists()


def test_with_the_token_a_sweep_trains_on_both_machines(user):
    machine, home = user
    code, words = submitted(machine, home, **TOKEN)
    assert code == 0, words
    assert "4 of 4 trainings done" in words
    assert "of the time of 2 cores" in words
    assert len(contents(home / "mine")) == 4
    told = machine.run(*command("status", str(home / "mine")), cwd=home)
    assert "4 of 4 trainings done" in told.stdout
