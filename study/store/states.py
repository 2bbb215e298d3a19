"""The state of a training: the one definition, for `status`, `run`, `plan` and every report."""

from __future__ import annotations

from typing import Literal, get_args

from study.store.status import DamagedTraining, Status

StateName = Literal["finished", "diverged", "running", "unfinished", "waiting", "failed", "damaged"]
"""`finished` and `diverged` ones have nothing left to train. `running` and `unfinished` ones have
steps and lack some, and somebody or nobody runs their study; `waiting` ones have none yet. `failed`
ones raised before their last step. What there is of `damaged` ones cannot be trusted; they are
redone."""

STATES: tuple[StateName, ...] = get_args(StateName)
DONE: tuple[StateName, ...] = ("finished", "diverged")


def state_of(
    published: Status | DamagedTraining | None, last_step: int, *, attended: bool
) -> StateName:
    """What the state of a training is called.

    Args:
        published: its status, what is wrong with its folder, or None before its first.
        last_step: at which it is to end, as its sweep wants it now.
        attended: whether anybody runs its study.
    """
    if isinstance(published, DamagedTraining):
        return "damaged"
    if published is None:
        return "waiting"
    if published.is_done(last_step):
        return "diverged" if published.state == "diverged" else "finished"
    if published.state == "failed":
        return "failed"
    if published.step == 0:
        return "waiting"
    return "running" if attended else "unfinished"
