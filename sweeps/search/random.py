"""`search: {kind: random}`: cells drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from study.config.settings import Faults, Section, setting
from sweeps.search.search import Listed
from sweeps.space import axes
from sweeps.space.cells import Expansion

MAX_DRAWS_PER_SAMPLE = 100
"""Draws that may be repeats or infeasible before the axes count as exhausted."""


class Random(Listed):
    """Different cells drawn at random; more of one seed continue fewer."""

    kind = "random"

    @dataclass(frozen=True, kw_only=True)
    class Options(Section):
        """Cells drawn at random."""

        kind: str = setting("random", choices=("random",))
        """random: cells drawn at random from the axes, ranges included, in the order of the
        draws."""
        num_samples: int = setting(minimum=1)
        """How many cells."""
        seed: int = setting(0, minimum=0)
        """Seed of the draws; more samples of one seed continue fewer."""

    options: Options

    @property
    def most(self) -> int:
        """As many as the file says."""
        return self.options.num_samples

    @cached_property
    def expansion(self) -> Expansion:
        """Different cells; where infeasible ones are to be left out, others are drawn instead."""
        found, seen, wanted = Expansion(self.space), set[str](), self.options.num_samples
        draws = axes.draws(list(self.space.axes), self.options.seed)
        for point in islice(draws, wanted * MAX_DRAWS_PER_SAMPLE):
            if len(found.cells) == wanted:
                break
            label = axes.label(point)
            if label in seen:
                continue
            seen.add(label)
            cell = found.cell(point)
            if cell is None and not self.space.skip_infeasible:
                break
            if cell is not None and cell.config.hash not in seen:
                seen.add(cell.config.hash)
                found.cells.append(cell)
        return found

    def cell_faults(self) -> Faults:
        """The axes must hold as many."""
        count, wanted = len(self.cells), self.options.num_samples
        if count == wanted:
            return []
        what = f"only {count} different cells were found, not {wanted}"
        return [(("search", "num_samples"), what)]
