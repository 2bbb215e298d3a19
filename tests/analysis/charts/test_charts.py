"""Figures through their tables; drawings only as far as they must not break."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis import Tables, load
from analysis.charts.curves import thinned
from analysis.charts.figure import Figure, rounded, rows
from analysis.charts.theme import DARK, LIGHT, THEMES, spaced
from analysis.charts.typicality import shown_steps
from analysis.report.findings import find
from analysis.report.gallery import figures
from analysis.statistics.regimes import REGIMES
from analysis.statistics.typicality import typicality_table
from tests.analysis import synthetic


def test_few_steps_are_shown_and_the_last_is_one_of_them(tables: Tables):
    table = shown_steps(typicality_table(tables))
    assert table["step"].nunique() <= 6
    assert (table.groupby("cell")["step"].max() == 4096).all()
    assert spaced([1, 2, 4, 8, 16, 32, 64], 3) == [1, 8, 64]
    assert spaced([1, 2, 4], 7) == [1, 2, 4]


def test_curves_are_thinned_and_keep_their_last_point():
    table = pd.DataFrame({"series": "a", "step": 2 ** np.arange(30)})
    shown = thinned(table, by=["series"], at_most=12)
    assert len(shown) == 10
    assert shown["step"].max() == 2**29


def test_every_level_has_a_panel_with_its_own_rules(grid):
    """Layers with data of their own would show all levels in every panel."""
    (figure,) = (f for f in drawn(grid, ("corpus.size",)) if f.name == "overproduction")
    spec = figure.spec(LIGHT)
    assert spec["data"] == {"name": "rules"}
    assert _named(spec["spec"]) == set()


def test_colours_of_either_theme_take_the_place_of_their_names(grid):
    (figure,) = (f for f in drawn(grid, ("corpus.size",)) if f.name == "phase-diagram")
    for theme in THEMES.values():
        assert "theme:" not in json.dumps(figure.spec(theme))


@pytest.mark.parametrize("digits", [2, 4])
def test_numbers_are_rounded_to_significant_digits(digits):
    values = np.array([0.0, np.nan, -0.00123456, 123456.7, 9.9996, 1e-12])
    found = rounded(values, digits)
    assert np.isnan(found[1])
    for value, short in zip(np.delete(values, 1), np.delete(found, 1), strict=True):
        assert repr(float(short)) == repr(float(f"{value:.{digits}g}"))


def drawn(folder, axes, facet=None) -> list[Figure]:
    return figures(find(load(folder), axes=axes, facet=facet, expected=None))


@pytest.mark.parametrize("theme", list(THEMES.values()), ids=list(THEMES))
def test_specs_are_json_that_names_only_data_that_is_there(grid, theme):
    for figure in drawn(grid, ("corpus.size", "network.width"), "grammar.depth"):
        spec = json.loads(json.dumps(figure.spec(theme), allow_nan=False))
        assert spec["config"]["background"] == theme.background
        json.dumps(figure.datasets(), allow_nan=False)
        assert _named(spec) <= set(figure.datasets())


def test_the_drawings_are_valid_vega_lite(tmp_path):
    for size in (32, 256):
        synthetic.publish(tmp_path, synthetic.config(size=size, steps=256))
    for figure in drawn(tmp_path, ("corpus.size",)):
        figure.draw(LIGHT).to_dict(validate=True)


def _named(node) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_named, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    own = node.get("data")
    named = {own["name"]} if isinstance(own, dict) and set(own) == {"name"} else set()
    return named.union(*map(_named, node.values())) if node else named


def test_themes_have_a_colour_for_every_regime():
    for theme in (LIGHT, DARK):
        assert len(set(theme.regimes)) == len(REGIMES)


def test_a_cell_called_like_code_stays_text():
    (row,) = rows(
        pd.DataFrame({"cell": ["</script>"], "x": [np.nan], "n": pd.array([None], "Int64")})
    )
    assert row == {"cell": "</script>", "x": None, "n": None}
