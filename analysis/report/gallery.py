"""The figures of a report, drawn from its findings."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.curves import STEPS_SHOWN, thinned
from analysis.charts.figure import Figure
from analysis.charts.glyphs import glyph_panels, glyph_table
from analysis.charts.maps import map_panels, map_table
from analysis.charts.phase_diagram import phase_panels, phase_subtitle
from analysis.charts.theme import Theme
from analysis.frames.errors import AnalysisError
from analysis.report.cell_figures import cell_figures
from analysis.report.findings import Findings
from analysis.report.scaling_figures import scaling_figures
from analysis.report.search_figures import search_figures
from analysis.statistics.order_parameters import limits
from analysis.statistics.regimes import THRESHOLDS

if TYPE_CHECKING:
    import altair as alt

GLYPHS = 500
"""Cells whose curves are drawn small; of more every second, third, … so that they stay spread."""

GLYPH_POINTS, FEWEST_POINTS = 10_000, 5
"""Points of one series over all cells: the more cells, the fewer pixels has each of its curves."""


def figures(findings: Findings) -> Iterator[Figure]:
    """Every figure that has something to show.

    One after the other: the tables that they draw need not be in memory together.

    Raises:
        AnalysisError: when two figures, or two tables, have one name; a claim may bring any.
    """
    names: set[str] = set()
    tables: dict[str, weakref.ref[pd.DataFrame]] = {}
    for figure in filter(None, _drawn(findings)):
        if figure.name in names:
            raise AnalysisError(f"two figures are called '{figure.name}'; rename the claim's")
        names.add(figure.name)
        for name, table in (*figure.data.items(), *figure.by_cell.items()):
            if tables.setdefault(name, weakref.ref(table))() is not table:
                raise AnalysisError(
                    f"'{name}' is drawn by '{figure.name}' and is other data elsewhere; rename it"
                )
        yield figure


def _drawn(findings: Findings) -> Iterator[Figure | None]:
    yield phase_figure(findings)
    yield from cell_figures(findings)  # of the largest tables, while little else is in memory
    yield map_figure(findings)
    yield from search_figures(findings.search)
    yield from (one.figure for one in findings.claims)
    yield glyph_figure(findings)
    yield from scaling_figures(findings)


MOMENT, HEADING = "moment_said", "map_title"
"""Names of the signals that say in a title when it is, and what is shown."""


def _moment() -> alt.Parameter:
    import altair as alt

    return alt.param(name=MOMENT, value="at the last measured step")


def phase_figure(findings: Findings) -> Figure:
    """The phase diagram."""
    phase = findings.phase

    def draw(theme: Theme) -> alt.TopLevelMixin:
        import altair as alt

        said = alt.ExprRef(f"'Regime ' + {MOMENT}")
        panels = phase_panels(phase, theme, findings.picked, "phase").add_params(_moment())
        return panels.properties(title=alt.Title(said, subtitle=phase_subtitle(phase)))

    at = THRESHOLDS
    return Figure(
        name="phase-diagram",
        title="Phase diagram",
        caption=(
            "Each cell has the colour of the regime of most of its seeds; a dot names the "
            f"runner-up. E ≥ {at.memorizing:g} is memorizing; partial memorization, drawn as "
            f"slop, is λ − λ_fit or E above {at.partial:g} by {at.standard_errors:g} standard "
            f"errors; V ≥ {at.generalizing:g} is generalizing. Empty places were not trained. "
            "Crossed out: the regime is undefined, or nothing was measured then. At equal epochs "
            "or compute a cell shows the step nearest to them, within a factor of √2; at the least "
            "held-out loss, the step with generated strings at which the mean loss of unseen "
            "strings is least. The dashed line is drawn for steps and for the end; over other axes "
            "than the first, for the end."
        ),
        data={"phase": phase.cells, "phase_lines": phase.lines},
        draw=draw,
    )


def map_figure(findings: Findings) -> Figure | None:
    """The diagram as a map of an order parameter: of E, until another one is chosen."""
    phase, maps = findings.phase, findings.maps
    if not maps.parameters:
        return None
    first = maps.parameters[0]
    table = map_table(phase, maps.at_end(first), first.kind)

    def draw(theme: Theme) -> alt.TopLevelMixin:
        import altair as alt

        said = alt.ExprRef(f"{HEADING} + ', ' + {MOMENT}")
        ends = limits(first.kind, maps.of(first))
        panels = map_panels(
            phase, theme, findings.picked, "map", kind=first.kind, limits=ends, title="mean"
        )
        panels = panels.add_params(_moment(), alt.param(name=HEADING, value=first.title))
        return panels.properties(title=alt.Title(said))

    return Figure(
        name="map",
        title=f"Map of {first.symbol}",
        caption=(
            "Means over seeds; a map’s colours mean the same at every step. Crossed out: "
            "undefined, or not measured then. Of onsets, > and < mark cells in which it is only "
            "known to come after, or before, the step that the colour stands for. The dashed line "
            "is that of the regimes."
        ),
        data={"map": table.assign(said=None, censored=None), "map_lines": phase.lines},
        draw=draw,
    )


def glyph_figure(findings: Findings) -> Figure:
    """All cells' curves at a glance."""
    phase = findings.phase
    points = max(FEWEST_POINTS, min(STEPS_SHOWN, GLYPH_POINTS // max(len(phase.cells), 1)))
    cells = phase.cells["cell"].tolist()
    drawn = cells[:: -(-len(cells) // GLYPHS)]
    own = findings.curves[findings.curves["cell"].isin(drawn)]
    thinned_curves = thinned(own, by=["cell", "panel", "series"], at_most=points)
    left_out = "" if drawn == cells else f" Curves of {len(drawn):,} of {len(cells):,} cells."

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return glyph_panels(phase, theme, cells="phase", curves="glyphs", picked=findings.picked)

    steps = findings.curves["step"]
    return Figure(
        name="curves-by-cell",
        title="Every cell over training",
        caption=(
            "The diagram again, with the course of each cell instead of its end: means over seeds, "
            f"from step {steps.min():,} at the left of a cell to {steps.max():,} at its right (log "
            "scale), from 0 at its bottom to 1 at its top. λ at the smallest level ≥ 1 at which it "
            f"is defined.{left_out}"
        ),
        data={"phase": phase.cells, "glyphs": glyph_table(thinned_curves, phase)},
        draw=draw,
    )
