"""How the axes of the phase diagram are drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analysis.statistics.axes import Axis

if TYPE_CHECKING:
    import altair as alt


def scale(axis: Axis) -> alt.Scale:
    """The scale of an axis; all its panels and layers share it."""
    import altair as alt

    kind = "log" if axis.kind == "log" else "linear"
    zero = alt.Undefined if kind == "log" else False
    return alt.Scale(type=kind, domain=axis.domain, nice=False, zero=zero)


def ticks(axis: Axis, *, labels: bool = True, named: bool = True) -> alt.Axis:
    """Ticks at the cells' centres, with the settings' own names; `named`: with that of the axis."""
    import altair as alt

    if axis.field is None:
        return alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
    names = json.dumps({f"{at:.12g}": name for at, name in axis.labels.items()})
    return alt.Axis(
        values=list(axis.labels),
        labelExpr=f"({names})[format(datum.value, '.12~g')] || ''" if labels else "''",
        title=axis.title if labels and named else None,
        labelOverlap="greedy",
        labelSeparation=5,
        grid=False,
        domain=False,
    )
