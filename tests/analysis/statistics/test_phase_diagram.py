"""The phase diagram: one row per cell, and the line on which half of the seeds memorize."""

from __future__ import annotations

import numpy as np

from analysis import Tables
from analysis.charts.figure import rows
from analysis.statistics.phase_diagram import phase_table
from analysis.statistics.regimes import REGIMES, last_steps, regimes


def diagram(tables: Tables, **choices):
    last = last_steps(regimes(tables), tables.trainings)
    return phase_table(last, tables.trainings, **choices)


def test_the_phase_table_has_one_row_per_cell(tables: Tables):
    table = diagram(tables, axes=("corpus.size", "network.width"), facet="grammar.depth")
    assert table.panels == ("L=3", "L=4")
    assert len(table.cells) == 18
    assert set(table.cells["regime"]) <= set(REGIMES)
    small = table.cells[(table.cells["x"] == 32) & (table.cells["y"] == 256)]
    assert set(small["regime"]) == {"memorizing"}
    assert not table.cells["provisional"].any()


def test_the_line_lies_between_memorizing_and_other_cells(tables: Tables):
    table = diagram(tables, axes=("corpus.size", "network.width"), facet="grammar.depth")
    assert len(table.lines) >= 4
    for line in table.lines.itertuples():
        row = table.cells[(table.cells["panel"] == line.panel) & (table.cells["y"] == line.y)]
        inside = row[row["x"] < line.x]["regime"] == "memorizing"
        outside = row[row["x"] > line.x]["regime"] == "memorizing"
        assert inside.all()
        assert not outside.any()
    x = table.x.domain
    assert table.lines["x_low"].between(*x).all()
    assert table.lines["x_high"].between(*x).all()


def test_cells_are_never_pooled(tables: Tables):
    """A setting that varies but is on no axis gets panels of its own."""
    table = diagram(tables, axes=("corpus.size", "network.width"))
    assert table.panels == ("L=3", "L=4")
    narrow = diagram(tables, axes=("corpus.size",))
    assert len(narrow.panels) == 6
    assert len(narrow.cells) == 18
    assert not narrow.cells.duplicated(["panel", "x", "y"]).any()


def test_missing_cells_are_gaps(tables: Tables):
    gone = tables.trainings[tables.trainings["cell"] == "L=3 · N=256 · W=64"]["training"]
    fewer = {
        name: frame[~frame["training"].isin(gone)] if name != "trainings" else frame
        for name, frame in tables.items()
    }
    table = diagram(Tables.of(fewer), axes=("corpus.size", "network.width"), facet="grammar.depth")
    assert len(table.cells) == 17
    assert list(table.x.positions) == [32, 256, 2048]


def test_undefined_regimes_are_null_in_the_drawing(tables: Tables):
    curves = tables["curves"].assign(novel_validity=np.nan, excess_copies=0.0)
    levels = tables["levels"].assign(partial_memorization=np.nan)
    made = Tables.of({**tables, "curves": curves, "levels": levels})
    cells = diagram(made, axes=("corpus.size", "network.width"), facet="grammar.depth").cells
    assert all(row["regime"] is None and row["novel_validity"] is None for row in rows(cells))


def test_synthetic_cells_really_differ(tables: Tables):
    assert diagram(tables, axes=("corpus.size", "network.width")).cells["regime"].nunique() >= 3
