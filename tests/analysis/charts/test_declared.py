"""Curves follow from the declarations: every one is in a panel, with a colour of its own."""

from __future__ import annotations

import pytest

from analysis.charts.curves import curve_panels
from analysis.charts.declared import explained
from analysis.charts.noise import PANELS as NOISE_PANELS
from analysis.charts.theme import THEMES
from study.measures import registry


@pytest.mark.parametrize(
    ("tables", "panels"),
    [(("curves", "levels"), curve_panels()), (("noise",), NOISE_PANELS)],
    ids=["curves", "noise"],
)
def test_every_declared_curve_is_in_the_panel_it_names(tables, panels):
    declared = {
        (column.curve.panel, column.name)
        for table in tables
        for column in registry.columns(table)
        if column.curve
    }
    shown = [(p.name, column) for p in panels for column in (*p.series, p.level_column) if column]
    assert sorted(declared) == sorted(shown)


@pytest.mark.parametrize("panel", [*curve_panels(), *NOISE_PANELS], ids=lambda panel: panel.name)
def test_a_panel_of_the_package_is_titled_and_tells_its_curves_apart(panel):
    assert panel.title != panel.name, "no panel of this name; it would be added at the end"
    names = list(panel.series.values())
    assert len(set(names)) == len(names)
    assert all(len(names) <= len(theme.series) for theme in THEMES.values())


def test_captions_say_what_names_do_not():
    text = explained(curve_panels(), "curves", "levels")
    meaning = {(c.table, c.name): c.meaning for c in registry.declared()}
    assert f"excess copies E, {meaning['curves', 'excess_copies']}." in text
    assert meaning["levels", "partial_memorization"] in text
    assert meaning["curves", "copy_fraction"] not in text
