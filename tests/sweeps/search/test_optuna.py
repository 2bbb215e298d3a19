"""An Optuna search through a whole run: what it suggests, from what, and what it tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.charts.theme import THEMES
from analysis.frames import searches
from analysis.report.search_figures import search_figures
from study.config import TrialConfig
from study.store.results import Results
from sweeps.files import spec
from sweeps.search.recognition import Recognition
from sweeps.search.search import Evidence
from sweeps.search.suggestions import Dimension, Told, front, suggested
from sweeps.space.axes import Axis, Span
from tests.analysis import synthetic
from tests.sweeps.running.stand_in import StandIn, given
from tests.sweeps.search.synthetic_runs import following, run
from tests.sweeps.tiny import memophase

SWEEP = """\
name: best
base:
  grammar: {depth: 3, vocab_size: 6, num_synonyms: 4}
  diffusion: {num_timesteps: 50}
  training: {steps: 1024}
  measurement: {first_step: 64, budget: null}
grid:
  corpus.size: {loguniform: [16, 1024]}
  network.width: [8, 16, 32, 64]
  training.learning_rate: {loguniform: [0.001, 0.1]}
seeds: 2
search:
  kind: optuna
  objectives: {novel_validity: max, excess_copies: min}
  num_samples: 12
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder, told = tmp_path_factory.mktemp("best"), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        stand_in = type("Fresh", (StandIn,), {"train": following(told)})
        patch.setattr("sweeps.running.run.RayProcess", stand_in)
        outcome, _ = run(folder, text=SWEEP)
    assert outcome.complete
    return folder, told


def cells(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "search" / "cells.parquet")


def test_one_suggestion_is_one_cell_with_its_seeds(undisturbed):
    folder, told = undisturbed
    assert len(told) == 24
    table = cells(folder)
    assert len(table) == 12
    assert table["seeds"].eq(2).all()
    assert table["network.width"].isin([8, 16, 32, 64]).all()
    assert table["corpus.size"].between(16, 1024).all()
    assert pd.api.types.is_integer_dtype(table["corpus.size"])
    assert (table["excess_copies lower"] <= table["excess_copies"]).all()
    said = memophase("status", str(folder)).stdout
    assert "best: 24 of 24 trainings so far done" in said
    assert "search: 12 of 12 cells" in said


def test_the_front_holds_what_nothing_beats(undisturbed):
    table = cells(undisturbed[0])
    points = table[["novel_validity", "excess_copies"]].to_numpy() * [-1, 1]
    beaten = [
        any((other <= own).all() and (other < own).any() for other in points) for own in points
    ]
    assert (table["pareto"] == ~np.array(beaten)).all()
    assert table["pareto"].any()


def test_run_again_it_trains_nothing_and_more_samples_go_on(
    undisturbed, ray: type[StandIn], tmp_path: Path
):
    folder, told = undisturbed
    shutil.copytree(folder, tmp_path / "r")
    more: list[str] = []
    ray.train = following(more)
    again, _ = run(tmp_path / "r", text=SWEEP)
    assert (again.trained, more) == (0, [])
    wider, _ = run(tmp_path / "r", "search.num_samples=14", text=SWEEP)
    assert (wider.complete, len(more)) == (True, 4)
    assert not set(more) & set(told)
    assert len(cells(tmp_path / "r")) == 14


@pytest.mark.parametrize("sampler", ["tpe", pytest.param("gp", marks=pytest.mark.long)])
def test_it_is_rebuilt_from_the_trainings_alone(sampler: str, ray: type[StandIn], tmp_path: Path):
    """As after a kill: one cell has lost a seed, nothing else but trainings is there."""
    told: list[str] = []
    ray.train = following(told)
    options = [f"search.sampler={sampler}", "search.num_samples=8"]
    run(tmp_path / "a", *options, text=SWEEP)
    half = tmp_path / "b"
    for name in told[:9]:
        shutil.copytree(tmp_path / "a" / "trainings" / name, half / "trainings" / name)
    again: list[str] = []
    ray.train = following(again)
    outcome, _ = run(half, *options, text=SWEEP)
    assert outcome.complete
    assert again[0] == told[9]
    assert len({*told[:9], *again}) == 16


def test_a_replica_that_was_lost_is_listed_before_it_is_trained(ray: type[StandIn], tmp_path: Path):
    """Its folder is seen while it has no configuration yet, as a worker's is for a moment."""
    told: list[str] = []
    ray.train = following(told)
    run(tmp_path / "a", "search.num_samples=2", text=SWEEP)
    shutil.copytree(tmp_path / "a" / "trainings" / told[0], tmp_path / "b" / "trainings" / told[0])

    def train(_: StandIn, trials, watcher, more) -> None:
        for pack in given(more):
            watcher.started(pack["name"])
            study = json.loads((tmp_path / "b" / "sweep.json").read_text())
            for document in pack["trainings"]:
                config = TrialConfig.from_dict(document)
                assert config.hash in {training["hash"] for training in study["trainings"]}
                synthetic.publish(tmp_path / "b", config)
            watcher.completed(pack["name"])

    ray.train = train
    outcome, _ = run(tmp_path / "b", "search.num_samples=2", text=SWEEP)
    assert outcome.complete
    there = {path.name for path in (tmp_path / "b" / "trainings").iterdir()}
    assert {training.hash for training in outcome.trainings} == there


def test_a_folder_without_a_configuration_is_looked_at_again(tmp_path: Path):
    """The moment between the two falls now and then on a question of the search."""
    space = spec.loads(SWEEP).search.space
    document = json.loads(json.dumps(space.base))
    document["corpus"] = {**document.get("corpus", {}), "size": 77}
    document["network"] = {**document.get("network", {}), "width": 16}
    config = TrialConfig.from_dict(document)
    results, found = Results.open(tmp_path), Recognition(space)
    (tmp_path / "trainings" / config.hash).mkdir(parents=True)
    assert found.trainings(results) == {}
    synthetic.publish(tmp_path, config)
    assert list(found.trainings(results)) == [config.hash]


@pytest.mark.parametrize(
    "left", [(), (".config.json.0.partial",), ("config.json", "curves.parquet")]
)
def test_what_a_killed_run_never_published_and_nobody_asks_for_goes(
    left: tuple[str, ...], ray: type[StandIn], tmp_path: Path
):
    """A suggestion that was forgotten: nothing of it counts, whatever was being written."""
    ray.train = following([])
    folder = tmp_path / "trainings" / "0123456789abcdef"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).write_text("{")
    (tmp_path / "trainings" / "notes").write_text("a file of somebody's own")
    outcome, _ = run(tmp_path, "search.num_samples=2", text=SWEEP)
    assert outcome.complete
    there = {path.name for path in (tmp_path / "trainings").iterdir()}
    assert there == {training.hash for training in outcome.trainings} | {"notes"}


def test_a_training_that_is_not_the_sweeps_stays_though_nothing_of_it_is_published(
    ray: type[StandIn], tmp_path: Path
):
    """`memophase train` may be at it, in the same folder."""
    ray.train = following([])
    other = spec.loads(SWEEP, ["base.grammar.depth=4"]).cells[0].config
    Results.open(tmp_path).describe(other)
    outcome, _ = run(tmp_path, "search.num_samples=2", text=SWEEP)
    assert outcome.complete
    assert (tmp_path / "trainings" / other.hash / "config.json").is_file()


def test_the_same_results_give_the_same_suggestions(undisturbed, tmp_path: Path):
    folder, _ = undisturbed
    options = ["search.num_samples=20"]
    first, again = (spec.loads(SWEEP, options).search for _ in range(2))
    evidence = Evidence(Results.open(folder))
    asked = [[t.hash for b in s.ask(evidence, 3) for t in b] for s in (first, again)]  # type: ignore[union-attr]
    assert asked[0] == asked[1]
    assert len(asked[0]) == 6
    assert first.ask(evidence, 3) == first.ask(evidence, 3)


def test_a_diverged_cell_counts_as_the_worst_and_is_said(ray: type[StandIn], tmp_path: Path):
    def train(_: StandIn, trials, watcher, more) -> None:
        for pack in given(more):
            watcher.started(pack["name"])
            for document in pack["trainings"]:
                config = TrialConfig.from_dict(document)
                status = synthetic.publish(tmp_path, config)
                if config.training.learning_rate > 0.01:
                    Results.open(tmp_path).mark(status, "diverged")
            watcher.completed(pack["name"])

    ray.train = train
    outcome, _ = run(tmp_path, text=SWEEP)
    assert outcome.complete
    table = cells(tmp_path)
    diverged = table["training.learning_rate"] > 0.01
    assert 0 < diverged.sum() < 12
    assert (table.loc[diverged, "penalties"] == 2).all()
    assert (table.loc[diverged, "novel_validity"] == 0).all()
    assert (table.loc[diverged, "excess_copies"] == 1).all()
    assert np.isfinite(table["novel_validity"]).all()
    assert not table.loc[diverged, "pareto"].any()
    said = json.loads(memophase("status", str(tmp_path), "--json").stdout)["search"]
    assert f"12 of 12 cells, {diverged.sum()} of them with seeds that count as the worst" in said


def test_a_constraint_keeps_cells_off_the_front(ray: type[StandIn], tmp_path: Path):
    text = SWEEP.replace(
        "objectives: {novel_validity: max, excess_copies: min}",
        "objectives: {novel_validity: max}\n  constraints: {excess_copies: {max: 0.1}}",
    )
    ray.train = following([])
    run(tmp_path / "last", text=text)
    last = cells(tmp_path / "last")
    assert (last["feasible"] == (last["excess_copies"] <= 0.1)).all()
    assert not last.loc[~last["feasible"], "pareto"].any()
    shutil.copytree(tmp_path / "last" / "trainings", tmp_path / "best" / "trainings")
    run(tmp_path / "best", "search.read=best", text=text)
    best = cells(tmp_path / "best")
    both = last.merge(best, on="cell", suffixes=("", " best"))
    kept = both[both["feasible"]]
    assert (kept["novel_validity best"] >= kept["novel_validity"] - 1e-12).all()
    assert (best["feasible"] | (best["step"] < 1024)).all()


def test_axes_as_optuna_sees_them():
    sizes = Dimension(Axis(tuple({"corpus.size": n} for n in (512, 4, 64))))
    assert [sizes.point(i)["corpus.size"] for i in range(3)] == [4, 64, 512]
    assert sizes.parameter({"corpus.size": 64, "network.width": 8}) == 1
    words = Dimension(Axis(({"diffusion.process": "uniform"}, {"diffusion.process": "absorbing"})))
    assert type(words.distribution).__name__ == "CategoricalDistribution"
    rate = Dimension(Span("training.learning_rate", 0.001, 0.1, True))
    assert rate.parameter(rate.point(0.01)) == 0.01
    width = Dimension(Span("network.width", 7.6, 64.2, True))
    assert (width.distribution.low, width.distribution.high) == (8, 64)


def test_a_space_that_is_exhausted_ends():
    dimension = Dimension(Axis(tuple({"corpus.size": n} for n in (1, 2, 3))))
    found = suggested([dimension], [], {"x": "max"}, sampler="tpe", startup=1, seed=0)
    assert sorted(each["corpus.size"] for each in found) == [0, 1, 2]


def test_it_finds_what_is_best_sooner_than_chance():
    """One objective with its best at 0.3, in one dimension: after 24 trials it is met closely."""
    dimension = Dimension(Span("training.learning_rate", 0.0001, 1.0, False))
    distances = []
    for seed in range(5):
        told: list[Told] = []
        while len(told) < 24:
            options = {"sampler": "tpe", "startup": 6, "seed": seed}
            parameters = next(iter(suggested([dimension], told, {"x": "max"}, **options)))
            x = parameters["training.learning_rate"]
            told.append(Told(parameters, [-((x - 0.3) ** 2)], {}))
        distances.append(min(abs(t.parameters["training.learning_rate"] - 0.3) for t in told))
        (best,) = front(told, [dimension], ["max"])
        assert told[best].values == [max(t.values[0] for t in told if t.values)]
    assert np.median(distances) < 1 / (24 + 1) / 2


def test_trainings_are_recognized_by_their_configuration(tmp_path: Path):
    text = SWEEP.replace("seeds: 2", "seeds: 2\nzip: {grammar.zipf: [{}, {0: 1.0}]}")
    space = spec.loads(text).search.space
    base = json.loads(json.dumps(space.base))
    mine = {"corpus": {"size": 77}, "network": {"width": 16}}
    for zipf, size, seed in (({}, 77, 0), ({"0": 1.0}, 77, 1), ({}, 5000, 0), ({}, 77, 2)):
        document = {**base, **mine, "seed": seed, "corpus": {"size": size}}
        document["grammar"] = {**base["grammar"], "zipf": zipf}
        document["training"] = {**base["training"], "learning_rate": 0.0123}
        synthetic.publish(tmp_path, TrialConfig.from_dict(document), 64)
    (tmp_path / "trainings" / "odd").mkdir()
    (tmp_path / "trainings" / "odd" / "config.json").write_text('{"corpus": 3}')
    found = Recognition(space).trainings(Results.open(tmp_path))
    assert sorted((t.cell.label, t.config.seed) for t in found.values()) == [
        ("size=77 width=16 learning_rate=0.0123 zipf={0:1}", 1),
        ("size=77 width=16 learning_rate=0.0123 zipf={}", 0),
    ]


def test_the_report_draws_the_front(undisturbed):
    search = searches.read(Results.open(undisturbed[0]).store)
    assert search is not None
    (figure,) = search_figures(search)
    frame = figure.data["search_front"]
    assert set(frame["kind"]) == {"on the front", "beaten"}
    assert (frame["x_lower"] <= frame["x"]).all()
    assert "novel_validity max, excess_copies min" in figure.caption
    assert figure.spec(THEMES["dark"])["layer"]
