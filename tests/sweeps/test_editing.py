"""One folder through the life of a study: a sweep that grows, and parts that ran in two places."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from study.config import TrialConfig
from study.store.results import Results
from sweeps.files import spec
from sweeps.running import run as running
from sweeps.running.tuner import Trials
from sweeps.running.watcher import Watcher
from sweeps.space import cost
from tests.analysis import synthetic
from tests.sweeps.running.stand_in import More, StandIn, given, run, trained
from tests.sweeps.search import synthetic_runs
from tests.sweeps.test_every_write import SMALL, copying
from tests.sweeps.tiny import TINY, contents, memophase
from tests.sweeps.upkeep.studies import files

FIRST = ("grid.corpus.size=[4, 8]", "seeds=1", "training.steps=16")
EDITED = ("grid.corpus.size=[4, 6, 8]", "grid.network.width=[8, 16]", "seeds=2")


def begins(told: dict[str, int]):
    """Trains for real, and tells at which step each training stood when its pack began."""

    def train(_: StandIn, trials: Trials, watcher: Watcher, more: More) -> None:
        for pack in given(more):
            results = Results.open(pack["results"])
            for document in pack["trainings"]:
                name = TrialConfig.from_dict(document).hash
                assert name not in told, "trained twice"
                status = results.status(name)
                told[name] = status.step if status else 0
            trained(pack, watcher)

    return train


def clocked(folder: Path, training: str) -> list[dict]:
    """What each measured step of a training took: never the same twice."""
    results = Results.open(folder)
    status = results.status(training)
    assert status is not None
    return results.table(status, "timing").to_pylist()


def test_an_edited_sweep_trains_what_is_new_and_no_step_twice(ray: type[StandIn], tmp_path: Path):
    """Axes refined and added, a seed added, steps raised, all at once."""
    first, edited = spec.loads(TINY, FIRST), spec.loads(TINY, EDITED)
    told: dict[str, int] = {}
    ray.train = begins(told)  # type: ignore[method-assign]
    run(tmp_path / "grown", first)
    old = list(told)
    assert len(old) == 2
    before = {name: clocked(tmp_path / "grown", name) for name in old}
    told.clear()
    outcome, _ = run(tmp_path / "grown", edited)
    assert outcome.complete
    assert told == {t.hash: 16 if t.hash in old else 0 for t in edited.trainings}
    for name in old:
        assert clocked(tmp_path / "grown", name)[: len(before[name])] == before[name]

    told.clear()
    run(tmp_path / "fresh", edited)
    assert contents(tmp_path / "grown") == contents(tmp_path / "fresh")

    told.clear()
    back, _ = run(tmp_path / "grown", first)
    assert (back.complete, back.trained, told) == (True, 0, {})


def test_two_parts_of_a_grid_from_two_places_are_one_study(
    ray: type[StandIn], tmp_path, monkeypatch
):
    """One place had the small corpora, the other the large ones; a third seed is trained after."""
    monkeypatch.chdir(tmp_path)
    told: dict[str, int] = {}
    ray.train = begins(told)  # type: ignore[method-assign]
    for where, sizes in (("a", "[4]"), ("b", "[6, 8]")):
        run(Path(where), spec.loads(TINY, [f"grid.corpus.size={sizes}"]))
    assert memophase("join", "a", "b", "--into", "c").exit_code == 0
    whole = spec.loads(TINY, ["grid.corpus.size=[4, 6, 8]", "seeds=3"])
    outcome, _ = run(Path("c"), whole)
    assert outcome.complete
    assert len(told) == 9, "the third seeds alone"
    told.clear()
    run(Path("alone"), whole)
    assert contents(Path("c")) == contents(Path("alone"))


@pytest.fixture
def law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every training of the lattice, by a law."""
    for training in spec.loads(SMALL, ["search={kind: grid}"]).trainings:
        synthetic.publish(tmp_path / "law", training.config)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "RayProcess", copying(tmp_path / "law"))
    return tmp_path / "law"


def test_two_boundary_searches_are_joined_and_go_on_as_one(law: Path):
    """Each place stopped at another budget and with draws of its own."""
    grid = sum(cost.of(t.config).flop for t in spec.loads(SMALL, ["search={kind: grid}"]).trainings)
    for where, seed, share in (("a", 0, 0.3), ("b", 7, 0.5)):
        options = (f"search.budget={share * grid:e}", f"search.seed={seed}")
        synthetic_runs.run(Path(where), *options, text=SMALL)
    held = {where: set(contents(Path(where))) for where in "ab"}
    assert held["a"]
    assert held["b"]
    assert memophase("join", "a", "b", "--into", "c").exit_code == 0
    assert set(contents(Path("c"))) == held["a"] | held["b"]
    before = files(Path("c"))
    outcome, _ = synthetic_runs.run(Path("c"), text=SMALL)
    assert outcome.complete
    found = contents(Path("c"))
    assert held["a"] | held["b"] <= set(found)
    assert len(found) == len(held["a"] | held["b"]) + outcome.trained
    assert all(found[name] == contents(law)[name] for name in found)
    kept = {n: b for n, b in before.items() if n.startswith("trainings/")}
    assert kept.items() <= files(Path("c")).items()
    listed = [t["hash"] for t in json.loads(Path("c/sweep.json").read_text())["trainings"]]
    assert sorted(listed) == sorted(found)

    shutil.rmtree("c/search")
    again, _ = synthetic_runs.run(Path("c"), text=SMALL)
    assert again.trained == 0
    assert {p.name for p in Path("c/search").iterdir()} >= {"boundary.parquet", "looked.parquet"}
