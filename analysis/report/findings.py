"""Everything a report says about a sweep, as tables; nothing is drawn here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.charts.curves import curve_panels
from analysis.charts.noise import PANELS as NOISE_PANELS
from analysis.charts.panels import series_of
from analysis.claims.outcomes import Outcome, claims_table, outcomes
from analysis.claims.registry import claims
from analysis.frames.dictionary import data_dictionary
from analysis.frames.errors import AnalysisError
from analysis.frames.memory import hand_back
from analysis.frames.searches import Search
from analysis.frames.tables import ALL, Problem, Rows, Tables
from analysis.report.maps import Maps, maps_of
from analysis.statistics.axes import check_axes
from analysis.statistics.cells import telling_cell
from analysis.statistics.collapses import copy_curves, scaled_cells
from analysis.statistics.curves import curves_table
from analysis.statistics.differences import COLUMNS as DIFFERENCES
from analysis.statistics.differences import cell_differences
from analysis.statistics.generated_strings import CellStrings, generated_strings, strings_of
from analysis.statistics.level_typicality import level_typicality_table
from analysis.statistics.noise import noise_columns, noise_table
from analysis.statistics.onset_exponents import onset_exponents
from analysis.statistics.onsets import onsets, onsets_by_cell
from analysis.statistics.overproduction import overproduction_table
from analysis.statistics.phase_diagram import PhaseTable, phase_table
from analysis.statistics.regimes import last_steps, regimes
from analysis.statistics.single_strings import single_strings, strings_table
from analysis.statistics.timing import timing_table
from analysis.statistics.totals import Totals, totals_of
from analysis.statistics.typicality import typicality_table
from analysis.statistics.views import View, views
from analysis.statistics.within import with_errors_within
from study.store.states import STATES


@dataclass(frozen=True)
class Findings:
    """What a sweep shows.

    Attributes:
        trainings: one row per readable training.
        problems: the trainings that could not be read, or whose single strings could not.
        expected: trainings that the sweep is to have; None if nobody said.
        regimes: per (training, step).
        last: the rows of `regimes` that speak for their cell.
        phase: the phase diagram.
        views: it over its own axes, and over all other pairs of settings that vary.
        typicality, curves, overproduction: per cell and step, over seeds.
        noise: per cell and noise level, over seeds.
        timing: per cell and step, over seeds.
        strings, level_typicality: of single strings, per cell, over seeds; empty where the sweep is
            too large for them.
        onsets: per training.
        onsets_by_cell: their medians.
        claims: every registered claim with what the sweep says about it.
        summary: one row per cell, what the table in the report shows.
        maps: every order parameter of every cell at every step.
        generated: strings of one training of each cell, or of some of them.
        copy_curves: excess copies over step/N.
        scaled: regimes over N/N*_0.
        exponents: of every onset in every setting that varies.
        totals: what all trainings took.
        sides: where two sweeps are shown side by side, what each says of the claims; `claims` are
            empty then.
        differences: between their cells; empty where there is one sweep.
        search: what a search has found; None where the sweep has none.
        completeness: of each region of the phase diagram; None where nobody said what is planned.
    """

    trainings: pd.DataFrame
    problems: tuple[Problem, ...]
    expected: int | None
    regimes: pd.DataFrame
    last: pd.DataFrame
    phase: PhaseTable
    views: Sequence[View]
    typicality: pd.DataFrame
    curves: pd.DataFrame
    overproduction: pd.DataFrame
    noise: pd.DataFrame
    timing: pd.DataFrame
    strings: pd.DataFrame
    level_typicality: pd.DataFrame
    onsets: pd.DataFrame
    onsets_by_cell: pd.DataFrame
    claims: tuple[Outcome, ...]
    summary: pd.DataFrame
    maps: Maps
    generated: list[CellStrings]
    copy_curves: pd.DataFrame
    scaled: pd.DataFrame
    exponents: pd.DataFrame
    totals: Totals
    sides: Mapping[str, tuple[Outcome, ...]]
    differences: pd.DataFrame
    search: Search | None = None
    completeness: pd.DataFrame | None = None

    @property
    def counts(self) -> dict[str, int]:
        """State -> number of trainings; those without a folder are waiting."""
        found = self.trainings["state"].value_counts()
        counts: dict[str, int] = {state: int(found.get(state, 0)) for state in STATES}
        readable = set(self.trainings["training"])
        counts["damaged"] = len([p for p in self.problems if p.training not in readable])
        if self.expected is not None:
            counts["waiting"] += max(0, self.expected - sum(counts.values()))
        return counts

    @property
    def cells(self) -> list[str]:
        """Names of the measured cells, in the order of their settings."""
        measured = set(self.last["cell"])
        return [cell for cell in self.trainings["cell"].drop_duplicates() if cell in measured]

    @property
    def picked(self) -> str:
        """The cell to look at first."""
        return telling_cell(self.phase.cells, self.typicality)

    @property
    def _searched(self) -> Mapping[str, pd.DataFrame]:
        return {} if self.search is None else self.search.frames

    def _claims(self) -> pd.DataFrame:
        if not self.sides:
            return claims_table(self.claims)
        parts = [claims_table(own).assign(sweep=name) for name, own in self.sides.items()]
        return pd.concat(parts, ignore_index=True)

    def data(self) -> Mapping[str, pd.DataFrame]:
        """File name -> the numbers behind every figure and sentence."""
        return {
            "data_dictionary": data_dictionary(),
            "trainings": self.trainings,
            "cells": self.summary,
            "regimes": self.regimes.merge(
                self.trainings[["training", "cell", "seed"]], on="training"
            ),
            "phase_diagram": self.phase.cells,
            "phase_boundary": self.phase.lines,
            "order_parameters": self.maps.values,
            "memorization_by_typicality": self.typicality,
            "curves": self.curves,
            "overproduction": self.overproduction,
            "noise": self.noise,
            "timing": self.timing,
            "strings": self.strings,
            "generated_strings": strings_of(self.generated),
            "memorization_by_level_typicality": self.level_typicality,
            "onsets": self.onsets,
            "onsets_by_cell": self.onsets_by_cell,
            "copy_curves": self.copy_curves,
            "scaled_diagram": self.scaled,
            "onset_exponents": self.exponents,
            "claims": self._claims(),
            "differences": self.differences,
            **({} if self.completeness is None else {"completeness": self.completeness}),
            **{f"search_{name}": frame for name, frame in self._searched.items()},
            **{name: frame for one in self.claims for name, frame in one.frames.items()},
        }


def find(
    tables: Tables,
    *,
    axes: Sequence[str],
    facet: str | None,
    expected: int | None,
    sides: Mapping[str, Tables] | None = None,
) -> Findings:
    """Work out everything a report says.

    Args:
        tables: of the sweep, or of two sweeps side by side.
        axes, facet: of the phase diagram.
        expected: trainings that the sweep is to have.
        sides: name -> tables of each of two sweeps.

    Raises:
        AnalysisError: when no training can be read, nothing is measured yet, or an axis is no
            setting of the trainings.
    """
    trainings = tables.trainings
    if trainings.empty and tables.problems:
        first = tables.problems[0]
        raise AnalysisError(
            f"none of the {len(tables.problems)} trainings can be read; "
            f"the first, {first.training}: {first.what}"
        )
    if not trainings.empty:
        check_axes(trainings, axes, facet)
    if tables["curves"].empty:
        raise AnalysisError(
            f"none of the {len(trainings)} trainings has a measurement yet; wait for the first step"
        )
    strata = _labelled(typicality_table(tables))
    rules = overproduction_table(tables)
    regime = regimes(tables)
    last = last_steps(regime, trainings)
    onset = onsets(tables)
    by_cell = onsets_by_cell(onset)
    tested = () if sides else outcomes(tables, claims())
    shown = series_of(curve_panels())
    curves = curves_table(tables, shown)
    hand_back()
    curves = _labelled(with_errors_within(curves, tables, shown))
    single = single_strings(tables)
    noise = series_of(NOISE_PANELS)
    by_noise = _labelled(
        noise_table(_only(tables, "noise", noise_columns(noise), Rows(last=True)), noise)
    )
    timing = _labelled(timing_table(tables))
    phase = phase_table(last, trainings, axes=axes, facet=facet)
    measured = set(last["cell"])
    cells = [cell for cell in trainings["cell"].drop_duplicates() if cell in measured]
    telling = telling_cell(phase.cells, strata)
    return Findings(
        trainings=trainings,
        problems=tuple({p.training: p for p in tables.problems}.values()),
        expected=expected,
        regimes=_labelled(regime),
        last=last,
        phase=phase,
        views=views(phase, last, trainings, facet),
        typicality=strata,
        curves=curves,
        overproduction=_labelled(rules),
        noise=by_noise,
        timing=timing,
        strings=strings_table(single),
        level_typicality=level_typicality_table(single),
        onsets=_labelled(onset),
        onsets_by_cell=by_cell,
        claims=tested,
        summary=_summary(phase, last, curves, trainings),
        maps=maps_of(regime, trainings, curves, rules, by_cell, axes=axes, facet=facet),
        generated=generated_strings(tables, cells, first=telling),
        copy_curves=copy_curves(curves, trainings),
        scaled=scaled_cells(phase.cells, trainings),
        exponents=onset_exponents(tables),
        totals=totals_of(tables),
        sides={name: outcomes(own, claims()) for name, own in (sides or {}).items()},
        differences=(
            cell_differences(tables, list(sides)) if sides else pd.DataFrame(columns=DIFFERENCES)
        ),
    )


LABELS = ("training", "cell", "panel", "series", "reading", "onset", "censoring", "regime")
"""Columns that say what a row is of."""


def _labelled(table: pd.DataFrame) -> pd.DataFrame:
    """A table with what its rows are of as categories, names weighing more than the numbers beside;
    what it took to make it is handed back."""
    labels = [name for name in LABELS if name in table]
    labelled = table.astype(dict.fromkeys(labels, "category"))
    hand_back()
    return labelled


def _only(
    tables: Tables, name: str, columns: Sequence[str], rows: Rows = ALL
) -> dict[str, pd.DataFrame]:
    """The trainings and some columns of a large table, which is gone when it was looked at."""
    return {"trainings": tables.trainings, name: tables.read(name, columns, rows)}


def _summary(
    phase: PhaseTable, last: pd.DataFrame, curves: pd.DataFrame, trainings: pd.DataFrame
) -> pd.DataFrame:
    """Per cell: its regime, and E, λ and V with their intervals at the end.

    Seeds count whether they have a regime or not. λ is that of the smallest level >= 1 at which
    the cell has one. Of a single seed the intervals
    are its own, from the standard errors within its training.
    """
    table = phase.cells[
        ["cell", "step", "regime", "share", "runner_up", "runner_up_share", "provisional"]
    ]
    table = table.assign(seeds=table["cell"].map(last.groupby("cell")["training"].nunique()))
    ends = curves.merge(table[["cell", "step"]], on=["cell", "step"])
    partial = ends[(ends["panel"] == "partial") & (ends["level"] >= 1)]
    smallest = partial.sort_values("level").drop_duplicates("cell")
    shown = {
        "excess_copies": ends[ends["series"] == "excess copies E"],
        "partial_memorization": smallest,
        "novel_validity": ends[ends["series"] == "novel validity V"],
    }
    for column, rows in shown.items():
        names = {"mean": column, "lower": f"{column}_lower", "upper": f"{column}_upper"}
        spread = rows[["cell", *names]].rename(columns=names).drop_duplicates("cell")
        table = table.merge(spread, on="cell", how="left")
    table = table.merge(
        smallest[["cell", "level"]].rename(columns={"level": "partial_level"}),
        on="cell",
        how="left",
    )
    order = {cell: i for i, cell in enumerate(trainings["cell"].drop_duplicates())}
    return table.sort_values("cell", key=lambda cell: cell.map(order), ignore_index=True)
