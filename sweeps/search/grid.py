"""`search: {kind: grid}`: every combination of the axes' values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

from study.config.settings import Faults, Section, setting
from sweeps.search.search import CoarseToFine
from sweeps.space import axes
from sweeps.space.cells import Expansion, expanded


class Grid(CoarseToFine):
    """Every combination of the axes' values, the last axis changing fastest."""

    kind = "grid"

    @dataclass(frozen=True, kw_only=True)
    class Options(Section):
        """Every cell of the grid."""

        kind: str = setting("grid", choices=("grid",))
        """grid: every combination of the axes' values, from coarse to fine."""

    def faults(self) -> Faults:
        """A range has no values to go through."""
        what = "a range needs `search: {kind: random, num_samples: …}`; or write a list"
        return [(("grid", span.name), what) for span in self.space.spans]

    @property
    def most(self) -> int:
        """The product of the axes' lengths."""
        return prod(len(axis.points) for axis in self.space.lists)

    @cached_property
    def expansion(self) -> Expansion:
        """A cell for every combination."""
        return expanded(self.space, axes.grid(self.space.lists))
