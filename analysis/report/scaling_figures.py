"""The figures of a report on scaled axes, and of exponents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.charts.collapses import collapse_chart, exponents_chart, scaled_chart
from analysis.charts.differences import SHOWN, differences_chart
from analysis.charts.figure import Figure
from analysis.charts.theme import Theme
from analysis.report.findings import Findings
from analysis.statistics.collapses import GROUPS, ROWS

if TYPE_CHECKING:
    import altair as alt


def scaling_figures(findings: Findings) -> list[Figure]:
    """Those that have something to show."""
    made = (
        differences_figure(findings), collapse_figure(findings), scaled_figure(findings),
        exponents_figure(findings),
    )  # fmt: skip
    return [figure for figure in made if figure is not None]


def collapse_figure(findings: Findings) -> Figure | None:
    """Copying against step/N."""
    table = findings.copy_curves
    if table.empty:
        return None

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return collapse_chart(table, theme, "copy_curves")

    return Figure(
        name="copy-collapse",
        title="Copying against step/N",
        caption=(
            "Excess copies of cells that differ in N alone, over the training step per training "
            "string: where memorization comes in proportion to N, curves fall onto one another. "
            f"Means over seeds. At most {GROUPS} groups of cells are drawn, those with most values "
            "of N, and among these those that copy most."
        ),
        data={"copy_curves": table.drop(columns=["lower", "upper"])},
        draw=draw,
    )


def scaled_figure(findings: Findings) -> Figure | None:
    """Regimes against N/N*_0."""
    table = findings.scaled
    if table.empty:
        return None

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return scaled_chart(table, theme, "scaled")

    return Figure(
        name="scaled-diagram",
        title="Regimes against N/N*₀",
        caption=(
            "The phase diagram with the training strings as a multiple of N*₀ = v·m^(L+1), from "
            "about which the top rules are learned. A row for each of what cells share beside N; "
            f"at most {ROWS} rows are drawn."
        ),
        data={"scaled": table},
        draw=draw,
    )


def differences_figure(findings: Findings) -> Figure | None:
    """What differs between two sweeps, cell by cell."""
    every = findings.differences
    shown = every[every["pair"].isin(every["pair"].drop_duplicates().head(SHOWN))]
    if shown.empty:
        return None
    first, second = findings.sides

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return differences_chart(shown, theme, "differences")

    return Figure(
        name="differences",
        title="Differences of cells",
        caption=(
            f"{second} less {first}, at the last step at which both were measured. Means of the "
            "differences of equal seeds with 95 % Student t intervals; ◂ and ▸: they go on beyond "
            f"the frame. At most {SHOWN} pairs of cells are drawn; the table holds all."
        ),
        data={"differences": shown},
        draw=draw,
    )


def exponents_figure(findings: Findings) -> Figure | None:
    """How onsets grow with settings."""
    table = findings.exponents[findings.exponents["exponent"].notna()]
    if table.empty:
        return None
    named = table.assign(row=table["onset"] + " on " + table["setting"]).reset_index(drop=True)

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return exponents_chart(named, theme, "exponents")

    return Figure(
        name="onset-exponents",
        title="Exponents of onsets",
        caption=(
            "How onsets grow with settings. An exponent of 1 is growth in proportion, 0 none; of "
            "the depth L it is the slope of the onset’s logarithm per level. Fitted within cells "
            "that differ in nothing else, seed by seed where all onsets are known, else by a "
            "normal accelerated-failure-time model with seeds jackknifed; lines are 95 % Student t "
            "intervals over seeds; ◂ and ▸: they go on beyond the frame."
        ),
        data={"exponents": named},
        draw=draw,
    )
