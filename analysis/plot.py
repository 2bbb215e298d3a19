"""The figures of a sweep in Python: frames in, Altair charts out.

    from analysis import load, plot

    plot.phase_diagram(load("results/demo")).save("diagram.png")

A chart holds its data and shows in any notebook. Figures of one cell show, where none is named, the
one that tells most: its mean E nearest to one half, its curve of typicality with a slope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from analysis.charts.collapses import collapse_chart, exponents_chart, scaled_chart
from analysis.charts.curves import curve_panels, curves_chart
from analysis.charts.differences import SHOWN as PAIRS_SHOWN
from analysis.charts.differences import differences_chart
from analysis.charts.figure import rows
from analysis.charts.glyphs import glyph_panels, glyph_table
from analysis.charts.level_typicality import WHOLE, level_typicality_chart
from analysis.charts.maps import map_panels, map_table
from analysis.charts.noise import PANELS as NOISE_PANELS
from analysis.charts.noise import noise_chart
from analysis.charts.overproduction import (
    RANKS_SHOWN,
    overproduction_chart,
    overproduction_title,
)
from analysis.charts.panels import series_of
from analysis.charts.phase_diagram import phase_panels, phase_subtitle
from analysis.charts.single_strings import strings_chart
from analysis.charts.theme import THEMES, Theme, config
from analysis.charts.timing import timing_chart
from analysis.charts.typicality import shown_steps, typicality_panels
from analysis.claims.outcomes import outcomes
from analysis.claims.registry import claims
from analysis.frames.errors import AnalysisError
from analysis.frames.side_by_side import side_by_side
from analysis.frames.tables import Tables
from analysis.statistics.axes import check_axes, default_axes
from analysis.statistics.cells import cell_means, telling_cell
from analysis.statistics.collapses import copy_curves, scaled_cells
from analysis.statistics.curves import curves_table
from analysis.statistics.differences import cell_differences
from analysis.statistics.level_typicality import level_typicality_table
from analysis.statistics.noise import noise_table
from analysis.statistics.onset_exponents import onset_exponents
from analysis.statistics.onsets import onsets, onsets_by_cell
from analysis.statistics.order_parameters import limits, order_parameters
from analysis.statistics.overproduction import overproduction_table
from analysis.statistics.phase_diagram import phase_table
from analysis.statistics.regimes import last_steps, regimes
from analysis.statistics.single_strings import strings_table
from analysis.statistics.timing import timing_table
from analysis.statistics.typicality import typicality_table
from study.config.settings import did_you_mean

if TYPE_CHECKING:
    import altair as alt

Frames = Mapping[str, pd.DataFrame]
"""Tables of a sweep: those of `load`, or frames by the same names."""

ThemeName = Literal["light", "dark"]


def phase_diagram(
    tables: Frames,
    axes: Sequence[str] | None = None,
    facet: str | None = None,
    theme: ThemeName = "light",
) -> alt.ConcatChart:
    """The regime of every cell, and the line on which half of the seeds memorize.

    Args:
        tables: of the sweep.
        axes: one or two dotted fields of the configuration, the horizontal axis first; None: of the
            settings that vary, dataset size and width first.
        facet: the field whose values get panels of their own. Settings that vary beside these get
            panels too, so that no two cells are ever pooled.
        theme: light or dark.

    Raises:
        AnalysisError: when an axis is no field of the trainings, or nothing is measured yet.
    """
    import altair as alt

    trainings, colours = tables["trainings"], _theme(theme)
    chosen = default_axes(trainings, facet) if axes is None else list(axes)
    check_axes(trainings, chosen, facet)
    phase = phase_table(_last(tables), trainings, axes=chosen, facet=facet)
    heading = alt.Title("Regime at the last measured step", subtitle=phase_subtitle(phase))
    chart = phase_panels(phase, colours, None, "phase").properties(title=heading)
    return _whole(chart, colours, phase=phase.cells, phase_lines=phase.lines)


def typicality(
    tables: Frames, cell: str | None = None, theme: ThemeName = "light"
) -> alt.ConcatChart:
    """Memorization by typicality in one cell: each stratum's, over log p (nats), by step.

    Args:
        tables: of the sweep.
        cell: its name, as in the column `cell` of `trainings`; None: the one that tells most.
        theme: light or dark.

    Raises:
        AnalysisError: when there is no such cell, or it has no strata.
    """
    colours, name = _theme(theme), _cell(tables, cell)
    table = shown_steps(typicality_table(_of_cell(tables, name, "typicality")))
    _check_measured(table, name, "memorization by typicality")
    chart = typicality_panels(table, colours, "typicality", picked=name)
    return _whole(chart, colours, typicality=table)


def curves(tables: Frames, cell: str | None = None, theme: ThemeName = "light") -> alt.ConcatChart:
    """Copying, validity, losses and slopes of one cell over training; arguments as `typicality`."""
    colours, name = _theme(theme), _cell(tables, cell)
    table = curves_table(_of_cell(tables, name, "curves", "levels"), series_of(curve_panels()))
    _check_measured(table, name, "curves")
    chart = curves_chart(table, colours, picked=name, data="curves")
    return _whole(chart, colours, title=("Over training", name), curves=table)


def noise(tables: Frames, cell: str | None = None, theme: ThemeName = "light") -> alt.ConcatChart:
    """What the networks of one cell know by noise level; arguments as `typicality`."""
    colours, name = _theme(theme), _cell(tables, cell)
    table = noise_table(_of_cell(tables, name, "noise"), series_of(NOISE_PANELS))
    _check_measured(table, name, "measurement by noise level")
    chart = noise_chart(table, colours, picked=name, data="noise")
    return _whole(chart, colours, title=("By noise level", name), noise=table)


def overproduction(
    tables: Frames, cell: str | None = None, theme: ThemeName = "light"
) -> alt.TopLevelMixin:
    """How often rules are generated against how often they should be, in one cell.

    Arguments as `typicality`; a cell whose rules are equally probable at every level has no ranks
    of rules, and is refused.
    """
    colours, name = _theme(theme), _cell(tables, cell)
    table = overproduction_table(_of_cell(tables, name, "rules"))
    table = table[table["rank"] <= RANKS_SHOWN]
    _check_measured(table, name, "level whose rules differ in probability")
    chart = overproduction_chart(table, colours, picked=name, data="rules")
    return _whole(chart, colours, title=(overproduction_title(table), name), rules=table)


def typicality_by_level(
    tables: Frames, cell: str | None = None, theme: ThemeName = "light"
) -> alt.ConcatChart:
    """Memorization by each level's part of log p; arguments as `typicality`.

    Reads the tables of single strings, `strings`, `likelihood` and `emissions`.
    """
    colours, name = _theme(theme), _cell(tables, cell)
    own = _of_cell(tables, name, "typicality", "strings", "likelihood", "emissions")
    parts = [typicality_table(own).assign(level=WHOLE), level_typicality_table(own)]
    table = shown_steps(pd.concat(parts, ignore_index=True))
    _check_measured(table, name, "memorization by typicality")
    chart = level_typicality_chart(table, colours, picked=name, data="by_level")
    return _whole(chart, colours, title=("Typicality of each level’s rules", name), by_level=table)


def strings(tables: Frames, cell: str | None = None, theme: ThemeName = "light") -> alt.ConcatChart:
    """Losses and p-values of single strings in one cell; arguments as `typicality`."""
    colours, name = _theme(theme), _cell(tables, cell)
    table = strings_table(_of_cell(tables, name, "strings", "likelihood"))
    _check_measured(table, name, "strings whose loss is followed")
    chart = strings_chart(table, colours, picked=name, data="strings")
    return _whole(chart, colours, title=("String by string", name), strings=table)


def timing(tables: Frames, cell: str | None = None, theme: ThemeName = "light") -> alt.ConcatChart:
    """When one cell was measured, and what that took; arguments as `typicality`."""
    colours, name = _theme(theme), _cell(tables, cell)
    table = timing_table(_of_cell(tables, name, "timing"))
    _check_measured(table, name, "timing")
    chart = timing_chart(table, colours, picked=name, data="timing")
    return _whole(chart, colours, title=("Schedule and time", name), timing=table)


def order_parameter(
    tables: Frames,
    name: str = "E",
    axes: Sequence[str] | None = None,
    facet: str | None = None,
    step: int | None = None,
    theme: ThemeName = "light",
) -> alt.ConcatChart:
    """A map of one order parameter over the axes of the phase diagram.

    Args:
        tables: of the sweep.
        name: its key or symbol, such as `E`, `lambda_1`, `V`, `T_E`, `Q_2`, `tau_mem`.
        axes, facet, theme: as of `phase_diagram`.
        step: at which it is shown; None: the last of every cell.

    Raises:
        AnalysisError: when nothing of that name is defined, or nothing was measured at that step.
    """
    import altair as alt

    colours, trainings = _theme(theme), tables["trainings"]
    chosen = default_axes(trainings, facet) if axes is None else list(axes)
    check_axes(trainings, chosen, facet)
    curves = curves_table(tables, series_of(curve_panels()))
    parameters, values = order_parameters(
        curves, overproduction_table(tables), onsets_by_cell(onsets(tables))
    )
    known = {one.symbol: one for one in parameters} | {one.key: one for one in parameters}
    if name not in known:
        raise AnalysisError(f"there is no map of '{name}'; {did_you_mean(name, list(known))}")
    one = known[name]
    own = values[values["key"] == one.key]
    shown = own if step is None or one.kind == "steps" else own[own["step"] == step]
    if shown.empty:
        raise AnalysisError(f"{one.symbol} was nowhere measured at step {step}")
    last = shown.sort_values("step", kind="stable").drop_duplicates("cell", keep="last")
    phase = phase_table(_last(tables), trainings, axes=chosen, facet=facet)
    table = map_table(phase, last, one.kind).assign(said=None, censored=None)
    chart = map_panels(
        phase, colours, None, "map", kind=one.kind, limits=limits(one.kind, own["mean"]),
        title=one.symbol,
    )  # fmt: skip
    at = "at the last measured step" if step is None else f"at step {step:,}"
    chart = chart.properties(title=alt.Title(one.title, subtitle=at))
    return _whole(chart, colours, map=table, map_lines=phase.lines.iloc[: None if not step else 0])


def curves_by_cell(
    tables: Frames,
    axes: Sequence[str] | None = None,
    facet: str | None = None,
    theme: ThemeName = "light",
) -> alt.ConcatChart:
    """Every cell's E, λ and V over training, at its place in the diagram; as `phase_diagram`."""
    colours, trainings = _theme(theme), tables["trainings"]
    chosen = default_axes(trainings, facet) if axes is None else list(axes)
    check_axes(trainings, chosen, facet)
    phase = phase_table(_last(tables), trainings, axes=chosen, facet=facet)
    table = glyph_table(curves_table(tables, series_of(curve_panels())), phase)
    chart = glyph_panels(phase, colours, cells="phase", curves="glyphs", picked="")
    return _whole(chart, colours, phase=phase.cells, glyphs=table)


def copy_collapse(tables: Frames, theme: ThemeName = "light") -> alt.ConcatChart:
    """Excess copies over step/N of cells that differ in N alone."""
    colours = _theme(theme)
    curves = curves_table(tables, series_of(curve_panels()))
    table = copy_curves(curves, tables["trainings"])
    _check_sweep(table, "cells that differ in corpus.size alone")
    return _whole(collapse_chart(table, colours, "copies"), colours, copies=table)


def scaled_diagram(tables: Frames, theme: ThemeName = "light") -> alt.Chart:
    """The regimes of cells by N/N*_0."""
    colours, trainings = _theme(theme), tables["trainings"]
    table = scaled_cells(cell_means(_last(tables)), trainings)
    _check_sweep(table, "several corpora of a grammar")
    return _whole(scaled_chart(table, colours, "scaled"), colours, scaled=table)


def exponents(tables: Frames, theme: ThemeName = "light") -> alt.LayerChart:
    """How onsets grow with the settings that vary."""
    colours, found = _theme(theme), onset_exponents(tables)
    known = found[found["exponent"].notna()]
    _check_sweep(known, "onsets known at several values of a setting")
    table = known.assign(row=known["onset"] + " on " + known["setting"]).reset_index(drop=True)
    return _whole(exponents_chart(table, colours, "exponents"), colours, exponents=table)


def claim(tables: Frames, name: str, theme: ThemeName = "light") -> alt.TopLevelMixin | None:
    """The figure of a claim, by its id or name; None where the sweep has nothing to show of it.

    Raises:
        AnalysisError: when there is no such claim.
    """
    colours = _theme(theme)
    known = {one.id: one for one in claims()} | {one.name: one for one in claims()}
    if name not in known:
        raise AnalysisError(f"there is no claim '{name}'; {did_you_mean(name, list(known))}")
    (outcome,) = outcomes(tables, [known[name]])
    figure = outcome.figure
    if figure is None:
        return None
    title = (outcome.claim.statement, outcome.result.verdict)
    return _whole(figure.draw(colours), colours, title=title, **figure.data)


def differences(sides: Mapping[str, Tables], theme: ThemeName = "light") -> alt.ConcatChart:
    """Order parameters of cells that two sweeps share, second less first.

    Args:
        sides: name -> tables of each of the two.
        theme: light or dark.
    """
    colours = _theme(theme)
    table = cell_differences(side_by_side(sides), list(sides))
    _check_sweep(table, "cells in common")
    shown = table[table["pair"].isin(table["pair"].drop_duplicates().head(PAIRS_SHOWN))]
    return _whole(differences_chart(shown, colours, "differences"), colours, differences=shown)


def _check_sweep(table: pd.DataFrame, what: str) -> None:
    if table.empty:
        raise AnalysisError(f"the sweep has no {what}")


def _theme(name: str) -> Theme:
    if name not in THEMES:
        raise AnalysisError(f"there is no theme '{name}'; the themes are {', '.join(THEMES)}")
    return THEMES[name]


def _last(tables: Frames) -> pd.DataFrame:
    last = last_steps(regimes(tables), tables["trainings"])
    if last.empty:
        raise AnalysisError("no strings were generated yet in any of these trainings")
    return last


def _cell(tables: Frames, cell: str | None) -> str:
    """The cell of that name, or the one that tells most."""
    if cell is None:
        return telling_cell(cell_means(_last(tables)), typicality_table(tables))
    known = tables["trainings"]["cell"].drop_duplicates().tolist()
    if cell not in known:
        raise AnalysisError(f"there is no cell '{cell}'; {did_you_mean(cell, known)}")
    return cell


def _of_cell(tables: Frames, cell: str, *names: str) -> dict[str, pd.DataFrame]:
    """Some tables with the rows of one cell, and always `curves`, which says what was generated."""
    trainings = tables["trainings"]
    own = trainings[trainings["cell"] == cell]
    found = {name: tables[name] for name in {"curves", *names}}
    rows = {name: frame[frame["training"].isin(own["training"])] for name, frame in found.items()}
    return {"trainings": own, **rows}


def _check_measured(table: pd.DataFrame, cell: str, what: str) -> None:
    if table.empty:
        raise AnalysisError(f"the cell '{cell}' has no {what}")


def _whole(
    chart: Any, theme: Theme, *, title: tuple[str, str] | None = None, **data: pd.DataFrame
) -> Any:
    """The chart with its data in it, in the type and colours of its theme.

    title: heading and the cell, where the chart does not say them.
    """
    import altair as alt

    if title is not None:
        chart.title = alt.Title(title[0], subtitle=title[1])
    chart.datasets = {name: rows(table) for name, table in data.items()}
    chart.config = config(theme)
    return chart
