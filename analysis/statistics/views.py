"""A phase diagram over every two of the settings that vary, and over N/N*_0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import floor, log2

import pandas as pd

from analysis.frames.cells import SCALED, SIDE, distinguishing, symbol
from analysis.statistics.axes import USUAL, Axis
from analysis.statistics.phase_diagram import PhaseTable, panel_count, phase_table
from analysis.statistics.sample_complexity import RULES, enough_strings

MOST = 12
"""Views of a sweep; with six settings that vary there are fifteen pairs of them."""

MOST_PANELS = 16
"""Beyond them a view is no diagram: in a random search each cell has a panel of its own."""

OCTAVES = 14
"""Most ticks on an axis of N/N*_0."""


@dataclass(frozen=True)
class View:
    """One pair of axes.

    Attributes:
        key: the axes, as an address holds them.
        title: their symbols.
        phase: the diagram over them.
    """

    key: str
    title: str
    phase: PhaseTable


def views(
    phase: PhaseTable, last: pd.DataFrame, trainings: pd.DataFrame, facet: str | None
) -> list[View]:
    """The diagram as it was asked for, over N/N*_0, and over all other pairs of axes.

    Args:
        phase: as it was asked for.
        last: rows of `last_steps`.
        trainings: all of the sweep's.
        facet: the field that had panels of its own; where it is an axis it has none.
    """
    first = [name for name in (phase.x.field, phase.y.field) if name is not None]
    found = [_view(phase)]
    scaled = scaled_phase(phase, trainings)
    if scaled is not None:
        found.append(_view(scaled))
    for axes in _pairs(trainings):
        if set(axes) == set(first) or len(found) >= MOST:
            continue
        kept = None if facet in axes else facet
        if panel_count(trainings, axes, kept) <= MOST_PANELS:
            found.append(_view(phase_table(last, trainings, axes=axes, facet=kept)))
    return found


def scaled_phase(phase: PhaseTable, trainings: pd.DataFrame) -> PhaseTable | None:
    """The diagram with N as a multiple of N*_0 = v·m^(L+1), from which all rules are learned.

    None where N is not its horizontal axis, or N*_0 is not one number in each of its panels.
    """
    if phase.x.field != USUAL[0] or phase.y.field in RULES or len(phase.x.positions) < 2:
        return None
    first = trainings.drop_duplicates("cell")
    known = first[["cell"]].assign(
        enough=enough_strings(first, 0).where(first[[*RULES]].notna().all(axis=1))
    )
    by_panel = phase.cells[["cell", "panel"]].merge(known, on="cell").groupby("panel")["enough"]
    if by_panel.nunique(dropna=False).max() != 1 or by_panel.first().isna().any():
        return None
    enough = by_panel.first()
    cells, lines = (_divided(frame, enough) for frame in (phase.cells, phase.lines))
    low, high = float(cells["x_low"].min()), float(cells["x_high"].max())
    return replace(phase, x=_scaled_axis(low, high), cells=cells, lines=lines)


def _divided(frame: pd.DataFrame, enough: pd.Series) -> pd.DataFrame:
    by = frame["panel"].map(enough)
    return frame.assign(**{name: frame[name] / by for name in ("x", "x_low", "x_high")})


def _scaled_axis(low: float, high: float) -> Axis:
    """Ticks at powers of two, every so many that they can be read."""
    first, last = -floor(-log2(low)), floor(log2(high))
    every = -(-(last - first + 1) // OCTAVES)
    ticks = [2.0**power for power in range(first, last + 1) if power % every == 0] or [low]
    return Axis(SCALED, "log", {at: at for at in ticks}, dict.fromkeys(ticks, (low, high)))


def _pairs(trainings: pd.DataFrame) -> Iterator[Sequence[str]]:
    """All pairs of the settings that vary, the usual ones first and horizontal."""
    fields = [name for name in distinguishing(trainings) if name != SIDE]
    ordered = [name for name in USUAL if name in fields]
    yield from combinations([*ordered, *(name for name in fields if name not in ordered)], 2)


def _view(phase: PhaseTable) -> View:
    fields = [name for name in (phase.x.field, phase.y.field) if name is not None]
    return View(",".join(fields), " × ".join(map(symbol, fields)), phase)
