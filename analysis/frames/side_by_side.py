"""Sweeps side by side: their tables as those of one, which differ in a setting of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from analysis.frames.cells import SIDE, labelled
from analysis.frames.errors import AnalysisError
from analysis.frames.tables import Problem, Rows, Tables


def side_by_side(sides: Mapping[str, Tables]) -> Tables:
    """The trainings of all sides with the setting `SIDE`, the name of theirs.

    A training that several sides have is in each of them; hashes are prefixed by the side's number.

    Args:
        sides: name -> tables.

    Raises:
        AnalysisError: when a side has no readable training.
    """
    for name, tables in sides.items():
        if tables.trainings.empty:
            raise AnalysisError(f"{name}: none of its trainings can be read")
    parts = [
        _marked(tables.trainings, i).drop(columns="cell").assign(**{SIDE: name})
        for i, (name, tables) in enumerate(sides.items())
    ]
    every = list(sides.values())
    trainings = labelled(pd.concat(parts, ignore_index=True))
    rank = pd.Series(range(len(trainings)), index=trainings["training"])

    def frame(name: str, columns: Sequence[str] | None, wanted: Rows) -> pd.DataFrame:
        found = [
            _marked(tables._reader(name, columns, _of_side(wanted, i)), i)
            for i, tables in enumerate(every)
        ]
        whole = pd.concat([rows for rows in found if len(rows)] or found[:1], ignore_index=True)
        order = whole["training"].map(rank).argsort(kind="stable")
        return whole.iloc[order].reset_index(drop=True)

    problems = [
        Problem(f"{i}/{problem.training}", problem.what)
        for i, tables in enumerate(every)
        for problem in tables.problems
    ]
    notes = [note for tables in every for note in tables.notes]
    return Tables(trainings, frame, problems, notes)


def told_apart(training: str) -> tuple[int, str]:
    """The number of the side and the hash that a training's name there is made of."""
    side, _, own = training.partition("/")
    return int(side), own


def _marked(rows: pd.DataFrame, side: int) -> pd.DataFrame:
    return rows.assign(training=f"{side}/" + rows["training"].astype(str))


def _of_side(wanted: Rows, side: int) -> Rows:
    """The same rows as a side's own tables name them."""
    steps, prefix = wanted.at, f"{side}/"
    if steps is None:
        return wanted
    own = steps[steps.index.str.startswith(prefix)]
    return replace(wanted, at=own.set_axis(own.index.str.removeprefix(prefix)))
