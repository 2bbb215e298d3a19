"""A boundary search through a whole run: what it finds, what it costs, and what it goes on from."""

from __future__ import annotations

import json
import math
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.charts.theme import THEMES
from analysis.frames import searches
from analysis.report.search_figures import search_figures
from study.store.results import Results
from sweeps.files import spec
from sweeps.search.scale import Scale
from sweeps.space import cost
from sweeps.space.axes import Axis
from tests.sweeps.running.stand_in import StandIn
from tests.sweeps.search.synthetic_runs import SWEEP, boundary_of, following, run
from tests.sweeps.tiny import memophase

ASKED: list[int] = []
"""How many trainings of the undisturbed search were done each time when it was asked for more."""


@cache
def flops() -> dict[str, float]:
    """Operations of every training of the grid."""
    return {t.hash: cost.of(t.config).flop for t in spec.loads(SWEEP, ["search={}"]).trainings}


def spent(hashes: list[str]) -> float:
    """The share of the grid's operations."""
    return sum(flops()[name] for name in hashes) / whole_grid()


def whole_grid() -> float:
    return sum(flops().values())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The results of a search in one go, and the order in which it trained."""
    folder, told = tmp_path_factory.mktemp("line"), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        stand_in = type("Fresh", (StandIn,), {"train": following(told, asked=ASKED)})
        patch.setattr("sweeps.running.run.RayProcess", stand_in)
        outcome, _ = run(folder)
    assert outcome.complete
    return folder, told


def found(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "search" / f"{name}.parquet")


def test_it_finds_the_boundary_of_a_known_law_at_a_share_of_the_grid(undisturbed):
    folder, told = undisturbed
    assert spent(told) < 0.2
    rows = found(folder, "boundary").dropna(subset="position")
    assert set(rows["along"]) == {"corpus.size"}
    assert set(rows["direction"]) == {"falls"}
    truth = np.array([boundary_of(width) for width in rows["network.width"]])
    inside = [
        low <= 2.0**at <= high
        for low, at, high in zip(rows["lower"], truth, rows["upper"], strict=True)
    ]
    assert len(rows) >= 4
    assert np.mean(inside) >= 0.75
    assert np.log2(rows["position"]).to_numpy() == pytest.approx(truth, abs=0.6)
    largest = found(folder, "largest").sort_values("network.width")
    assert list(largest["network.width"]) == [8, 16, 32, 64, 128, 256]
    assert largest["position"].is_monotonic_increasing


def test_where_it_looked_is_told_in_order(undisturbed):
    folder, told = undisturbed
    looked = found(folder, "looked")
    assert list(looked["training"]) == told
    assert list(looked["order"]) == list(range(len(told)))
    assert looked["value"].between(-0.2, 1.2).all()
    assert looked["flop"].sum() > 0
    candidates = found(folder, "candidates")
    assert len(candidates) == 54
    assert candidates["probability"].between(0, 1).all()
    assert candidates["trainings"].sum() == len(told)
    listed = json.loads((folder / "sweep.json").read_text())
    assert [t["hash"] for t in listed["trainings"]] == told
    assert listed["search"]["says"].startswith("band at most ")
    said = memophase("status", str(folder)).stdout
    assert f"line: {len(told)} of {len(told)} trainings so far done" in said
    assert "search: band at most " in said


def test_packs_hold_one_width_and_more_of_narrow_networks(ray: type[StandIn], tmp_path: Path):
    """Launches of a pack take as long as 100/W members: narrow networks are asked for together."""
    sizes: dict[int, list[int]] = {}

    def train(_: StandIn, trials, watcher, more) -> None:
        from study.config import TrialConfig
        from tests.analysis import synthetic
        from tests.sweeps.running.stand_in import given

        for pack in given(more):
            watcher.started(pack["name"])
            configs = [TrialConfig.from_dict(document) for document in pack["trainings"]]
            (width,) = {config.network.width for config in configs}
            sizes.setdefault(width, []).append(len(configs))
            for config in configs:
                synthetic.publish(tmp_path, config)
            watcher.completed(pack["name"])

    ray.train = train
    run(tmp_path)
    assert len(sizes) >= 4
    assert np.mean(sizes[min(sizes)]) > np.mean(sizes[max(sizes)])
    assert np.mean(sizes[min(sizes)]) >= 3


def test_packs_are_no_larger_than_the_file_allows():
    for members, most in ((None, 16), (2, 2)):
        options = [] if members is None else [f"resources.members_per_pack={members}"]
        search = spec.loads(SWEEP, options).search
        assert search.space.most_members(search.cells[0]) == most


def test_run_again_it_trains_nothing_and_a_grid_only_the_rest(
    undisturbed, ray: type[StandIn], tmp_path: Path
):
    folder, told = undisturbed
    shutil.copytree(folder, tmp_path / "r")
    more: list[str] = []
    ray.train = following(more)
    again, shown = run(tmp_path / "r")
    assert (again.trained, more) == (0, [])
    assert f"done={len(told)}/{len(told)}" in shown
    limit = (spent(told) + 0.004) * whole_grid()
    finer, _ = run(tmp_path / "r", "search.width=0.3", f"search.budget={limit:e}")
    assert finer.trained == len(more) > 0
    assert not set(more) & set(told)
    assert found(tmp_path / "r", "looked")["training"].tolist() == told + more
    trained = len(told) + len(more)
    grid, _ = run(tmp_path / "r", "search={kind: grid}", "grid.network.width={log2: [3, 4]}")
    assert grid.trained + trained == len(set(more) | set(told))
    assert not (tmp_path / "r" / "search").exists() or not list((tmp_path / "r/search").iterdir())


def test_a_search_that_died_goes_on_from_the_results_alone(
    undisturbed, ray: type[StandIn], tmp_path: Path
):
    """Whatever else was in the folder is gone: only the trainings are left, one of them begun."""
    folder, told = undisturbed
    shutil.copytree(folder / "trainings", tmp_path / "trainings")
    kept = told[:9]
    for name in told[9:]:
        shutil.rmtree(tmp_path / "trainings" / name)
    from study.config import TrialConfig
    from tests.analysis import synthetic

    begun = tmp_path / "trainings" / kept[-1]
    config = TrialConfig.from_dict(json.loads((begun / "config.json").read_text()))
    shutil.rmtree(begun)
    synthetic.publish(tmp_path, config, 512)
    more: list[str] = []
    ray.train = following(more)
    outcome, _ = run(tmp_path)
    assert outcome.complete
    assert more[0] == kept[-1]
    assert not set(more) & set(kept[:-1])
    assert spent([*kept, *more[1:]]) < 0.25
    shares = [found(place, "candidates")["probability"] > 0.5 for place in (folder, tmp_path)]
    assert (shares[0] == shares[1]).mean() > 0.95


def test_the_same_results_give_the_same_wishes(undisturbed, ray: type[StandIn], tmp_path: Path):
    """As after a kill between two batches: what was asked for next is asked for again."""
    folder, told = undisturbed
    done = ASKED[2]
    for name in told[:done]:
        shutil.copytree(folder / "trainings" / name, tmp_path / "trainings" / name)
    more: list[str] = []
    ray.train = following(more)
    run(tmp_path)
    assert 0 < done < len(told)
    assert more == told[done:]


def test_results_joined_from_two_folders_are_all_gone_by(
    undisturbed, ray: type[StandIn], tmp_path: Path
):
    folder, told = undisturbed
    shutil.copytree(folder / "trainings", tmp_path / "trainings")
    more: list[str] = []
    ray.train = following(more)
    outcome, _ = run(tmp_path)
    assert (outcome.complete, more) == (True, [])
    assert len(outcome.trainings) == len(told)


def test_it_stops_at_its_budget_and_goes_on_with_more(ray: type[StandIn], tmp_path: Path):
    whole = whole_grid()
    told: list[str] = []
    ray.train = following(told)
    run(tmp_path, f"search.budget={0.004 * whole:e}")
    assert 0 < spent(told) <= 0.004
    few = len(told)
    run(tmp_path, f"search.budget={0.01 * whole:e}")
    assert 0.004 < spent(told) <= 0.01
    assert len(set(told)) == len(told) > few
    planned = json.loads(
        memophase_plan(tmp_path, SWEEP.replace("boundary}", f"boundary, budget: {whole:e}}}"))
    )
    assert planned["most_cells"] == 54
    assert planned["most_flop"] == pytest.approx((1 - spent(told)) * whole, rel=1e-3)
    assert planned["unfinished"] > 0


def memophase_plan(folder: Path, text: str) -> str:
    (folder / "s.yaml").write_text(text)
    arguments = ("plan", str(folder / "s.yaml"), "--results", str(folder), "--no-time", "--json")
    return memophase(*arguments).stdout


def test_a_training_without_a_value_is_tried_but_not_for_ever(ray: type[StandIn], tmp_path: Path):
    """Packs of small corpora fail, alone too: the search goes on elsewhere and ends."""
    told: list[str] = []

    def train(_: StandIn, trials, watcher, more) -> None:
        from study.config import TrialConfig
        from tests.analysis import synthetic
        from tests.sweeps.running.stand_in import given

        for pack in given(more):
            watcher.started(pack["name"])
            configs = [TrialConfig.from_dict(document) for document in pack["trainings"]]
            if any(config.corpus.size == 4096 for config in configs):
                watcher.failed(pack["name"], "ValueError: no")
                continue
            for config in configs:
                told.append(config.hash)
                synthetic.publish(tmp_path, config)
            watcher.completed(pack["name"])

    ray.train = train
    outcome, _ = run(tmp_path)
    assert outcome.logs
    assert {s.name for s in outcome.states.values()} == {"finished", "failed"}
    assert spent(told) < 0.3


@pytest.mark.parametrize(
    ("values", "is_log"),
    [
        ([64, 128, 512], True),
        ([1, 2, 3, 4], False),
        ([3, 4], False),
        ([8, 64], True),
        ([0.0, 1.0, 1.5], False),
        ([0.001, 0.01, 0.1], True),
    ],
)
def test_sizes_are_counted_in_doublings_and_depths_one_by_one(values, is_log):
    scale = Scale.of(Axis(tuple({"x": value} for value in values)))
    assert scale is not None
    assert scale.is_log == is_log
    assert scale.value(scale({"x": values[-1]})) == pytest.approx(values[-1])


def test_coupled_axes_are_counted_by_their_first_number():
    points = tuple(
        {"grammar.zipf": z, "grammar.depth": d} for z, d in (({}, 3), ({0: 1}, 4), ({1: 1}, 5))
    )
    scale = Scale.of(Axis(points))
    assert scale is not None
    assert scale.name == "grammar.depth"
    assert Scale.of(Axis(({"x": "a"}, {"x": "b"}))) is None
    assert scale.value(math.inf) == math.inf


SMALL = ("grid.corpus.size={log2: [5, 10]}", "grid.network.width={log2: [4, 7]}")


@pytest.mark.parametrize(
    ("measure", "level", "directions"),
    [
        ("partial_memorization.1", 0.5, {"falls"}),
        ("novel_validity", 0.5, {"rises"}),
        ("position", 0.5, {"falls"}),
    ],
)
def test_any_measured_column_is_searched(
    ray: type[StandIn], tmp_path: Path, measure: str, level: float, directions: set[str]
):
    told: list[str] = []
    ray.train = following(told)
    options = (*SMALL, f"search.measure={measure}", f"search.level={level}")
    outcome, _ = run(tmp_path, *options)
    assert outcome.complete
    assert 0 < len(told) < 4 * 24
    named = found(tmp_path, "boundary").dropna(subset="position")
    assert set(named["direction"]) == directions
    assert set(named["along"]) == {"corpus.size"}
    again = SWEEP.replace("boundary}", f"boundary, measure: {measure}}}")
    assert json.loads(memophase_plan(tmp_path, again))["most_cells"] == 54


def test_three_axes_are_searched_at_once(ray: type[StandIn], tmp_path: Path):
    told: list[str] = []
    ray.train = following(told)
    outcome, _ = run(tmp_path, *SMALL, "grid.grammar.depth=[3, 4]")
    assert outcome.complete
    largest = found(tmp_path, "largest")
    assert set(zip(largest["network.width"], largest["grammar.depth"], strict=True)) == {
        (width, depth) for width in (16, 32, 64, 128) for depth in (3, 4)
    }
    for _, line in largest.groupby("grammar.depth"):
        assert line.sort_values("network.width")["position"].is_monotonic_increasing
    search = searches.read(Results.open(tmp_path).store)
    (figure,) = search_figures(search)
    assert len(figure.spec(THEMES["light"])["vconcat"]) == 2


def test_the_report_draws_where_it_looked(undisturbed):
    folder, told = undisturbed
    search = searches.read(Results.open(folder).store)
    assert search is not None
    assert search.about["measure"] == "excess_copies"
    (figure,) = search_figures(search)
    spec = figure.spec(THEMES["light"])["vconcat"][0]
    assert spec["width"] > 0
    frames = figure.data
    most = frames["search_looked"]["trainings"].max()
    assert max(_sizes(spec)["legend"]["values"]) == _sizes(spec)["scale"]["domain"][1] == most
    assert len(frames["search_cells"]) == 54
    assert frames["search_looked"]["trainings"].sum() == len(told)
    assert sorted(frames["search_looked"]["rank"]) == list(
        range(1, len(frames["search_looked"]) + 1)
    )
    band = frames["search_band"].dropna(subset="position")
    assert (band["lower"] <= band["position"]).all()
    assert (band["position"] <= band["upper"]).all()
    low, high = 16 / 2**0.5, 4096 * 2**0.5
    assert band["lower"].min() >= low - 1e-9
    assert band["upper"].max() <= high + 1e-6


def _sizes(spec: dict[str, Any]) -> dict[str, Any]:
    (size,) = (layer["encoding"]["size"] for layer in spec["layer"] if "size" in layer["encoding"])
    return size


def test_no_search_and_damaged_tables_are_no_figure(undisturbed, tmp_path: Path):
    assert searches.read(Results.open(tmp_path).store) is None
    assert search_figures(None) == []
    shutil.copytree(undisturbed[0] / "search", tmp_path / "search")
    (tmp_path / "search" / "looked.parquet").write_bytes(b"no parquet")
    assert searches.read(Results.open(tmp_path).store) is None
