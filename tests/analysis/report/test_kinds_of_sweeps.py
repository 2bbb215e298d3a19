"""A sensible page for every kind of sweep: small, lop-sided, unfinished, failed, two at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis import AnalysisError, load
from analysis.charts.phase_diagram import phase_panels
from analysis.charts.theme import LIGHT
from analysis.frames.side_by_side import side_by_side
from analysis.frames.strata import FEW, UNIFORM
from analysis.frames.tables import Tables
from analysis.report.findings import find
from analysis.report.folder import write_comparison, write_report
from analysis.report.gallery import map_figure, phase_figure
from analysis.report.plates import Plate
from analysis.report.strings import document
from analysis.report.words import seeds, strata_notes
from analysis.statistics.differences import cell_differences
from analysis.statistics.generated_strings import CellStrings, Shown
from analysis.statistics.phase_diagram import phase_table
from analysis.statistics.regimes import last_steps, regimes
from study.store.results import Results
from study.training.run import run_pack
from sweeps.cli import app
from tests.analysis import synthetic
from tests.analysis.report.test_report import Blank, packed, read
from tests.study.small import small

STEPS = 512
AXES = ["corpus.size", "network.width"]


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch) -> None:
    """What is drawn is seen in the browser; here it would only take time."""
    monkeypatch.setattr("analysis.report.images.Engine", Blank)
    monkeypatch.setattr(Plate, "of", lambda figure: Plate(figure.title, figure.caption, {}))


def publish(folder: Path, until: int | None = None, **trial) -> None:
    synthetic.publish(folder, synthetic.config(**{"steps": STEPS, **trial}), until)


def page_of(folder: Path, out: Path, axes: list[str] = AXES, **more):
    found = write_report(folder, out, title="Sweep", axes=axes, **more)
    return read(found), {path.stem: path for path in found.data if path.suffix == ".parquet"}


def test_a_single_cell_with_a_single_seed(tmp_path: Path):
    publish(tmp_path / "results")
    page, data = page_of(tmp_path / "results", tmp_path / "out")
    text = " ".join(page.text.split())
    assert "1 cell with 1 seed" in text
    assert "±1.96 standard errors within its training" in text
    assert "No setting varies of those that onsets are put against" in text
    cells = pd.read_parquet(data["cells"])
    half = (cells["excess_copies_upper"] - cells["excess_copies_lower"]) / 2
    assert half.tolist() == pytest.approx([1.96 * 0.01], rel=1e-3)
    assert cells["novel_validity_lower"].isna().all()
    assert len(packed(page)["maps"]["cells"]) == 1


@pytest.mark.parametrize(
    "trial",
    [
        small(grammar={"depth": 3, "vocab_size": 6, "num_synonyms": 4}),
        small(  # every string is grammatical, and nothing was learned
            grammar={"depth": 2, "vocab_size": 4, "num_synonyms": 4},
            corpus__size=32,
            training__steps=1,
            measurement__first_step=1,
        ),
    ],
    ids=["uniform", "whole"],
)
def test_where_all_rules_are_equally_probable_no_figure_compares_them(tmp_path: Path, trial):
    run_pack([trial], Results.open(tmp_path / "results"))
    page, _ = page_of(tmp_path / "results", tmp_path / "out")
    figures = {value for _, name, value in page.attributes if name == "data-figure"}
    assert {"curves", "typicality", "noise"} <= figures
    assert not {"overproduction", "typicality-by-level"} & figures


def test_a_single_stratum_is_told_with_what_to_set(tmp_path: Path):
    publish(tmp_path / "results")
    publish(tmp_path / "results", grammar={"zipf": {"2": 1.5}}, corpus={"control_size": 16})
    found = find(load(tmp_path / "results"), axes=AXES, facet=None, expected=None)
    assert strata_notes(found) == {}
    one = found.typicality[found.typicality["bin"] == 0]
    notes = strata_notes(replace(found, typicality=one))
    assert list(notes) == found.cells
    assert [UNIFORM in note for note in notes.values()].count(True) == 1
    assert [FEW in note for note in notes.values()].count(True) == 1


def test_an_undefined_regime_is_crossed_out_and_its_seed_counted(tmp_path: Path):
    publish(tmp_path / "results")
    tables = load(tmp_path / "results")
    untold = tables["curves"].assign(excess_copies=float("nan"), novel_validity=float("nan"))
    altered = Tables.of({**{name: tables[name] for name in tables}, "curves": untold})
    found = find(altered, axes=AXES, facet=None, expected=None)
    assert found.phase.cells["regime"].isna().all()
    assert found.summary["seeds"].tolist() == [1]
    assert "1 cell with 1 seed" in seeds(found)
    spec = phase_figure(found).spec(LIGHT)
    rules = [one for one in spec["concat"][0]["layer"] if one["mark"]["type"] == "rule"]
    assert {"filter": "datum.regime === null"} in rules[0]["transform"]


def test_four_axes_have_a_panel_for_every_pair_of_the_others(tmp_path: Path):
    for depth in (3, 4):
        for m in (2, 4):
            for size in (32, 256):
                for width in (16, 64):
                    publish(
                        tmp_path / "results", depth=depth, size=size, width=width,
                        grammar={"num_synonyms": m},
                    )  # fmt: skip
    tables = load(tmp_path / "results")
    last = last_steps(regimes(tables), tables.trainings)
    phase = phase_table(last, tables.trainings, axes=AXES, facet="grammar.depth")
    assert set(phase.panels) == {"L=3 · m=2", "L=3 · m=4", "L=4 · m=2", "L=4 · m=4"}
    spec = phase_panels(phase, LIGHT, None, "phase").to_dict(validate=False)
    assert len(spec["concat"]) == 4
    assert len({(panel["width"], panel["height"]) for panel in spec["concat"]}) == 1


def test_one_axis_is_a_strip_of_cells(tmp_path: Path):
    for size in (32, 256, 2048):
        publish(tmp_path / "results", size=size)
    found = find(load(tmp_path / "results"), axes=["corpus.size"], facet=None, expected=None)
    figure = map_figure(found)
    assert figure is not None
    assert figure.spec(LIGHT)["columns"] == 1
    assert figure.data["map"]["mean"].notna().all()


def test_censored_and_failed_trainings_are_named(tmp_path: Path):
    results = Results.open(tmp_path / "results")
    for size in (32, 2048):
        publish(tmp_path / "results", size=size)
    trial = synthetic.config(size=256, steps=STEPS)
    status = synthetic.publish(tmp_path / "results", trial, until=128)
    results.mark(status, "diverged", "the loss is not finite")
    page, _ = page_of(tmp_path / "results", tmp_path / "out", axes=["corpus.size"])
    text = " ".join(page.text.split())
    assert "diverged: the loss is not finite" in text
    late = synthetic.config(size=2048, steps=STEPS).hash
    assert "censored onset" in text
    assert f"{late}N=2048, seed 0memorizationlater than 512" in text


def test_an_empty_folder_is_refused(tmp_path: Path):
    (tmp_path / "results").mkdir()
    with pytest.raises(AnalysisError, match="holds no trainings"):
        page_of(tmp_path / "results", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_strings_without_a_grammar_have_neither_rules_nor_derivation():
    shown = Shown(step=64, sample=0, tokens=[3, 1], parse=None, kind=None, marks=[(0, 0)])
    (held,) = document([CellStrings("all", "a", 0, 2, [shown], None)]).values()
    assert held["grammar"] is None
    assert held["greys"] is None
    assert held["strings"] == [[64, 0, None, [3, 1], None, [[0, 0]]]]


def two(tmp_path: Path) -> tuple[Path, Path]:
    folders = tmp_path / "one", tmp_path / "two"
    for folder, depth in zip(folders, (3, 4), strict=True):
        for size in (32, 2048):
            for seed in range(3):
                publish(folder, depth=depth, size=size, seed=seed)
    return folders


def test_two_sweeps_are_compared_on_common_axes(tmp_path: Path):
    sides = {folder.name: load(folder) for folder in two(tmp_path)}
    found = write_comparison(sides, tmp_path / "out", title="Both", axes=["corpus.size"])
    page = read(found)
    whole = packed(page)["whole"]
    assert set(whole["phase"]["panel"]) == {"sweep=one", "sweep=two"}
    by_panel = pd.DataFrame(whole["phase"]).groupby("panel")["x"].apply(sorted)
    assert by_panel.iloc[0] == by_panel.iloc[1] == [32, 2048]
    differences = pd.DataFrame(whole["differences"])
    assert set(differences["pair"]) == {"N=32", "N=2048"}
    raw = {name: tables["curves"] for name, tables in sides.items()}
    known = {
        name: rows.merge(sides[name].trainings[["training", "corpus.size"]], on="training")
        for name, rows in raw.items()
    }
    mean = {
        name: rows[(rows["corpus.size"] == 32) & (rows["step"] == STEPS)]["excess_copies"].mean()
        for name, rows in known.items()
    }
    shown = differences[(differences["pair"] == "N=32") & (differences["parameter"] == "E")]
    assert shown["mean"].item() == pytest.approx(mean["two"] - mean["one"], abs=1e-4)
    assert shown["seeds"].item() == 3
    bold = [value for tag, name, value in page.attributes if (tag, name) == ("tr", "class")]
    clear = ((differences["lower"] > 0) | (differences["upper"] < 0)).sum()
    assert bold.count("clear") == clear < len(differences)
    claims = pd.read_parquet(next(p for p in found.data if p.name == "claims.parquet"))
    assert set(claims["sweep"]) == {"one", "two"}
    assert claims["id"].value_counts().eq(2).all()


def test_a_sweep_compared_with_itself_differs_in_nothing(tmp_path: Path):
    one, _ = two(tmp_path)
    shutil.copytree(one, tmp_path / "copy")
    both = side_by_side({"one": load(one), "copy": load(tmp_path / "copy")})
    differences = cell_differences(both, ["one", "copy"])
    assert len(differences) > 0
    assert differences[["mean", "lower", "upper"]].abs().max().max() == 0


@pytest.mark.long
def test_the_command_line_compares_two_folders(tmp_path: Path):
    one, other = (str(folder) for folder in two(tmp_path))
    out = str(tmp_path / "out")
    said = CliRunner().invoke(app, ["report", one, other, "--out", out])
    assert said.exit_code == 0, said.output
    assert Path(out, "index.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{one}", "{one}", "--out", "{out}"], "two different results folders"),
        (["{one}", "{one}/x", "{one}/y", "--out", "{out}"], "two different results folders"),
        (["{one}", "{one}/none"], "--out: is needed"),
        (["{one}", "{one}/none", "--out", "{out}"], "holds no trainings|cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(tmp_path: Path, capfd, arguments, said):
    publish(tmp_path / "one")
    places = {"one": tmp_path / "one", "out": tmp_path / "out"}
    words = [word.format(**places) for word in arguments]
    found = CliRunner().invoke(app, ["report", *words])
    assert found.exit_code == 2
    error = found.output + capfd.readouterr().err
    assert pd.Series(error).str.contains(said).all(), error
    assert not (tmp_path / "out").exists()
