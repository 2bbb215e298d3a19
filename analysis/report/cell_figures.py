"""The figures of a report that show one cell at a time, in detail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.curves import curve_panels, curves_chart, thinned
from analysis.charts.declared import explained
from analysis.charts.domains import domain_signal, extents
from analysis.charts.figure import Figure
from analysis.charts.level_typicality import (
    WHOLE,
    level_typicality_chart,
    level_typicality_domains,
)
from analysis.charts.noise import PANELS as NOISE_PANELS
from analysis.charts.noise import noise_chart
from analysis.charts.overproduction import (
    RANKS_SHOWN,
    overproduction_chart,
    overproduction_title,
)
from analysis.charts.panels import BANDS_SAID, panel_domains
from analysis.charts.single_strings import LOSSES, loss_ranges, strings_chart
from analysis.charts.single_strings import PANELS as STRINGS_PANELS
from analysis.charts.theme import Theme
from analysis.charts.timing import PANELS as TIMING_PANELS
from analysis.charts.timing import timing_chart
from analysis.charts.typicality import shown_steps, typicality_domains, typicality_panels
from analysis.report.findings import Findings
from analysis.statistics.regimes import THRESHOLDS

if TYPE_CHECKING:
    import altair as alt


def cell_figures(findings: Findings) -> Iterator[Figure]:
    """Those that have something to show, in the order of the page; curves there are always."""
    yield typicality_figure(findings)
    yield curves_figure(findings)
    shown = [
        (overproduction_figure, findings.overproduction),
        (noise_figure, findings.noise),
        (level_typicality_figure, findings.level_typicality),
        (strings_figure, findings.strings),
        (timing_figure, findings.timing),
    ]
    yield from (figure(findings) for figure, table in shown if len(table))


def curves_figure(findings: Findings) -> Figure:
    """Curves over training for one cell at a time."""
    table = thinned(findings.curves, by=["cell", "panel", "series"])
    at = THRESHOLDS
    drawn = set(table["panel"])
    panels = [panel for panel in curve_panels() if panel.name in drawn]
    return _of_cell(
        findings,
        curves_chart,
        table,
        data="curves",
        name="curves",
        title="One cell over training",
        caption=(
            f"Means over seeds of the picked cell. {BANDS_SAID} Dotted lines: "
            f"zero, or the thresholds {at.partial:g} and {at.memorizing:g}. Levels count from the "
            f"root (0). {explained(panels, 'curves', 'levels')} Where a quantity is undefined its "
            "curve has a gap."
        ),
        hidden=["level"],
        domains=panel_domains(table, panels, "curves"),
    )


def typicality_figure(findings: Findings) -> Figure:
    """Memorization by typicality of the picked cell."""
    table = shown_steps(findings.typicality)

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return typicality_panels(table, theme, "typicality", picked=findings.picked)

    return Figure(
        name="typicality",
        title="Memorization by typicality",
        caption=(
            "How much of each stratum of log p is memorized, step by step. By emission: 1 where a "
            "stratum of training strings is copied as a perfect memorizer would, 0 where it is "
            "copied no more than unseen strings of equal typicality. By likelihood, without "
            "sampling: the share of its strings that a loss below nearly all unseen strings of "
            f"equal typicality betrays, beyond chance. {BANDS_SAID} Only the last step has one."
        ),
        by_cell={"typicality": table.drop(columns="bin")},
        domains=typicality_domains(table),
        picked=findings.picked,
        draw=draw,
    )


def overproduction_figure(findings: Findings) -> Figure:
    """How often rules are generated, for one cell at a time."""
    whole = findings.overproduction
    shown = whole[whole["rank"] <= RANKS_SHOWN]
    table = thinned(shown, by=["cell", "level", "rank"])
    return _of_cell(
        findings,
        overproduction_chart,
        table,
        data="rules",
        name="overproduction",
        title=overproduction_title(whole),
        caption=(
            "How often a rule is generated among the nodes that parse, as a multiple of its "
            "frequency in the grammar or in the training strings, whichever is larger; rule 1 is "
            "the most probable of its level. Geometric means over seeds with 95 % Student t "
            "intervals from three seeds on; ×1 (dotted) is neither more nor less than it should "
            "be. Only levels whose rules differ in probability. Of strings without a grammar the "
            "pairs of neighbours stand for rules: 1 is the tenth of all pairs that holds the "
            "commonest, and is expected as often as in the strings put aside for the score."
        ),
        hidden=[],
        domains={domain_signal("rules"): extents(table)},
    )


def noise_figure(findings: Findings) -> Figure:
    """What the network knows by noise level, for one cell at a time."""
    table = findings.noise
    return _of_cell(
        findings,
        noise_chart,
        table,
        data="noise",
        name="noise",
        title="By noise level",
        caption=(
            "At the last measured step, in ten windows of the diffusion time. "
            f"{explained(NOISE_PANELS, 'noise')} Beyond 1 off the line the position is undefined. "
            "Means over seeds with 95 % Student t intervals, from three seeds on, where half of "
            "the seeds at least are defined."
        ),
        hidden=["level", "window"],
        domains=panel_domains(table, NOISE_PANELS, "noise"),
    )


def level_typicality_figure(findings: Findings) -> Figure:
    """Memorization by each level's part of the typicality, for one cell at a time."""
    whole = findings.typicality.assign(level=WHOLE)
    table = shown_steps(pd.concat([whole, findings.level_typicality], ignore_index=True))
    table = table.sort_values("cell", kind="stable", ignore_index=True)
    return _of_cell(
        findings,
        level_typicality_chart,
        table,
        data="by_level",
        name="typicality-by-level",
        title="Typicality of each level’s rules",
        caption=(
            "Memorization by typicality over strata of log p, and over strata of one level’s part "
            "of it: which level’s typicality decides. Only levels whose rules differ in "
            "probability. Means over seeds; band: 95 % t interval of the last step, from three "
            "seeds on."
        ),
        hidden=["bin"],
        domains=level_typicality_domains(table),
    )


def strings_figure(findings: Findings) -> Figure:
    """Losses and p-values of single strings, for one cell at a time."""
    table = findings.strings
    last = int(table[table["panel"] == "loss"]["step"].max())
    return _of_cell(
        findings,
        strings_chart,
        table,
        data="strings",
        name="strings",
        title="String by string",
        caption=(
            f"The strings whose loss is followed. Left and middle, at step {last:,}: ELBO losses "
            "of training strings and controls; share of training strings with a conformal p-value "
            "of at most x, against controls of their stratum. A string is memorized at p ≤ 0.05. "
            "Right: share of the training strings memorized at a step and at every later one, by "
            "thirds of the strata; by chance at most 5 % (dotted). Means over seeds with 95 % "
            "Student t intervals, from three seeds on."
        ),
        hidden=["level", "step"],
        domains={
            **panel_domains(table, STRINGS_PANELS, "strings"),
            LOSSES: loss_ranges(table),
        },
    )


def timing_figure(findings: Findings) -> Figure:
    """When is measured what, and what that costs, for one cell at a time."""
    table = thinned(findings.timing, by=["cell", "panel", "series"])
    return _of_cell(
        findings,
        timing_chart,
        table,
        data="timing",
        name="timing",
        title="Schedule and time",
        caption=(
            "Measurements made until a step, those of likelihood and noise and those of generated "
            "strings; the seconds that a training took until then, a pack’s shared equally among "
            "its trainings; and what they went to. Measuring is everything but the generating of "
            "strings. Means over seeds with 95 % Student t "
            "intervals, from three seeds on."
        ),
        hidden=["level"],
        domains=panel_domains(table, TIMING_PANELS, "timing"),
    )


Chart = Callable[..., "alt.TopLevelMixin"]
"""Draws a table in a theme for one of the cells; arguments as of `curves_chart`."""


def _of_cell(
    findings: Findings,
    chart: Chart,
    table: pd.DataFrame,
    *,
    data: str,
    hidden: list[str],
    domains: Mapping[str, Mapping[str, list[float]]],
    name: str,
    title: str,
    caption: str,
) -> Figure:
    """A figure of the picked cell's rows of a table, without the columns that are not drawn."""

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return chart(table, theme, picked=findings.picked, data=data)

    return Figure(
        name=name,
        title=title,
        caption=caption,
        by_cell={data: table.drop(columns=hidden)},
        domains=domains,
        picked=findings.picked,
        draw=draw,
    )
