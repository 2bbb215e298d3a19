"""Optuna through Ray Tune's OptunaSearch: its study is made anew from the cells that are known.

Optuna's samplers decide by the trials of a study alone. So the study is filled from the results, in
memory, and handed to OptunaSearch as its storage; what it suggests next then depends on nothing
else. (OptunaSearch itself takes no evaluated points of several objectives.)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweeps.search.scale import Scale
from sweeps.space.axes import Axis, Point, Span

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

NAME = "memophase"
REPEATS = 20
"""Suggestions in a row that may be known already before the space counts as exhausted."""


@dataclass(frozen=True)
class Told:
    """A cell that was suggested before.

    Attributes:
        parameters: where it stands, as `Dimension.parameter` has it.
        values: of the objectives; None while it is under way.
        excess: by how much each constraint is broken, 0 or less where it is kept.
    """

    parameters: Mapping[str, Any]
    values: Sequence[float] | None
    excess: Mapping[str, float]


@dataclass(frozen=True)
class Dimension:
    """An axis as Optuna sees it.

    An axis of values is a whole number, the value's place, where the values are numbers; else a
    category.
    """

    axis: Axis | Span

    @property
    def name(self) -> str:
        """The first setting of the axis."""
        return self.axis.name if isinstance(self.axis, Span) else next(iter(self.axis.points[0]))

    @property
    def distribution(self) -> BaseDistribution:
        """What Optuna draws from."""
        from optuna import distributions

        if isinstance(self.axis, Span):
            low, high, log = self.axis.low, self.axis.high, self.axis.logarithmic
            if self.axis.is_whole:
                return distributions.IntDistribution(round(low), round(high), log=log)
            return distributions.FloatDistribution(low, high, log=log)
        count = len(self.axis.points)
        if Scale.of(self.axis) is None:
            return distributions.CategoricalDistribution(range(count))
        return distributions.IntDistribution(0, count - 1)

    def point(self, parameter: Any) -> Point:
        """The settings at a parameter."""
        if isinstance(self.axis, Span):
            return {self.name: parameter}
        return dict(self._ordered[parameter])

    def parameter(self, point: Point) -> Any:
        """The parameter of a point."""
        if isinstance(self.axis, Span):
            return point[self.name]
        own = {name: point[name] for name in self.axis.points[0]}
        return self._ordered.index(own)

    @property
    def _ordered(self) -> list[Point]:
        assert isinstance(self.axis, Axis)
        scale = Scale.of(self.axis)
        points = list(self.axis.points)
        return points if scale is None else sorted(points, key=scale)


def suggested(
    dimensions: Sequence[Dimension],
    told: Sequence[Told],
    objectives: Mapping[str, str],
    *,
    sampler: str,
    startup: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Endless parameters that Optuna would try next; None of them is known, ends when all are.

    Args:
        dimensions: of the space.
        told: what was suggested before, in any order.
        objectives: name -> `max` or `min`.
        sampler: `tpe` or `gp`.
        startup: cells that are drawn at random first.
        seed: of the sampler's draws, which depend on how much was told besides.
    """
    from ray.tune.search.optuna import OptunaSearch

    space = {dimension.name: dimension.distribution for dimension in dimensions}
    ordered = sorted(told, key=lambda each: sorted(each.parameters.items()).__repr__())
    known = {_key(each.parameters) for each in ordered}
    names, modes = list(objectives), list(objectives.values())
    one = len(names) == 1
    number = 0
    with _quiet():
        search = OptunaSearch(
            space,
            metric=names[0] if one else names,
            mode=modes[0] if one else modes,
            sampler=_sampler(sampler, startup, seed, len(ordered)),
            storage=_filled(space, ordered, modes),
            study_name=NAME,
        )
    repeats = 0
    while repeats < REPEATS:
        with _quiet():
            parameters = search.suggest(str(number))
        number += 1
        assert parameters is not None
        if (key := _key(parameters)) in known:
            repeats += 1
            with _quiet():
                search.on_trial_complete(str(number - 1), error=True)
            continue
        known.add(key)
        repeats = 0
        yield parameters


def front(told: Sequence[Told], dimensions: Sequence[Dimension], modes: Sequence[str]) -> set[int]:
    """Places, in `told`, of the cells that no other one beats and that keep the constraints."""
    import optuna

    space = {dimension.name: dimension.distribution for dimension in dimensions}
    with _quiet():
        study = optuna.load_study(study_name=NAME, storage=_filled(space, told, modes))
        return {trial.number for trial in study.best_trials}


def _filled(space: Mapping[str, Any], told: Sequence[Told], modes: Sequence[str]) -> Any:
    """A storage in memory whose study holds what is known."""
    import optuna

    storage = optuna.storages.InMemoryStorage()
    up, down = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE
    directions = [up if mode == "max" else down for mode in modes]
    study = optuna.create_study(storage=storage, study_name=NAME, directions=directions)
    for each in told:
        study.add_trial(_trial(space, each))
    return storage


def _trial(space: Mapping[str, Any], told: Told) -> FrozenTrial:
    import optuna

    under_way = told.values is None
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING if under_way else optuna.trial.TrialState.COMPLETE,
        values=None if under_way else list(told.values or ()),
        params=dict(told.parameters),
        distributions=dict(space),
        constraints=None if under_way else dict(told.excess),
    )


def _sampler(name: str, startup: int, seed: int, known: int) -> BaseSampler:
    from optuna import samplers

    own = int(np.random.SeedSequence([seed, known]).generate_state(1)[0])
    if name == "gp":
        return samplers.GPSampler(seed=own, n_startup_trials=startup)
    return samplers.TPESampler(seed=own, n_startup_trials=startup, multivariate=True)


def _key(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(parameters.items()))


class _quiet:  # noqa: N801 - read as a word in `with`
    """Without Optuna's words on standard error, and its warnings of what is experimental."""

    def __enter__(self) -> None:
        import optuna

        self._level = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        import optuna

        self._caught.__exit__(None, None, None)
        optuna.logging.set_verbosity(self._level)
