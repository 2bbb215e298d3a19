"""The order in which the cells of a lattice start, so that its picture forms early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweeps.space.cells import Cell


def coarse_to_fine(cells: Sequence[Cell]) -> list[Cell]:
    """Cells of a lattice so that each finer lattice is whole before the next one begins.

    The first are the corners, that is all combinations of each axis's ends; then come the middles,
    then the quarters. So at any time the picture is a whole one of some resolution. A cell starts
    with all its seeds: intervals and regimes are told over seeds, and a cell of one seed has none.
    On an axis of words or mappings nothing lies between two values: all of them come first.
    """
    rounds: dict[str, dict[Any, int]] = {}
    for name in cells[0].coordinates if cells else ():
        values = list(dict.fromkeys(_key(cell.coordinates[name]) for cell in cells))
        rounds[name] = _rounds(values)
    return sorted(
        cells,
        key=lambda cell: max(
            (rounds[name][_key(value)] for name, value in cell.coordinates.items()), default=0
        ),
    )


def _rounds(values: Sequence[Any]) -> dict[Any, int]:
    """Value of an axis -> the round of halvings in which it comes; its ends come in round 0."""
    if not all(isinstance(value, int | float) for value in values):
        return dict.fromkeys(values, 0)
    rising = sorted(values)
    found = {rising[0]: 0, rising[-1]: 0}
    gaps, turn = [(0, len(rising) - 1)], 0
    while gaps := [(a, b) for a, b in gaps if b - a > 1]:
        turn += 1
        middles = [(a + b) // 2 for a, b in gaps]
        found |= {rising[middle]: turn for middle in middles}
        gaps = [part for (a, b), m in zip(gaps, middles, strict=True) for part in ((a, m), (m, b))]
    return found


def _key(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else repr(value)
