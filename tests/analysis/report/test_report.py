"""The report as files and as text; what it looks like is seen by the browser test."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import AnalysisError, load
from analysis.charts.figure import Figure
from analysis.charts.theme import LIGHT, THEMES
from analysis.report.findings import find
from analysis.report.folder import PAGE, ReportPaths, write_report
from analysis.report.gallery import phase_figure
from analysis.report.images import Engine, page_script
from study.store.results import Results
from tests.analysis import synthetic

AXES = ("corpus.size", "network.width")


class Page(HTMLParser):
    """The scripts, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str | None]] = []
        self.tags: list[str] = []
        self.text = ""
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "script":
            self._script = dict(attrs).get("id") or f"code-{len(self.scripts)}"

    def handle_endtag(self, tag):
        if tag == "script":
            self._script = None

    def handle_data(self, data):
        if self._script is None:
            self.text += data
        else:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data


def packed(page: Page) -> dict:
    """The data of a page."""
    return json.loads(zlib.decompress(base64.b64decode(page.scripts["data"])))


def dataset(page: Page, name: str) -> list[dict]:
    """Data that is drawn whole, as rows."""
    columns = packed(page)["whole"][name]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read(report: ReportPaths) -> Page:
    return Page(report.page.read_text(encoding="utf-8"))


def test_every_file_is_written(report: ReportPaths):
    names = {path.name for path in report.figures}
    drawn = ("phase-diagram", "typical-first", "outlier-first", "curves-by-cell", "curves")
    for name in (*drawn, "overproduction", "noise", "typicality-by-level", "strings", "timing"):
        assert {f"{name}.png", f"{name}.svg"} <= names
    assert all(path.stat().st_size > 500 for path in report.figures)
    assert {path.suffix for path in report.data} == {".csv", ".parquet"}
    assert {path.stem for path in report.data} >= {"trainings", "cells", "onsets", "claims"}
    beside = [path.name for path in report.page.parent.parent.iterdir()]
    assert beside == ["report"]


def test_the_page_is_self_contained(report: ReportPaths):
    page = read(report)
    loading = {"src", "href", "srcset", "data", "action"}
    for tag, name, value in page.attributes:
        if name in loading and value:
            assert value.startswith(("#", "data:")), (tag, name, value[:80])
    assert page.tags.count("html") == page.tags.count("body") == 1
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("img") == len(report.figures) // 2 >= 10


def test_the_libraries_are_inlined_once_and_the_data_once(report: ReportPaths):
    page = read(report)
    assert sum("vegaEmbed" in code and len(code) > 100_000 for code in page.scripts.values()) == 1
    specs = json.loads(page.scripts["specs"])
    assert set(specs["curves"]) == {"light", "dark", "data", "signals"}
    assert all("datasets" not in spec[theme] for spec in specs.values() for theme in THEMES)
    assert len(dataset(page, "phase")) == 18


def test_the_page_holds_every_cell_and_intervals_as_half_widths(report: ReportPaths):
    data = packed(read(report))
    files = {path.name: path for path in report.data}
    curves = pd.read_parquet(files["curves.parquet"])
    cell = "L=3 · N=256 · W=64"
    assert set(data["by_cell"]["curves"]) == set(curves["cell"])
    shown = pd.DataFrame(data["by_cell"]["curves"][cell])
    unit = 10.0 ** -shown["places"]
    shown = shown.assign(mean=shown["mean"] * unit, half=shown["half"] * unit, unit=unit)
    both = shown.merge(curves[curves["cell"] == cell], on=["panel", "series", "step"])
    assert len(both) == len(shown) > 100
    largest = both.groupby("panel")["mean_y"].transform(lambda mean: mean.abs().max())
    assert (both["unit"] <= np.minimum(1e-3, largest / 1000 + 1e-9)).all()  # nothing finer is seen
    away = (both["mean_x"] - both["mean_y"]).abs()
    assert (away <= np.maximum(5e-4 * both["mean_y"].abs(), both["unit"]) + 1e-12).all()
    half = (both["upper"] - both["lower"]) / 2
    assert both["half"].isna().eq(half.isna()).all()
    off = (both["half"] - half).abs()
    assert (off.dropna() <= (0.06 * half + both["unit"]).dropna()).all()
    for domains in data["signals"].values():
        assert set(domains) <= set(data["by_cell"]["curves"])


def test_tables_have_scopes_and_captions(report: ReportPaths):
    page = read(report)
    headers = page.tags.count("th")
    assert headers == sum(name == "scope" for tag, name, _ in page.attributes if tag == "th")
    assert page.tags.count("caption") == page.tags.count("table")


def test_the_page_says_how_complete_the_sweep_is_and_what_it_found(report: ReportPaths):
    text = " ".join(read(report).text.split())
    assert "54 of 60 trainings are finished; 6 waiting." in text
    assert "18 cells with 3 seeds each" in text
    assert re.search(r"Of 18 cells, .* memorize", text)
    assert "Supported: while copying sets in, typical strings" in text
    assert re.search(r"T_E = 0\.0\d\d \(95 % interval 0\.0\d\d, 0\.0\d\d\)", text)


def test_the_page_tells_the_versions_of_everything_that_decided_the_numbers(report: ReportPaths):
    text = report.page.read_text(encoding="utf-8")
    for package in ("torch", "ray", "numpy", "pyarrow"):
        assert f">{package}</th><td>{metadata.version(package)}</td>" in text


def test_undefined_numbers_are_empty_in_the_data_files(report: ReportPaths):
    files = {path.name: path for path in report.data}
    onsets = pd.read_parquet(files["onsets.parquet"])
    censored = onsets[onsets["censoring"] == "right"]
    assert len(censored) > 0
    assert censored["step"].isna().all()
    text = pd.read_csv(files["onsets.csv"], keep_default_na=False, dtype=str)
    assert set(text[text["censoring"] == "right"]["step"]) == {""}


def small(folder: Path, *, seeds: int = 1, **trial) -> None:
    for size in (32, 256, 2048):
        for seed in range(seeds):
            synthetic.publish(folder, synthetic.config(size=size, seed=seed, **trial))


def test_one_axis_one_seed_and_a_hostile_title(tmp_path: Path):
    small(tmp_path / "results")
    title = "</script><script>window.broken = true</script><b>"
    found = write_report(tmp_path / "results", tmp_path / "out", title=title, axes=["corpus.size"])
    page = read(found)
    assert title in page.text
    assert page.tags.count("b") == 0
    assert page.tags.count("script") == 4
    text = " ".join(page.text.split())
    assert "All 3 trainings are finished" in text
    assert "3 cells with 1 seed each" in text
    assert "a single seed has no interval" in text
    cells = pd.read_parquet(tmp_path / "out" / "data" / "cells.parquet")
    half = (cells["excess_copies_upper"] - cells["excess_copies_lower"]) / 2
    assert half.tolist() == pytest.approx([1.96 * 0.01] * 3, rel=1e-3)  # within each training
    assert cells["novel_validity_lower"].isna().all()


def test_categorical_axes_and_no_facet(tmp_path: Path):
    for unique in (True, False):
        small(tmp_path / "results", corpus={"unique": unique})
    found = write_report(
        tmp_path / "results",
        tmp_path / "out",
        title="Unique",
        axes=["corpus.size", "corpus.unique"],
    )
    phase = dataset(read(found), "phase")
    assert {row["y"] for row in phase} == {0, 1}
    assert len(phase) == 6


@pytest.fixture
def blank_images(monkeypatch) -> None:
    """Images take most of a report's time; where they do not matter they are blank."""
    monkeypatch.setattr("analysis.report.images.Engine", Blank)


class Blank:
    """A drawing engine that draws nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def drawing(self, figure, theme, folder):
        file = folder / f"{figure.name}.svg"
        file.write_text("")
        return lambda: file

    def rasterized(self, file):
        file.with_suffix(".png").write_text("")
        return "data:,"

    def bundle(self):
        return ""

    def kill(self):
        pass


@pytest.mark.usefixtures("blank_images")
def test_an_unfinished_sweep_with_failures_is_reported(tmp_path: Path):
    results = Results.open(tmp_path / "results")
    trials = [synthetic.config(seed=seed) for seed in range(4)]
    synthetic.publish(tmp_path / "results", trials[0], until=512)
    synthetic.publish(tmp_path / "results", trials[1], until=512)
    status = synthetic.publish(tmp_path / "results", trials[2], until=128)
    results.mark(status, "failed", "ValueError: <b>no</b>")
    synthetic.publish(tmp_path / "results", trials[3])
    results.store.publish(f"trainings/{trials[3].hash}/status.json", b"garbled")
    found = write_report(
        results, tmp_path / "out", title="Running", axes=["corpus.size"], expected=6
    )
    text = " ".join(read(found).text.split())
    assert "0 of 6 trainings are finished; 2 unfinished, 2 waiting, 1 failed and 1 damaged" in text
    assert "failed: ValueError: <b>no</b>" in text
    assert "status.json is garbled" in text
    phase = dataset(read(found), "phase")
    assert phase[0]["provisional"] is True
    assert phase[0]["seeds"] == 2


@pytest.mark.usefixtures("blank_images")
def test_equal_results_give_equal_pages(tmp_path: Path):
    small(tmp_path / "results")
    one, two = (
        write_report(tmp_path / "results", tmp_path / name, title="x", axes=["corpus.size"]).page
        for name in ("one", "two")
    )
    assert one.read_bytes() == two.read_bytes()


def test_equal_figures_give_equal_images(tmp_path: Path):
    small(tmp_path)
    found = find(load(tmp_path), axes=["corpus.size"], facet=None, expected=None)
    with Engine() as engine:
        one, two = (engine.draw(phase_figure(found), LIGHT, tmp_path) for _ in range(2))
    assert one == two
    assert (tmp_path / "phase-diagram.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_cannot_be_drawn_is_named(tmp_path: Path):
    def draw(theme):
        import altair as alt

        return alt.Chart(alt.NamedData("rows")).mark_point().encode(x=alt.X("x:Q", bin="wrong"))

    figure = Figure(name="odd", title="", caption="", draw=draw)
    with Engine() as engine, pytest.raises(AnalysisError, match=r"'odd' cannot be drawn: ."):
        engine.draw(figure, LIGHT, tmp_path / "nowhere")


def test_an_engine_that_ends_is_told_of_in_one_sentence(tmp_path: Path):
    small(tmp_path)
    found = find(load(tmp_path), axes=["corpus.size"], facet=None, expected=None)
    said = "the figure 'phase-diagram' cannot be drawn: the drawing engine ended with signal 9"
    with Engine() as engine:
        engine._process.kill()  # as the system does where memory runs out
        with pytest.raises(AnalysisError, match=said):
            engine.draw(phase_figure(found), LIGHT, tmp_path)


def test_the_script_of_a_page_is_given_up_where_the_rest_fails():
    with pytest.raises(ValueError, match="no such axis"), page_script() as script:
        raise ValueError("no such axis")
    with pytest.raises(AnalysisError, match="the drawing engine ended with signal 9"):
        script.result()


@pytest.mark.usefixtures("blank_images")
def test_an_older_report_is_replaced_whole(tmp_path: Path):
    small(tmp_path / "results")
    out = tmp_path / "out"
    out.mkdir()
    (out / PAGE).write_text("old")
    (out / "stale.txt").write_text("old")
    write_report(tmp_path / "results", out, title="New", axes=["corpus.size"])
    assert not (out / "stale.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "results"]


@pytest.mark.usefixtures("blank_images")
def test_a_report_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch):
    small(tmp_path / "results")
    out = tmp_path / "out"
    out.mkdir()
    (out / PAGE).write_text("old")

    def broken(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("analysis.report.folder.page", broken)
    with pytest.raises(OSError, match="disk full"):
        write_report(tmp_path / "results", out, title="New", axes=["corpus.size"])
    assert (out / PAGE).read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "results"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"axes": ["corpus.sise"]}, "'corpus.sise' is no field .* did you mean 'corpus.size'"),
        ({"axes": []}, "axes must be one or two fields"),
        ({"axes": ["corpus.size", "corpus.size"]}, "axes must be one or two fields"),
        ({"axes": ["corpus.size"], "facet": "depht"}, "'depht' is no field"),
        ({"axes": ["corpus.size"], "theme": "sepia"}, "the themes are light, dark"),
    ],
)
def test_bad_choices_are_refused_in_one_sentence(grid: Path, tmp_path: Path, choices, message):
    with pytest.raises(AnalysisError, match=message):
        write_report(grid, tmp_path / "out", title="x", **choices)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_report_is_never_replaced(grid: Path, tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(AnalysisError, match="something else than a report"):
        write_report(grid, tmp_path, title="x", axes=AXES)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_nothing_measured_yet_and_nothing_readable_are_said(tmp_path: Path):
    trial = synthetic.config()
    folder = tmp_path / "results"
    synthetic.publish(folder, trial)
    status = folder / "trainings" / trial.hash / "status.json"
    whole = status.read_bytes()
    status.unlink()
    with pytest.raises(AnalysisError, match="none of the 1 trainings has a measurement yet"):
        write_report(folder, tmp_path / "out", title="x", axes=["corpus.size"])
    status.write_bytes(whole.replace(b"finished", b"finishes"))
    with pytest.raises(AnalysisError, match="none of the 1 trainings can be read; the first"):
        write_report(folder, tmp_path / "out", title="x", axes=["corpus.size"])
