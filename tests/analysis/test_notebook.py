"""The example notebook runs, cell by cell, and draws every chart there is."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest

from analysis import plot
from tests.analysis import synthetic

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "sweep.ipynb"


def cells() -> list[str]:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in document["cells"] if c["cell_type"] == "code"]


def test_the_notebook_runs_and_every_chart_is_whole(tmp_path: Path, monkeypatch):
    for size in (32, 256):
        for width in (16, 64):
            for seed in range(2):
                trial = synthetic.config(
                    size=size, width=width, seed=seed, grammar={"zipf": {"2": 1.0}}
                )
                synthetic.publish(tmp_path, trial)
    monkeypatch.setenv("MEMOPHASE_RESULTS", str(tmp_path))
    names: dict = {}
    charts = 0
    for source in cells():
        tree = ast.parse(source)
        last = tree.body[-1]
        shown = isinstance(last, ast.Expr)
        body = tree.body[:-1] if shown else tree.body
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if shown:
            value = eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)
            if type(value).__module__.startswith("altair"):
                assert value.to_dict()["datasets"]
                charts += 1
    assert charts >= 12
    assert len(names["found"]) >= 20


def test_every_chart_of_the_module_is_in_the_notebook():
    used = "\n".join(cells())
    public = [
        name
        for name, one in inspect.getmembers(plot, inspect.isfunction)
        if one.__module__ == plot.__name__ and not name.startswith("_")
    ]
    assert len(public) >= 15
    assert [name for name in public if f"plot.{name}(" not in used] == []


def test_the_notebook_holds_no_output():
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert document["nbformat"] == 4
    assert all(not cell.get("outputs") for cell in document["cells"])


@pytest.mark.parametrize("name", ["Q_9", "tau_men"])
def test_an_unknown_map_is_refused_by_name(tables, name):
    with pytest.raises(plot.AnalysisError, match=f"no map of '{name}'"):
        plot.order_parameter(tables, name)
