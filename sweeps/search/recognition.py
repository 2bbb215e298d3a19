"""Which point of a space a training on disk stands at, told from its configuration alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from study.store.results import FOLDER, Results
from sweeps.space.axes import Axis, Point, Span
from sweeps.space.cells import Expansion, Space, Training

MOST = 64
"""Points of a training that are tried; one setting tells them apart in every sensible space."""


@dataclass
class Recognition:
    """Trainings of a space, found among whatever lies in a results folder.

    An identity never changes, so what was recognized once is not read again. A folder that has no
    configuration yet is looked at again: somebody is about to publish it.
    """

    space: Space
    _known: dict[str, Training | None] = field(default_factory=dict)

    def trainings(self, results: Results) -> dict[str, Training]:
        """Hash -> training of those that have a folder and lie in the space."""
        found = {}
        for name in results.trainings():
            if name not in self._known and results.has_config(name):
                self._known[name] = self._recognized(name, results)
            if (training := self._known.get(name)) is not None:
                found[name] = training
        return found

    def of(self, names: Collection[str]) -> dict[str, Training]:
        """Hash -> training of those that are known already."""
        known = ((name, self._known.get(name)) for name in names)
        return {name: training for name, training in known if training is not None}

    def add(self, trainings: tuple[Training, ...]) -> None:
        """These are trainings of the space, as is known without looking."""
        self._known |= {training.hash: training for training in trainings}

    def _recognized(self, name: str, results: Results) -> Training | None:
        try:
            document = json.loads(results.store.read(f"{FOLDER}/{name}/config.json"))
            points = list(self._points(document))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None  # no training, or a damaged one, which is trained anew when it is wanted
        for point in points:
            cell = Expansion(self.space).cell(point)
            for training in self.space.replicas(cell) if cell else ():
                if training.hash == name:
                    return training
        return None

    def _points(self, document: Mapping[str, Any]) -> Iterator[Point]:
        """Points at which a configuration may stand; its identity then says whether it does."""
        parts = [list(_candidates(axis, document)) for axis in self.space.axes]
        for number, points in enumerate(product(*parts)):
            if number == MOST:
                return
            yield {name: value for point in points for name, value in point.items()}


def _candidates(axis: Axis | Span, document: Mapping[str, Any]) -> Iterator[Point]:
    if isinstance(axis, Span):
        value = _setting(document, axis.name)
        if axis.low <= value <= axis.high:
            yield {axis.name: value}
        return
    for point in axis.points:
        plain = {name: value for name, value in point.items() if not isinstance(value, Mapping)}
        if all(_setting(document, name) == value for name, value in plain.items()):
            yield dict(point)


def _setting(document: Mapping[str, Any], dotted: str) -> Any:
    section, name, *below = dotted.split(".")
    value = document[section][name]
    for key in below:  # a level of `grammar.zipf`; levels that are missing are uniform
        value = value.get(key, 0.0)
    return value
