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

from analysis.charts.curves import curve_panels, curves_chart
from analysis.charts.figure import rows
from analysis.charts.noise import PANELS as NOISE_PANELS
from analysis.charts.noise import noise_chart
from analysis.charts.overproduction import RANKS_SHOWN, overproduction_chart
from analysis.charts.panels import series_of
from analysis.charts.phase_diagram import phase_panels, phase_subtitle
from analysis.charts.theme import THEMES, Theme, config
from analysis.charts.typicality import shown_steps, typicality_panels
from analysis.frames.errors import AnalysisError
from analysis.statistics.axes import check_axes, default_axes
from analysis.statistics.cells import cell_means, telling_cell
from analysis.statistics.curves import curves_table
from analysis.statistics.noise import noise_table
from analysis.statistics.overproduction import overproduction_table
from analysis.statistics.phase_diagram import phase_table
from analysis.statistics.regimes import last_steps, regimes
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
    return _whole(chart, colours, title=("Overproduction of rules", name), rules=table)


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
