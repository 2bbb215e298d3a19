"""The figure of a search, drawn from the tables that it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.charts.figure import Figure
from analysis.charts.searches import (
    Lattice,
    boundary_frames,
    boundary_map,
    front_chart,
    front_frame,
)
from analysis.charts.theme import Theme
from analysis.frames.searches import Search

if TYPE_CHECKING:
    import altair as alt

NAME = "search"


def search_figures(search: Search | None) -> list[Figure]:
    """The figure of a search; none where nothing of it can be drawn."""
    if search is None:
        return []
    if search.kind == "boundary" and len(search.frames.get("looked", ())):
        return [_boundary(search)]
    if search.kind == "optuna" and len(search.frames.get("cells", ())):
        return _front(search)
    return []


def _boundary(search: Search) -> Figure:
    frames, about = search.frames, search.about
    lattice = Lattice(frames["candidates"], along=str(frames["candidates"].columns[0]))
    data = boundary_frames(lattice, frames["candidates"], frames["boundary"], frames["looked"])

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return boundary_map(lattice, data, theme)

    return Figure(
        name=NAME,
        title="Where the boundary was looked for",
        caption=(
            f"Probability that the median seed has {about['measure']} above {about['level']} at "
            "the last step, from a search that trained only the cells with a circle, in the order "
            "of the numbers; the larger the circle, the more seeds. The line is the boundary, the "
            f"grey its band, which holds it with probability {about['coverage']} in each row; a "
            "band that reaches the edge of the diagram may end beyond it."
        ),
        data=data,
        draw=draw,
    )


def _front(search: Search) -> list[Figure]:
    names = [name.partition(" ")[2] for name in search.about if name.startswith("objective ")]
    bounded = [name.partition(" ")[2] for name in search.about if name.startswith("constraint ")]
    shown = [*names, *(name for name in bounded if name not in names)][:2]
    if len(shown) < 2:
        return []
    bounds = [f"{name} at {search.about[f'constraint {name}']}" for name in bounded]
    wanted = [f"{name} {search.about[f'objective {name}']}" for name in names]
    held = f", among those that keep {' and '.join(bounds)}" if bounds else ""

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return front_chart(shown, theme)

    return [
        Figure(
            name=NAME,
            title="Which cells nothing beats",
            caption=(
                "Every cell that was tried, as means over its seeds with 95 % t intervals. In "
                f"colour the cells that no other one beats in every objective{held}: "
                f"{', '.join(wanted)}."
            ),
            data={"search_front": front_frame(search.frames["cells"], shown)},
            draw=draw,
        )
    ]
