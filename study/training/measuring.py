"""One measured step of a whole pack: likelihood and noise always, generated strings where due.

Nothing here moves a training: the measurements read the weights, and have random streams of their
own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.measures import (
    Reference,
    measure_losses,
    measure_strings,
    stratum_columns,
    string_columns,
)
from study.measures.declared import PER_STEP
from study.measures.likelihood import elbo_losses
from study.measures.noise import measure_noise
from study.measures.timing import timing_columns
from study.measures.windows import Windows
from study.processes.generation import generate
from study.processes.process import Denoiser, Diffusion
from study.store import records
from study.training.member import Member

Columns = dict[str, Any]
OrderParameters = dict[str, Any]


def measure(
    members: Sequence[Member],
    denoiser: Denoiser,
    diffusion: Diffusion,
    step: int,
    *,
    generates: bool,
    batch_losses: Sequence[float | None],
    trained: float,
) -> dict[str, OrderParameters]:
    """Add the rows of a step to the tables of every member of a pack.

    Args:
        members: the trainings, prepared.
        denoiser: their networks, in the same order.
        diffusion: what noises their strings.
        step: the measured step.
        generates: whether strings are generated.
        batch_losses: each member's mean training loss since the step before.
        trained: seconds of training since then.

    Returns:
        Each training's order parameters by hash.
    """
    start = time.perf_counter()
    generated = (
        _generate(members, denoiser, diffusion, step) if generates else [None] * len(members)
    )
    generating = time.perf_counter() - start if generates else None
    tables = _known(members, denoiser, diffusion)
    for member, own, strings, loss in zip(members, tables, generated, batch_losses, strict=True):
        own["curves"]["batch_loss"] = [loss]
        _add_strings(own, member.reference, strings)
        _add_rows(member, step, own)
    measuring = time.perf_counter() - start - (generating or 0.0)
    timing = timing_columns(trained, generating, measuring, len(members))
    for member in members:
        member.add("timing", step, timing)
    return {
        member.config.hash: _order_parameters(own)
        for member, own in zip(members, tables, strict=True)
    }


def _generate(
    members: Sequence[Member], denoiser: Denoiser, diffusion: Diffusion, step: int
) -> NDArray[np.uint8]:
    config = members[0].config
    return generate(
        denoiser,
        diffusion,
        [member.config.seed for member in members],
        count=config.measurement.generated,
        leaves=config.shape.num_leaves,
        occasion=step,
        reverse_steps=config.reverse_steps,
    )


def _known(
    members: Sequence[Member], denoiser: Denoiser, diffusion: Diffusion
) -> list[dict[str, Columns]]:
    """What every member knows, without sampling: its columns of the tables."""
    T, fixed = diffusion.num_timesteps, [member.fix(diffusion) for member in members]
    readings = measure_noise(
        denoiser, diffusion, [own.noisings for own in fixed], [own.optima for own in fixed]
    )
    losses = elbo_losses(denoiser, diffusion, [own.probes for own in fixed])
    found = []
    for own, reading, loss in zip(fixed, readings, losses, strict=True):
        windows = Windows.of(reading, own.noisings, own.optima, T)
        tables = measure_losses(own.probes.with_losses(loss))
        tables["curves"] |= {name: [value] for name, value in windows.curves().items()}
        tables["noise"] = windows.noise(T)
        found.append(tables)
    return found


def _add_strings(
    tables: dict[str, Columns], reference: Reference, generated: NDArray[np.uint8] | None
) -> None:
    """Join what generated strings say; without them it is null."""
    if generated is None:
        depth = reference.shape.depth
        found = {"levels": {"level": list(range(depth + 1))}}
        found["typicality"] = stratum_columns(reference)
    else:
        found = measure_strings(reference, generated)
    for name, columns in found.items():
        tables[name] = tables.get(name, {}) | columns
    for name in PER_STEP:
        rows = len(next(iter(tables[name].values())))
        for column in records.SCHEMAS[name].names:
            if column not in ("training", "step"):
                tables[name].setdefault(column, [None] * rows)


def _add_rows(member: Member, step: int, tables: dict[str, Columns]) -> None:
    if "strings" not in member.tables:
        member.add("strings", None, string_columns(member.reference))
    for name, columns in tables.items():
        member.add(name, step, columns)


def _order_parameters(tables: dict[str, Columns]) -> OrderParameters:
    """What whoever schedules the trial sees of a step; None where undefined."""
    strata = tables["typicality"]
    shown = ("mean_log_p", "emission_excess", "memorized_excess")
    return {
        **{name: column[0] for name, column in tables["curves"].items()},
        "strata": [
            {name: strata[name][b] for name in shown} for b in range(len(strata["stratum"]))
        ],
    }
