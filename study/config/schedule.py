"""When a training is measured: a schedule that follows from its configuration alone.

Costs are counted in forward passes of one string through the network, so that its operations
cancel: a training step of B noisy strings takes 3·B of them (a backward pass counts twice), G
generated strings G·T, a likelihood measurement one for every noisy string it looks at. What is
affordable at a step is decided by what came before it; how long the training goes on never matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from itertools import count, takewhile

FORWARD_AND_BACKWARD = 3
"""Passes that a string takes in training; its backward pass costs two forward ones."""

LIKELIHOOD_SHARE = 1 / 3
"""Of the budget, at most, for likelihood measurements: they come more often, generation first."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Which steps of a training are measured, and at which of them strings are generated.

    Attributes:
        first_step: the first step that may be measured.
        per_octave: steps per doubling at which strings may be generated.
        likelihood_per_octave: steps per doubling at which the likelihood may be measured.
        budget: passes that measurements may take by any step, as a share of those that training
            took by then; None: no limit.
        training_passes: of one training step.
        generating_passes: of the strings generated at one step.
        likelihood_passes: of everything that is measured without generating.
    """

    first_step: int
    per_octave: int
    likelihood_per_octave: int
    budget: float | None
    training_passes: int
    generating_passes: int
    likelihood_passes: int

    def until(self, last: int) -> list[tuple[int, bool]]:
        """Measured steps not beyond `last`, rising, each with whether strings are generated."""
        return list(_until(self, last))

    @property
    def first_generated_step(self) -> int:
        """The first step at which the budget affords to generate strings."""
        return next(step for step, generates in self._measured() if generates)

    def _measured(self) -> Iterator[tuple[int, bool]]:
        """Step after step: everything where it is affordable, else the likelihood, else nothing.

        Likelihoods never take more than their share of the budget, so that however dense they are
        strings come to be generated.
        """
        everything = self.generating_passes + self.likelihood_passes
        spent = on_likelihood = 0
        for step, may_generate in self._candidates():
            limit = float("inf") if self.budget is None else self.budget * self._trained(step)
            if may_generate and spent + everything <= limit:
                spent += everything
                on_likelihood += self.likelihood_passes
                yield step, True
            elif on_likelihood + self.likelihood_passes <= limit * LIKELIHOOD_SHARE:
                spent += self.likelihood_passes
                on_likelihood += self.likelihood_passes
                yield step, False

    def _candidates(self) -> Iterator[tuple[int, bool]]:
        """The steps of both grids in rising order, with whether strings may be generated."""
        generated = ((step, 0) for step in self._grid(self.per_octave))
        likelihood = ((step, 1) for step in self._grid(self.likelihood_per_octave))
        before = 0
        for step, kind in merge(generated, likelihood):
            if step > before:
                yield step, kind == 0
                before = step

    def _grid(self, per_octave: int) -> Iterator[int]:
        return (round(self.first_step * 2 ** (k / per_octave)) for k in count())

    def _trained(self, step: int) -> int:
        return step * self.training_passes


@lru_cache(maxsize=256)
def _until(schedule: Schedule, last: int) -> tuple[tuple[int, bool], ...]:
    """Kept, because the trainings of a sweep share few schedules and ask for them often."""
    return tuple(takewhile(lambda measured: measured[0] <= last, schedule._measured()))
