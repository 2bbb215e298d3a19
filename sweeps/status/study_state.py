"""The state of a whole study, read from its results folder while anyone may be running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from study.store.listing import Listed
from study.store.results import Results
from study.store.runners import Runner, runners
from study.store.states import DONE, STATES
from sweeps.faults import UsageError
from sweeps.status import folder, training_states, usage
from sweeps.status.training_states import TrainingState
from sweeps.status.usage import Usage


@dataclass(frozen=True)
class StudyState:
    """How far a study is.

    Attributes:
        counts: state -> trainings.
        runner: who runs it now; None if nobody does.
        troubles: failed and damaged trainings, and why.
        search: how far an open-ended search has come, in words; empty for others.
        usage: what the last run did with its processors; None where none has ended.
        ignored: heartbeats that say nothing that can be true, each in a line.
    """

    name: str
    counts: dict[str, int]
    runner: Runner | None
    troubles: list[tuple[Listed, str]]
    steps_done: int
    steps_total: int
    search: str
    usage: Usage | None
    ignored: list[str]

    @property
    def total(self) -> int:
        """Trainings of the sweep."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Trainings with nothing left to train."""
        return sum(self.counts[state] for state in DONE)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        runner = self.runner
        return {
            "name": self.name,
            "total": self.total,
            "done": self.done,
            **self.counts,
            "steps_done": self.steps_done,
            "steps_total": self.steps_total,
            **({"search": self.search} if self.search else {}),
            "eta_seconds": runner.eta if runner else None,
            "runner": None if runner is None else {"host": runner.host, "pid": runner.pid},
            "last_run": None if self.usage is None else self.usage.document(),
            "failures": [
                {"training": t.hash, "cell": t.cell, "seed": t.seed, "reason": reason}
                for t, reason in self.troubles
            ],
            "ignored": self.ignored,
        }


def study_state(location: str) -> StudyState:
    """The state of the study in a results folder.

    Raises:
        UsageError: when the folder holds no study.
    """
    results = Results.open(location)
    try:
        study = folder.held(results, location)
        attending = runners(results.store)
        last_steps = {t.hash: t.last_step for t in study.trainings}
        if attending.alive:  # who runs it has read every file, and replaces them now
            found = training_states.by_status(last_steps, results, attended=True)
        else:
            found = training_states.inspected(last_steps, results)
    except OSError as error:
        raise UsageError.of(f"cannot be read: {error.strerror or error}", place=location) from None
    return StudyState(
        name=study.name,
        counts={state: sum(s.name == state for s in found.values()) for state in STATES},
        runner=attending.alive[0] if attending.alive else None,
        troubles=[(t, _trouble(found[t.hash])) for t in study.trainings if _trouble(found[t.hash])],
        steps_done=sum(min(found[t.hash].step, t.last_step) for t in study.trainings),
        steps_total=sum(t.last_step for t in study.trainings),
        search=study.search,
        usage=usage.last(results),
        ignored=attending.ignored,
    )


def _trouble(state: TrainingState) -> str:
    if state.name not in ("failed", "damaged"):
        return ""
    return f"{state.name}: {state.reason}" if state.reason else state.name
