"""One measured step of a whole pack: likelihood and noise always, generated strings where due.

Nothing here moves a training: the measurements read the weights, and have random streams of their
own.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.measures import Reference, measure_strings, stratum_columns, string_columns
from study.measures.likelihood import Probes, elbo_losses, likelihood_columns
from study.measures.noise import TRAINING, Noisings, Windows, measure_noise
from study.measures.optima import Optima
from study.processes.generation import generate
from study.processes.uniform import Denoiser, Diffusion
from study.store import records
from study.training.member import Member

Columns = dict[str, Any]
OrderParameters = dict[str, Any]

PER_STEP = ("curves", "levels", "typicality", "noise", "likelihood")
"""Tables with rows at every measured step."""


@dataclass(frozen=True)
class Fixed:
    """What the measurements of one training reuse at every step."""

    noisings: Noisings
    optima: Optima
    probes: Probes

    @classmethod
    def of(cls, member: Member, diffusion: Diffusion) -> Fixed:
        """Draw the noise and work out the two optima under it."""
        noisings = Noisings.draw(member.config, member.corpus, diffusion)
        noised = noisings.x_0, noisings.x_t, noisings.t, noisings.side == TRAINING
        return cls(
            noisings,
            Optima.of(member.corpus, diffusion, *noised),
            Probes.draw(member.config, member.reference, diffusion),
        )


class Measuring:
    """The measurements of a pack.

    Attributes:
        members: the trainings, prepared.
    """

    def __init__(self, members: Sequence[Member], diffusion: Diffusion) -> None:
        self.members = list(members)
        self._diffusion = diffusion
        self._fixed: list[Fixed] = []

    def keep(self, chosen: Sequence[int]) -> None:
        """Go on with some of the members."""
        self.members = [self.members[k] for k in chosen]
        self._fixed = [self._fixed[k] for k in chosen] if self._fixed else []

    def measure(
        self,
        denoiser: Denoiser,
        step: int,
        *,
        generates: bool,
        batch_losses: Sequence[float | None],
        trained: float,
    ) -> dict[str, OrderParameters]:
        """Add the rows of a step to every member's tables.

        Args:
            denoiser: the pack's networks.
            step: the measured step.
            generates: whether strings are generated.
            batch_losses: each member's mean training loss since the step before.
            trained: seconds of training since then.

        Returns:
            Each training's order parameters by hash.
        """
        start = time.perf_counter()
        generated = self._generate(denoiser, step) if generates else [None] * len(self.members)
        generating = time.perf_counter() - start if generates else None
        if not self._fixed:
            self._fixed = [Fixed.of(member, self._diffusion) for member in self.members]
        tables = self._known(denoiser)
        for k, member in enumerate(self.members):
            tables[k]["curves"]["batch_loss"] = [batch_losses[k]]
            _add_strings(tables[k], member.reference, generated[k])
            _add_rows(member, step, tables[k])
        measuring = time.perf_counter() - start - (generating or 0.0)
        for member in self.members:
            member.add("timing", step, _timing(trained, generating, measuring, len(self.members)))
        return {
            member.config.hash: _order_parameters(own)
            for member, own in zip(self.members, tables, strict=True)
        }

    def _generate(self, denoiser: Denoiser, step: int) -> NDArray[np.uint8]:
        config = self.members[0].config
        return generate(
            denoiser,
            self._diffusion,
            [member.config.seed for member in self.members],
            count=config.measurement.generated,
            leaves=config.grammar.shape.num_leaves,
            occasion=step,
            reverse_steps=config.reverse_steps,
        )

    def _known(self, denoiser: Denoiser) -> list[dict[str, Columns]]:
        """What every member knows, without sampling: its columns of the tables."""
        diffusion, T = self._diffusion, self._diffusion.num_timesteps
        noisings, optima, probes = (
            [getattr(fixed, name) for fixed in self._fixed]
            for name in ("noisings", "optima", "probes")
        )
        readings = measure_noise(denoiser, diffusion, noisings, optima)
        losses = elbo_losses(denoiser, diffusion, probes)
        found = []
        for k, fixed in enumerate(self._fixed):
            windows = Windows.of(readings[k], fixed.noisings, fixed.optima, T)
            tables = likelihood_columns(fixed.probes, losses[k])
            tables["curves"] |= {name: [value] for name, value in windows.curves().items()}
            tables["noise"] = windows.noise(T)
            found.append(tables)
        return found


def _add_strings(
    tables: dict[str, Columns], reference: Reference, generated: NDArray[np.uint8] | None
) -> None:
    """Join what generated strings say; without them it is null."""
    if generated is None:
        depth = reference.grammar.shape.depth
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


def _timing(
    trained: float, generating: float | None, measuring: float, members: int
) -> dict[str, list[Any]]:
    """Seconds are the pack's; `members` says how many trainings shared them."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "training_seconds": [trained],
        "generating_seconds": [generating],
        "measuring_seconds": [measuring],
        "memory_mib": [memory],
        "members": [members],
    }
