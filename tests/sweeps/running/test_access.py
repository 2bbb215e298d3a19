"""Who may talk to a Ray of our own, and what is said where a cluster cannot be reached."""

import tomllib

import pytest

from sweeps.faults import UsageError
from sweeps.running import access
from tests.sweeps.tiny import ROOT, TINY, memophase


@pytest.mark.parametrize("mode", ["disabled", "DISABLED", "", "tokens", "none"])
def test_a_ray_without_authentication_is_refused(mode: str, tmp_path, monkeypatch):
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    monkeypatch.delenv(access.UNGUARDED, raising=False)
    result = memophase("run", "tiny.yaml")
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: RAY_AUTH_MODE: '{mode}' would let anyone")
    assert access.UNGUARDED in line
    assert not (tmp_path / "results").exists()


def test_it_is_allowed_where_asked_for():
    assert access.guarded({"RAY_AUTH_MODE": "disabled", access.UNGUARDED: "1"}) == {}
    with pytest.raises(UsageError, match="unset it"):
        access.guarded({"RAY_AUTH_MODE": "disabled", access.UNGUARDED: "0"})


@pytest.mark.parametrize("environment", [{}, {"RAY_AUTH_MODE": "Token"}, {"RAY_AUTH_TOKEN": ""}])
def test_every_run_has_a_token_of_its_own(environment: dict[str, str]):
    one, other = access.guarded(environment), access.guarded(environment)
    assert one["RAY_AUTH_MODE"] == "token"
    assert len(one["RAY_AUTH_TOKEN"]) == 64
    assert one["RAY_AUTH_TOKEN"] != other["RAY_AUTH_TOKEN"]


@pytest.mark.parametrize("name", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"])
def test_a_given_token_is_kept(name: str):
    assert access.guarded({name: "mine"}) == {"RAY_AUTH_MODE": "token"}


def test_the_oldest_ray_allowed_is_one_whose_token_was_tried():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "ray[tune]>=2.60" in project["dependencies"]


def test_submitting_from_outside_names_what_it_needs():
    result = memophase("run", "smoke", "--address", "ray://127.0.0.1:1")
    assert result.exit_code == 2
    assert "pip install 'ray[default]'" in result.stderr
