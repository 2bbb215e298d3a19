"""One pack of trainings from wherever each stands to its end: train, measure, publish, go on."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from rhm import Corpus, Grammar
from study import records
from study.config import TrialConfig
from study.diffusion import Diffusion
from study.measures import Reference, measure_strings, string_columns
from study.measures.losses import Noisings, loss_columns, measure_losses
from study.results import DamagedTraining, Results, State, Status
from study.sampling import generate
from study.training import PackTrainer

log = logging.getLogger(__name__)

OrderParameters = dict[str, Any]
Report = Callable[[int, dict[str, OrderParameters]], None]


@dataclass
class Member:
    """One training of a pack: what it is and what of it is published.

    Attributes:
        config: its configuration.
        status: its last published status; None before the first.
        tables: its published tables.
    """

    config: TrialConfig
    status: Status | None = None
    tables: dict[str, pa.Table] = field(default_factory=dict)
    corpus: Corpus = field(init=False)
    reference: Reference = field(init=False)

    @classmethod
    def open(cls, config: TrialConfig, results: Results) -> Member:
        """A training as its folder holds it; a damaged folder is emptied and said so."""
        try:
            status = results.verified(config.hash)
            tables = results.tables(status) if status else {}
        except (DamagedTraining, records.RecordsError) as damage:
            log.warning("training %s is damaged (%s) and is redone", config.hash, damage)
            results.discard(config.hash)
            status, tables = None, {}
        return cls(config, status, tables)

    @property
    def step(self) -> int:
        """The published step from which it goes on; 0 at the start."""
        return self.status.step if self.status else 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return self.status is not None and is_done(self.status, self.config)

    def prepare(self) -> None:
        """Build grammar, corpus and what the measurements refer to."""
        self.corpus = build_corpus(self.config)
        self.reference = Reference.build(self.corpus)

    def add(self, name: str, step: int | None, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows to a table."""
        rows = len(next(iter(columns.values())))
        keys: dict[str, Sequence[Any]] = {"training": [self.config.hash] * rows}
        if step is not None:
            keys["step"] = [step] * rows
        added = records.table(name, {**keys, **columns})
        earlier = [self.tables[name]] if name in self.tables else []
        self.tables[name] = records.concatenated(name, [*earlier, added])


def build_corpus(config: TrialConfig) -> Corpus:
    """The corpus of a training, with its grammar, from its seeds."""
    grammar = Grammar.random(
        config.grammar.shape, zipf=config.grammar.zipf, seed=config.grammar_seed
    )
    return Corpus.draw(
        grammar,
        config.corpus.size,
        control_size=config.corpus.control_size,
        unique=config.corpus.unique,
        seed=config.corpus_seed,
    )


def is_done(status: Status, config: TrialConfig) -> bool:
    """Whether a published status is the end of a training of this extent."""
    return status.state == "diverged" or status.step >= config.last_step


def run_pack(
    configs: Sequence[TrialConfig],
    results: Results,
    *,
    device: str = "cpu",
    threads: int = 1,
    report: Report | None = None,
) -> list[Status]:
    """Train a pack, publishing every member at every measured step.

    Every member goes on from its own last published step. Members that stand at different steps,
    as after a crash in the middle of publishing, catch up first and then go on together.

    Args:
        configs: trainings with equal `pack_key`.
        results: where they are published.
        device: of torch.
        threads: of torch on the CPU.
        report: called after every measured step with each member's order parameters by hash.

    Returns:
        The members' last statuses, in the order of `configs`.
    """
    if len({config.pack_key for config in configs}) > 1:
        raise ValueError("members of a pack must have equal shapes, optimizers and measurements")
    members = [Member.open(config, results) for config in configs]
    while waiting := [member for member in members if not member.done]:
        group, until = _next_group(waiting, on_cpu=device == "cpu")
        for member in group:
            member.prepare()
        _Run(group, results, torch.device(device), threads, report).go(until)
    return [member.status for member in members if member.status]


def _next_group(waiting: list[Member], *, on_cpu: bool) -> tuple[list[Member], int | None]:
    """The members that stand furthest back, and the step at which others can join them.

    Where bits may depend on the pack, a pack goes on in its recorded composition, to its end.
    """
    step = min(member.step for member in waiting)
    group = [member for member in waiting if member.step == step]
    if on_cpu:
        return group, min((m.step for m in waiting if m.step > step), default=None)
    first = group[0].status.composition if group[0].status else ()
    return [m for m in group if (m.status.composition if m.status else ()) == first], None


class _Run:
    """Members at one step, trained together until all are done."""

    def __init__(
        self,
        members: list[Member],
        results: Results,
        device: torch.device,
        threads: int,
        report: Report | None,
    ) -> None:
        self.members = members
        self.results = results
        self.report = report
        self.on_cpu = device.type == "cpu"
        configs = [member.config for member in members]
        training = [member.corpus.training.strings for member in members]
        self.trainer = PackTrainer(configs, training, device, threads)
        statuses = [member.status for member in members if member.status]
        if statuses and members[0].step:
            self.trainer.resume([results.read(status, "checkpoint") for status in statuses])
        self.noisings = [_noisings(member, self.trainer.diffusion) for member in members]

    def go(self, until: int | None) -> None:
        """Train from measured step to measured step; stop early at `until`."""
        longest = max((member.config for member in self.members), key=lambda c: c.last_step)
        for step in longest.measured_steps:
            if step <= self.trainer.step:
                continue
            self._advance(step)
            if not self.members or step == until:
                return

    def _advance(self, step: int) -> None:
        """Train to a measured step, publish it, drop the members that are done."""
        start = time.perf_counter()
        self.trainer.train(step)
        losses = self.trainer.batch_losses()
        trained = time.perf_counter() - start
        self._keep([k for k, x in enumerate(losses) if not self._diverged(k, x, step)])
        if not self.members:
            return
        finite = [x for x in losses if np.isfinite(x)]
        measured = self._measure(step, finite, trained)
        for k, member in enumerate(self.members):
            state: State = "finished" if member.config.last_step == step else "running"
            self._publish(k, state, step)
        if self.report is not None:
            self.report(step, measured)
        self._keep([k for k, member in enumerate(self.members) if not member.done])

    def _diverged(self, k: int, loss: float, step: int) -> bool:
        """Freeze a member whose loss is not finite; its earlier measurements stay."""
        if np.isfinite(loss):
            return False
        hash_ = self.members[k].config.hash
        log.warning("training %s diverged before step %d", hash_, step)
        self._publish(k, "diverged", step, error=f"the loss was not finite before step {step}")
        return True

    def _publish(self, k: int, state: State, step: int, error: str | None = None) -> None:
        member = self.members[k]
        hashes = () if self.on_cpu else tuple(m.config.hash for m in self.members)
        member.status = self.results.publish(
            member.config,
            state,
            step,
            member.tables,
            self.trainer.checkpoint(k),
            composition=hashes,
            error=error,
        )

    def _keep(self, chosen: list[int]) -> None:
        if len(chosen) == len(self.members):
            return
        self.members = [self.members[k] for k in chosen]
        self.noisings = [self.noisings[k] for k in chosen]
        if chosen:
            self.trainer.keep(chosen)

    def _measure(
        self, step: int, batch_losses: list[float], trained: float
    ) -> dict[str, OrderParameters]:
        """Add the rows of this step to every member's tables."""
        start = time.perf_counter()
        config, network, diffusion = (
            self.members[0].config,
            self.trainer.network,
            self.trainer.diffusion,
        )
        generated = generate(
            network,
            diffusion,
            [member.config.seed for member in self.members],
            count=config.measurement.generated,
            leaves=config.grammar.shape.num_leaves,
            occasion=step,
        )
        generating = time.perf_counter() - start
        losses = measure_losses(network, diffusion, self.noisings)
        parameters = {
            member.config.hash: _add_rows(
                member, step, batch_losses[k], losses[k], self.noisings[k], generated[k]
            )
            for k, member in enumerate(self.members)
        }
        measuring = time.perf_counter() - start - generating
        for member in self.members:
            member.add("timing", step, _timing(trained, generating, measuring, len(self.members)))
        return parameters


def _noisings(member: Member, diffusion: Diffusion) -> Noisings:
    training, control = member.corpus.training, member.corpus.control
    return Noisings.draw(
        member.config,
        training.strings[training.counted],
        control.strings[control.counted],
        diffusion,
    )


def _add_rows(
    member: Member,
    step: int,
    batch_loss: float,
    losses: np.ndarray,
    noisings: Noisings,
    generated: np.ndarray,
) -> OrderParameters:
    """All rows of one measured step, and its order parameters for whoever schedules the trial."""
    tables = measure_strings(member.reference, generated)
    overall, by_window = loss_columns(losses, noisings, member.config.diffusion.num_timesteps)
    curves = {"batch_loss": [batch_loss], **{name: [x] for name, x in overall.items()}}
    tables["curves"] = {**curves, **tables["curves"]}
    tables["noise"] = by_window
    if "strings" not in member.tables:
        member.add("strings", None, string_columns(member.reference))
    for name, columns in tables.items():
        member.add(name, step, columns)
    strata = tables["typicality"]
    return {
        **{name: column[0] for name, column in tables["curves"].items()},
        "strata": [
            {name: strata[name][b] for name in ("mean_log_p", "emission_excess")}
            for b in range(len(strata["stratum"]))
        ],
    }


def _timing(trained: float, generating: float, measuring: float, members: int) -> dict[str, list]:
    """Seconds are the pack's; `members` says how many trainings shared them."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "training_seconds": [trained],
        "generating_seconds": [generating],
        "measuring_seconds": [measuring],
        "memory_mib": [memory],
        "members": [members],
    }
