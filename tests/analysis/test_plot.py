"""Charts for notebooks: whole, valid, and of the cell that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analysis import AnalysisError, Tables, load, plot
from analysis.charts.theme import DARK
from tests.analysis import synthetic

CELL = "L=3 · N=256 · W=64"
OF_A_CELL = {"typicality": "typicality", "curves": "curves", "noise": "noise"}
"""Function -> the data of its chart."""


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Rules of unequal probability, so that there are ranks to overproduce."""
    folder = tmp_path_factory.mktemp("ranked")
    for seed in range(2):
        synthetic.publish(folder, synthetic.config(seed=seed, grammar={"zipf": {"2": 1.0}}))
    return load(folder)


@pytest.mark.parametrize(("name", "data"), OF_A_CELL.items())
def test_a_chart_of_a_cell_is_valid_and_holds_that_cell_alone(tables: Tables, name, data):
    spec = getattr(plot, name)(tables, cell=CELL).to_dict()
    assert {row["cell"] for row in spec["datasets"][data]} == {CELL}
    assert "picked_cell" not in {param["name"] for param in spec.get("params", [])}


def test_overproduction_is_drawn_where_rules_have_ranks(tables: Tables, ranked: Tables):
    spec = plot.overproduction(ranked).to_dict()
    assert {row["level"] for row in spec["datasets"]["rules"]} == {2}
    uniform = Tables.of({**tables, "rules": tables["rules"].assign(true_frequency=0.25)})
    with pytest.raises(AnalysisError, match="has no level whose rules differ"):
        plot.overproduction(uniform)


def test_the_diagram_is_over_what_varies_and_pools_nothing(tables: Tables):
    spec = plot.phase_diagram(tables).to_dict()
    cells = spec["datasets"]["phase"]
    assert len(cells) == 18
    assert {row["panel"] for row in cells} == {"L=3", "L=4"}
    turned = plot.phase_diagram(tables, axes=["network.width", "grammar.depth"]).to_dict()
    assert {row["panel"] for row in turned["datasets"]["phase"]} == {"N=32", "N=256", "N=2048"}
    faceted = plot.phase_diagram(tables, facet="corpus.size").to_dict()["datasets"]["phase"]
    assert {row["panel"] for row in faceted} == {"N=32", "N=256", "N=2048"}


def test_plain_frames_will_do_and_nothing_of_them_is_changed(tables: Tables):
    frames = {name: tables[name] for name in ("trainings", "curves", "levels", "typicality")}
    before = {name: frame.copy() for name, frame in frames.items()}
    assert plot.typicality(frames).to_dict() == plot.typicality(tables).to_dict()
    plot.phase_diagram(frames), plot.curves(frames)
    assert all(before[name].equals(frame) for name, frame in frames.items())


def test_the_default_is_the_cell_that_tells_most(tables: Tables):
    (cell,) = {row["cell"] for row in plot.noise(tables).to_dict()["datasets"]["noise"]}
    curves = tables["curves"].merge(tables.trainings[["training", "cell"]], on="training")
    end = curves[curves["step"] == 4096].groupby("cell")["excess_copies"].mean()
    assert cell == (end - 0.5).abs().idxmin()


def test_a_chart_becomes_an_image_in_its_theme(ranked: Tables, tmp_path: Path):
    chart = plot.phase_diagram(ranked, axes=["corpus.size"], theme="dark")
    assert chart.to_dict()["config"]["background"] == DARK.background
    chart.save(tmp_path / "diagram.png")
    assert (tmp_path / "diagram.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: plot.phase_diagram(t, axes=["corpus.sise"]), "did you mean 'corpus.size'"),
        (lambda t: plot.phase_diagram(t, axes=[]), "axes must be one or two fields"),
        (lambda t: plot.phase_diagram(t, facet="depth"), "'depth' is no field"),
        (lambda t: plot.curves(t, "L=3 · N=256 · W=65"), f"did you mean '{CELL}'"),
        (lambda t: plot.noise(t, theme="sepia"), "the themes are light, dark"),
    ],
)
def test_bad_choices_are_refused_in_one_sentence(tables: Tables, call, message):
    with pytest.raises(AnalysisError, match=message):
        call(tables)


def test_nothing_measured_yet_is_said(tmp_path: Path):
    trial = synthetic.config()
    synthetic.publish(tmp_path, trial)
    (tmp_path / "trainings" / trial.hash / "status.json").unlink()
    for draw in (plot.phase_diagram, plot.typicality):
        with pytest.raises(AnalysisError, match="no strings were generated yet"):
            draw(load(tmp_path))
    with pytest.raises(AnalysisError, match="has no curves"):
        plot.curves(load(tmp_path), "L=3 · N=128 · W=64")


def test_the_drawing_library_is_loaded_only_by_drawing():
    code = "import sys; from analysis import plot; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
