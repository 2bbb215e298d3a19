"""A diagram over every two of the settings that vary, and over N/N*_0."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.frames.tables import Tables
from analysis.statistics.phase_diagram import phase_table
from analysis.statistics.regimes import last_steps, regimes
from analysis.statistics.views import View, scaled_phase, views

AXES = ["corpus.size", "network.width"]


@pytest.fixture(scope="module")
def last(tables: Tables) -> pd.DataFrame:
    return last_steps(regimes(tables), tables.trainings)


@pytest.fixture(scope="module")
def found(tables: Tables, last: pd.DataFrame) -> dict[str, View]:
    phase = phase_table(last, tables.trainings, axes=AXES, facet="grammar.depth")
    return {one.title: one for one in views(phase, last, tables.trainings, "grammar.depth")}


def test_every_pair_of_axes_is_there_once_the_wanted_one_first(found):
    assert list(found) == ["N × W", "N/N*₀ × W", "N × L", "W × L"]
    assert found["W × L"].key == "network.width,grammar.depth"
    assert found["W × L"].phase.panels == ("N=32", "N=256", "N=2048")


def test_every_view_has_every_cell_once_and_no_two_in_one_place(found):
    cells = set(found["N × W"].phase.cells["cell"])
    for view in found.values():
        own = view.phase.cells
        assert sorted(own["cell"]) == sorted(cells)
        assert not own.duplicated(["panel", "x", "y"]).any()


def test_scaled_sizes_are_multiples_of_the_strings_that_all_rules_take(tables, found):
    shared = tables.trainings.iloc[0]
    m, v = shared["grammar.num_synonyms"], shared["grammar.vocab_size"]
    plain, scaled = (found[name].phase for name in ("N × W", "N/N*₀ × W"))
    for depth in (3, 4):
        here = plain.cells["panel"] == f"L={depth}"
        ratio = plain.cells.loc[here, "x"] / scaled.cells.loc[here, "x"]
        assert ratio.to_numpy() == pytest.approx(v * m ** (depth + 1))
    low, high = scaled.x.domain
    assert scaled.cells["x_low"].min() == low
    assert scaled.cells["x_high"].max() == high
    assert all(low <= at <= high for at in scaled.x.positions.values())


def test_the_line_goes_with_the_cells(found):
    plain, scaled = (found[name].phase for name in ("N × W", "N/N*₀ × W"))
    assert len(scaled.lines) == len(plain.lines) > 0
    joined = plain.lines.assign(ratio=plain.lines["x"] / scaled.lines["x"])
    assert joined.groupby("panel")["ratio"].nunique().max() == 1


def test_where_the_rules_are_an_axis_there_is_no_scaled_view(tables, last):
    phase = phase_table(last, tables.trainings, axes=["corpus.size", "grammar.depth"])
    assert scaled_phase(phase, tables.trainings) is None
