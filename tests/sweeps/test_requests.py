"""Requests that cannot be met, whatever the sweep: one line each, exit code 2, nothing written."""

from pathlib import Path

import pytest

from tests.sweeps.tiny import TINY, memophase, refused


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "nowhere"],
        ["status", "file"],
        ["report", "nowhere"],
        ["presets", "show", "nothing"],
        ["run", "smoke", "--address", "nonsense"],
        ["run", "smoke", "--address", "127.0.0.1:1"],
        ["run", "smoke", "--address", "ray://127.0.0.1:1"],
        ["run", "smoke", "--address", "auto"],
        ["run", "smoke", "--results", "file"],
        ["train", "--out", "out"],
        ["train", "--out", "out", "--config", "file"],
        ["train", "--out", "out", "--set", "grammar.dpeth=3"],
    ],
)
def test_other_requests_that_cannot_be_met(arguments: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(Path.cwd()))
    Path("file").write_text("no sweep")
    refused(memophase(*arguments))


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("", "'' names no results folder"),
        (" ", "' ' names no results folder"),
        ("a\0b", "a\\x00b' names no results folder"),
        ("foo://bucket/x", "foo://bucket/x: is no place for results (Unrecognized filesystem type"),
        ("http://host/x", "http://host/x: is no place for results"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ["plan", "sweep.yaml", "--no-time", "--results"],
        ["run", "sweep.yaml", "--results"],
        ["prune", "sweep.yaml", "--yes", "--results"],
        ["train", "--config", "one.yaml", "--out"],
        ["status"],
        ["log", "--seed", "0", "--", "size=4"],
        ["join", "nowhere"],
        ["measure"],
        ["report", "--out", "out"],
        ["doctor", "--results"],
    ],
    ids=lambda command: command[0],
)
def test_a_location_that_is_none_is_told(command: list[str], location: str, said: str):
    Path("sweep.yaml").write_text(TINY)
    text = "\n".join(line[2:] for line in TINY.splitlines()[2:7])
    Path("one.yaml").write_text(text + "\ncorpus: {size: 4}\n")
    before = sorted(Path().rglob("*"))
    where = len(command) - 1 if command[0] == "log" else len(command)
    lines = refused(memophase(*command[:where], location, *command[where:]))
    assert said in lines[-1] or said in lines[0]
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_folder_that_cannot_take_the_sweep_is_told_before_it_runs(command: str):
    Path("sweep.yaml").write_text(TINY)
    for where, text in {
        "other": '{"version": 1, "name": "other", "report": {"axes": [], "facet": null}, '
        '"trainings": []}',
        "garbled": "{",
    }.items():
        Path(where).mkdir()
        Path(where, "sweep.json").write_text(text)
    Path("file").write_text("")
    before = sorted(Path().rglob("*"))
    for where, said in {
        "other": "holds the study 'other', not 'tiny'",
        "garbled": "is garbled",
        "file": "Not a directory",
    }.items():
        (line,) = refused(memophase(command, "sweep.yaml", "--results", where))
        assert said in line
    assert sorted(Path().rglob("*")) == before


def test_the_address_of_a_dashboard_is_one_for_jobs():
    Path("sweep.yaml").write_text(TINY)
    (line,) = refused(memophase("run", "sweep.yaml", "--address", "http://head:8265"))
    assert "ray job submit --address http://head:8265 -- memophase run" in line


def test_a_name_that_is_too_long_is_a_finding_of_the_doctor():
    result = memophase("doctor", "--results", "a" * 300)
    assert result.exit_code == 1
    assert "File name too long" in result.stdout


def test_a_mistyped_option_is_no_traceback():
    result = memophase("run", "demo", "--sett", "seeds=1")
    assert result.exit_code == 2
    assert "--sett" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_address_of_a_dead_cluster_is_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(Path.cwd()))
    Path("ray").mkdir()
    Path("ray/ray_current_cluster").write_text("127.0.0.1:1")
    (line,) = refused(memophase("run", "smoke", "--address", "auto"))
    assert "no Ray cluster answers at '127.0.0.1:1'" in line
    assert not Path("results").exists()
