"""A fault at every write of a run's own process, of a search and of the index in turn; then it is
run again, to the same bytes. The writes of trainings are those of `tests/study`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from analysis import load
from analysis.frames import index, loading
from study.config import TrialConfig
from study.store import patience
from study.store.results import Results
from sweeps.faults import UsageError
from sweeps.running import run as running
from sweeps.running import supply
from sweeps.running.tuner import Trials
from sweeps.running.watcher import StorageFull, Watcher
from sweeps.status import heartbeat, usage
from tests.analysis import synthetic
from tests.study.striking import Killed, Mode, struck
from tests.sweeps.running.stand_in import More, StandIn, given
from tests.sweeps.search.synthetic_runs import SWEEP, following, run
from tests.sweeps.upkeep.studies import files

SMALL = (
    SWEEP.replace("log2: [4, 12]", "log2: [7, 9]")
    .replace("{log2: [3, 8]}", "[32, 64]")
    .replace("seeds: 4", "seeds: 2")
)
SEARCHES = {"boundary": SMALL, "grid": SMALL.replace("kind: boundary", "kind: grid")}
MODES = ("killed", "full", "hiccup")
SAMPLED = 7
"""Of the default suite: one write of so many, a prime, so that their kinds take turns."""
CLOCKED = ("last-run.json",)
"""What says how long it took."""


@pytest.fixture(autouse=True)
def timeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written because time passed, or is waited for."""
    monkeypatch.setattr(patience, "FIRST", 0.001)
    monkeypatch.setattr(supply, "EVERY", 0.0)
    monkeypatch.setattr(heartbeat, "EVERY", 1e6)


def copying(source: Path) -> type[StandIn]:
    """A Ray that publishes trainings as they are in other results."""

    def train(_: StandIn, trials: Trials, watcher: Watcher, more: More) -> None:
        for pack in given(more):
            watcher.started(pack["name"])
            for document in pack["trainings"]:
                training = f"trainings/{TrialConfig.from_dict(document).hash}"
                shutil.copytree(source / training, Path(pack["results"]) / training)
            watcher.completed(pack["name"])

    return type("Copying", (StandIn,), {"train": train})


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Everything that results hold, but for what clocks and processes say."""
    found = files(folder)
    return {n: b for n, b in found.items() if n not in CLOCKED and not n.startswith("runs/")}


@pytest.fixture(scope="module", params=SEARCHES)
def undisturbed(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, list[str]]:
    """The sweep, its results, and the writes of the run's own that it takes."""
    text, first = SEARCHES[request.param], tmp_path_factory.mktemp("first")
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supply, "EVERY", 0.0)
        patch.setattr(heartbeat, "EVERY", 1e6)
        patch.setattr(running, "RayProcess", type("Law", (StandIn,), {"train": following([])}))
        run(first, text=text)
        patch.setattr(running, "RayProcess", copying(first))
        with struck(folder, spared="trainings") as counted:
            run(folder, text=text)
    assert bytes_of(folder) == bytes_of(first)
    for name in ("sweep.json", "last-run.json", "runs/"):
        assert any(name in line for line in counted.happened)
    return text, folder, counted.happened


def buried(folder: Path) -> None:
    """The heartbeat of a process that was killed says of which: here, of none that lives."""
    for file in (folder / "runs").glob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"process": "gone"}))


def survives(mode: Mode, at: int, folder: Path, undisturbed, patch: pytest.MonkeyPatch) -> None:
    text, whole, happened = undisturbed
    folder.mkdir()
    patch.setattr(running, "RayProcess", copying(whole))
    with struck(folder, mode, at, spared="trainings"):
        try:
            run(folder, text=text)
        except (Killed, UsageError, StorageFull) as end:
            # before it holds the folder, storage that fails is told; from then on it waits
            held = any(
                write.startswith("os.rename") and "/runs/" in write for write in happened[:at]
            )
            assert mode != "hiccup" or not held, f"write {at}: {end}"
        else:
            assert mode != "killed"  # on a full disk one can still delete
    buried(folder)
    before = {name: data for name, data in files(folder).items() if name.startswith("trainings/")}
    outcome, _ = run(folder, text=text)
    assert outcome.complete
    assert bytes_of(folder) == bytes_of(whole), f"write {at}"
    assert before.items() <= files(folder).items()
    assert not list((folder / "runs").iterdir())
    if outcome.trained:
        assert usage.last(Results.open(folder)) is not None


@pytest.mark.parametrize("mode", MODES)
def test_some_writes_of_a_run_fail(mode: Mode, undisturbed, tmp_path: Path, monkeypatch):
    for at in range(3, len(undisturbed[2]), SAMPLED):
        survives(mode, at, tmp_path / str(at), undisturbed, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_every_write_of_a_run_fails(mode: Mode, undisturbed, tmp_path: Path, monkeypatch):
    for at in range(len(undisturbed[2])):
        survives(mode, at, tmp_path / str(at), undisturbed, monkeypatch)


@pytest.fixture(scope="module")
def eager() -> Iterator[None]:
    """An index is written for however few trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "FEWEST", 1)
        yield


@pytest.fixture(scope="module")
def indexed(eager, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, int]:
    """Results with an index of the half of them, the same with all, and the writes in between."""
    half, all_ = tmp_path_factory.mktemp("half"), tmp_path_factory.mktemp("all")
    configs = [synthetic.config(seed=seed, size=size) for seed in range(2) for size in (32, 512)]
    for config in configs[:2]:
        synthetic.publish(half, config)
    load(half)
    for config in configs[2:]:
        synthetic.publish(half, config)
    shutil.copytree(half, all_, dirs_exist_ok=True)
    with struck(all_) as counted:
        load(all_)
    assert index.opened(Results.open(all_).store) is not None
    return half, all_, len(counted.happened)


def is_read(mode: Mode, at: int, folder: Path, indexed) -> None:
    """Results whose index is struck at one write while it is brought up to date."""
    half, all_, _ = indexed
    shutil.copytree(half, folder)
    rows = load(all_)["curves"]
    with struck(folder, mode, at):
        try:
            found = load(folder)
        except Killed:
            assert mode == "killed"
        else:  # results that cannot be written can be read
            assert_frame_equal(found["curves"], rows)
    assert index.opened(Results.open(folder).store) is not None, "half an index counts"
    load(folder)
    assert files(folder) == files(all_), f"write {at}"


@pytest.mark.parametrize("mode", MODES)
def test_some_writes_of_the_index_fail(mode: Mode, indexed, tmp_path: Path):
    for at in range(3, indexed[2], SAMPLED):
        is_read(mode, at, tmp_path / str(at), indexed)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_every_write_of_the_index_fails(mode: Mode, indexed, tmp_path: Path):
    for at in range(indexed[2]):
        is_read(mode, at, tmp_path / str(at), indexed)
