"""Several results folders as one."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.frames.cells import labelled
from analysis.frames.tables import Problem, Rows, Tables


def merged(parts: Sequence[Tables], names: Sequence[str]) -> Tables:
    """The trainings of all parts, each from the one in which it came furthest.

    Where two have a training at the same step, the first one counts. `notes` names the trainings
    that are in another state, or cannot be read, elsewhere.

    Args:
        parts: what was loaded.
        names: of the parts, for the notes.
    """
    readable = [
        part.trainings.assign(part=i) for i, part in enumerate(parts) if len(part.trainings)
    ]
    if not readable:
        every = [problem for part in parts for problem in part.problems]
        return Tables(parts[0].trainings, parts[0]._reader, every)
    every = pd.concat(readable, ignore_index=True)
    furthest = every.sort_values(["step", "part"], ascending=[False, True], kind="stable")
    chosen = furthest.drop_duplicates("training")
    source = chosen.set_index("training")["part"]
    trainings = labelled(chosen.drop(columns=["part", "cell"]))
    rank = pd.Series(range(len(trainings)), index=trainings["training"])
    problems = _problems(parts, source)

    def frame(name: str, columns: Sequence[str] | None, wanted: Rows) -> pd.DataFrame:
        found = [part._reader(name, columns, wanted) for part in parts]
        problems[:] = _problems(parts, source)  # more may show while single strings are read
        own = [rows[rows["training"].map(source) == i] for i, rows in enumerate(found)]
        whole = pd.concat([rows for rows in own if len(rows)] or own[:1], ignore_index=True)
        order = whole["training"].map(rank).argsort(kind="stable")
        return whole.iloc[order].reset_index(drop=True)

    notes = _other_states(every, names) + _read_elsewhere(parts, source, names)
    return Tables(trainings, frame, problems, notes)


def _problems(parts: Sequence[Tables], source: pd.Series) -> list[Problem]:
    """Those of trainings that no part has whole, and of what is taken from a part itself."""
    return [
        problem
        for i, part in enumerate(parts)
        for problem in part.problems
        if source.get(problem.training, i) == i
    ]


def _other_states(every: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """A note on every training that two parts have in different states."""
    notes = []
    for training, own in every.groupby("training", sort=False):
        if len(own["state"].unique()) > 1:
            states = [
                f"{state} at step {step:,} in {names[part]}"
                for state, step, part in own[["state", "step", "part"]].itertuples(index=False)
            ]
            notes.append(f"training {training} is {', '.join(states)}; the furthest counts")
    return notes


def _read_elsewhere(parts: Sequence[Tables], source: pd.Series, names: Sequence[str]) -> list[str]:
    """A note on every training that one part has and another cannot read."""
    return [
        f"training {problem.training} cannot be read in {names[i]} ({problem.what}); that of "
        f"{names[source[problem.training]]} counts"
        for i, part in enumerate(parts)
        for problem in part.problems
        if source.get(problem.training, i) != i
    ]
