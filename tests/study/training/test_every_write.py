"""A fault at every write of a small run in turn; then it is run again, to the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.store import patience
from study.store.results import Results
from study.training.run import run_pack
from tests.study.small import small
from tests.study.striking import Killed, Mode, struck

CONFIGS = [
    small(
        seed=seed,
        training__steps=16,
        training__keep="log2",
        measurement__generated=20,
        measurement__loss_strings=8,
        measurement__noise_strings=8,
        corpus__size=24,
    )
    for seed in range(2)
]
SLICES = 4
SAMPLED = 53
"""Of the default suite: a prime, so that it is another kind of write every time."""


def published(folder: Path) -> dict[str, dict[str, str]]:
    """Training -> published file -> digest, after every one was verified; the clock's left out."""
    results = Results.open(folder)
    found = {}
    for training in results.trainings():
        status = results.verified(training)
        if status is not None:
            files = {name: e.sha256 for name, e in status.files.items() if name != "timing"}
            found[training] = {"step": str(status.step)} | files
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory):
    """What each step publishes, and how many writes the whole takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    steps: dict[int, dict[str, dict[str, str]]] = {0: {}}
    with struck(folder) as counted:
        run_pack(
            CONFIGS,
            Results.open(folder),
            report=lambda step, _: steps.__setitem__(step, published(folder)),
        )
    return steps, counted.happened


def survives(mode: Mode, at: int, folder: Path, steps) -> None:
    """A run that is struck at one write, and the one after it."""
    reported = [0]
    with struck(folder, mode, at):
        try:
            run_pack(CONFIGS, Results.open(folder), report=lambda step, _: reported.append(step))
        except (Killed, OSError):
            assert mode != "hiccup"
        else:
            assert mode != "killed"  # on a full disk one can still delete
    if mode == "hiccup":
        assert reported == list(steps)
    known = [{}, *(step.get(c.hash) for step in steps.values() for c in CONFIGS)]
    held = published(folder)
    assert all(files in known for files in held.values()), "a step is published in part"
    for training, files in steps[reported[-1]].items():
        assert int(held[training]["step"]) >= int(files["step"]), "what was reported is lost"
    run_pack(CONFIGS, Results.open(folder))
    assert published(folder) == steps[max(steps)]
    for training in held:
        left = [file.name for file in (folder / "trainings" / training).iterdir()]
        assert not [name for name in left if name.endswith(".partial")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST", 0.001)


@pytest.mark.parametrize("mode", ["killed", "full", "hiccup"])
def test_some_writes_fail(mode: Mode, undisturbed, tmp_path: Path):
    steps, happened = undisturbed
    kinds = {line.split()[0] for line in happened}
    assert kinds == {"open", "os.rename", "os.mkdir", "os.remove"}
    for at in range(7, len(happened), SAMPLED):
        survives(mode, at, tmp_path / str(at), steps)


@pytest.mark.long
@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("mode", ["killed", "full", "hiccup"])
def test_every_write_fails(mode: Mode, part: int, undisturbed, tmp_path: Path):
    steps, happened = undisturbed
    for at in range(part, len(happened), SLICES):
        survives(mode, at, tmp_path / str(at), steps)


def test_a_run_writes_the_same_files_every_time(undisturbed, tmp_path: Path):
    """Else a fault at each of them in turn would leave some out."""
    _, happened = undisturbed
    with struck(tmp_path) as counted:
        run_pack(CONFIGS, Results.open(tmp_path))
    assert len(counted.happened) == len(happened)
