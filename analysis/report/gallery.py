"""The figures of a report, drawn from its findings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.curves import thinned
from analysis.charts.figure import Figure
from analysis.charts.glyphs import glyph_panels, glyph_table
from analysis.charts.phase_diagram import phase_panels, phase_subtitle
from analysis.charts.theme import PICKED, Theme
from analysis.charts.typicality import shown_steps, typicality_domains, typicality_panels
from analysis.frames.errors import AnalysisError
from analysis.report.cell_figures import cell_figures
from analysis.report.findings import Findings
from analysis.statistics.regimes import THRESHOLDS

if TYPE_CHECKING:
    import altair as alt


def figures(findings: Findings) -> list[Figure]:
    """Every figure that has something to show, in the order of the page."""
    of_claims = [figure for one in findings.claims if (figure := one.figure) is not None]
    drawn = [
        phase_figure(findings), *of_claims, glyph_figure(findings), *cell_figures(findings),
    ]  # fmt: skip
    _check_names(drawn)
    return drawn


def _check_names(drawn: Sequence[Figure]) -> None:
    """Refuse two figures, or two tables of data, of one name: a claim may bring any."""
    names: set[str] = set()
    data: dict[str, pd.DataFrame] = {}
    for figure in drawn:
        if figure.name in names:
            raise AnalysisError(f"two figures are called '{figure.name}'; rename the claim's")
        names.add(figure.name)
        for name, table in (*figure.data.items(), *figure.by_cell.items()):
            if data.setdefault(name, table) is not table:
                raise AnalysisError(
                    f"'{name}' is drawn by '{figure.name}' and is other data elsewhere; rename it"
                )


def phase_figure(findings: Findings) -> Figure:
    """The phase diagram, and beside it the memorization by typicality of the picked cell."""
    phase, typicality = findings.phase, shown_steps(findings.typicality)

    def draw(theme: Theme) -> alt.TopLevelMixin:
        import altair as alt

        picked = alt.selection_point(
            name=PICKED,
            fields=["cell"],
            on="click",
            clear=False,
            toggle=False,
            empty=False,
            value=[{"cell": findings.picked}],
            bind=alt.binding_select(options=findings.cells, name="cell "),
        )
        heading = alt.Title("Regime at the last measured step", subtitle=phase_subtitle(phase))
        curves = typicality_panels(typicality, theme, "typicality", picked=findings.picked)
        with warnings.catch_warnings():
            # One selection in all panels is the point, not an oversight.
            warnings.filterwarnings("ignore", message="Automatically deduplicated selection")
            panels = phase_panels(phase, theme, picked, "phase").properties(title=heading)
            both = alt.hconcat(panels, curves, spacing=36)
        return both.resolve_scale(color="independent", fill="independent", size="independent")

    at = THRESHOLDS
    return Figure(
        name="phase-diagram",
        title="Phase diagram",
        caption=(
            "Each cell has the colour of the regime of most of its seeds; a dot names the "
            f"runner-up. E ≥ {at.memorizing:g} is memorizing; partial memorization, drawn as "
            f"slop, is λ − λ_fit or E above {at.partial:g} by {at.standard_errors:g} standard "
            f"errors; V ≥ {at.generalizing:g} is generalizing. On the right, memorization by "
            "typicality in the picked cell (band: 95 % t interval of the last step, from three "
            "seeds on). By emission: 1 where a stratum of training "
            "strings is copied as a perfect memorizer would, 0 where it is "
            "copied no more than unseen strings of equal typicality. By likelihood, without "
            "sampling: the share of its strings that a loss below nearly all unseen strings of "
            "equal typicality betrays, beyond chance. Empty cells were not measured, or their "
            "regime is undefined."
        ),
        data={"phase": phase.cells, "phase_lines": phase.lines},
        by_cell={"typicality": typicality.drop(columns="bin")},
        domains=typicality_domains(typicality),
        picked=findings.picked,
        draw=draw,
    )


def glyph_figure(findings: Findings) -> Figure:
    """All cells' curves at a glance."""
    phase = findings.phase
    thinned_curves = thinned(findings.curves, by=["cell", "panel", "series"])

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
            "is defined."
        ),
        data={"phase": phase.cells, "glyphs": glyph_table(thinned_curves, phase)},
        draw=draw,
    )
