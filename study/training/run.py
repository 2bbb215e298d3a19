"""One pack of trainings from wherever each stands to its end: train, measure, publish, go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from study.config import ConfigError, TrialConfig
from study.store.results import Entry, Results, State, Status
from study.training.measuring import Measuring, OrderParameters
from study.training.member import Member, build_corpus
from study.training.pack import PackTrainer

__all__ = ["build_corpus", "powers_of_two", "run_pack"]

log = logging.getLogger(__name__)

Report = Callable[[int, dict[str, OrderParameters]], None]


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

    Raises:
        ConfigError: when something is left to train that the device cannot train as it asks.
    """
    if len({config.pack_key for config in configs}) > 1:
        raise ValueError("members of a pack must have equal shapes, optimizers and measurements")
    members = [Member.open(config, results) for config in configs]
    while waiting := [member for member in members if not member.done]:
        _refuse_missing_precision(waiting[0].config, torch.device(device))
        group, until = _next_group(waiting, exact=_is_exact(waiting, torch.device(device)))
        for member in group:
            member.prepare()
        _Run(group, results, torch.device(device), threads, report).go(until)
    return [member.status for member in members if member.status]


def _refuse_missing_precision(config: TrialConfig, device: torch.device) -> None:
    """Elsewhere than on a GPU that rounds to tf32, torch multiplies in float32 and says nothing:
    results would stand under the identity of a training that never was."""
    if config.training.precision != "tf32":
        return
    if device.type != "cuda" or not torch.cuda.is_tf32_supported():
        what = f"tf32 needs a GPU that has it, not '{device}'; use float32 or bfloat16 here"
        raise ConfigError([(("training", "precision"), what)])


def _is_exact(members: Sequence[Member], device: torch.device) -> bool:
    """Whether no bit depends on which members share the pack."""
    return device.type == "cpu" and members[0].config.training.is_exact


def _next_group(waiting: list[Member], *, exact: bool) -> tuple[list[Member], int | None]:
    """The members that stand furthest back, and the step at which others can join them.

    Where bits may depend on the pack, a pack goes on in its recorded composition, to its end.
    """
    step = min(member.step for member in waiting)
    group = [member for member in waiting if member.step == step]
    if exact:
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
        self.exact = _is_exact(members, device)
        configs = [member.config for member in members]
        training = [member.corpus.training.strings for member in members]
        self.trainer = PackTrainer(configs, training, device, threads)
        statuses = [member.status for member in members if member.status]
        if statuses and members[0].step:
            self.trainer.resume([results.read(status, "checkpoint") for status in statuses])
        self.measuring = Measuring(members, self.trainer.diffusion)
        self.kept = [_kept(member) for member in members]

    def go(self, until: int | None) -> None:
        """Train from measured step to measured step; stop early at `until`."""
        longest = max((member.config for member in self.members), key=lambda c: c.last_step)
        for step, generates in longest.schedule.until(longest.last_step):
            if step <= self.trainer.step:
                continue
            self._advance(step, generates)
            if not self.members or step == until:
                return

    def _advance(self, step: int, generates: bool) -> None:
        """Train to a measured step, publish it, drop the members that are done."""
        start = time.perf_counter()
        self._train(step)
        losses = self.trainer.batch_losses()
        trained = time.perf_counter() - start
        self._keep([k for k, x in enumerate(losses) if not self._diverged(k, x, step)])
        if not self.members:
            return
        measured = self.measuring.measure(
            self.trainer.network,
            step,
            generates=generates,
            batch_losses=[x for x in losses if np.isfinite(x)],
            trained=trained,
        )
        for k, member in enumerate(self.members):
            state: State = "finished" if member.config.last_step == step else "running"
            self._publish(k, state, step)
        if self.report is not None:
            self.report(step, measured)
        self._keep([k for k, member in enumerate(self.members) if not member.done])

    def _train(self, until: int) -> None:
        """Train, and hold the checkpoints at powers of two that are to be kept."""
        keeping = [k for k, m in enumerate(self.members) if m.config.training.keep == "log2"]
        for step in powers_of_two(self.trainer.step, until) if keeping else ():
            self.trainer.train(step)
            for k in keeping:
                self.kept[k][step] = self.trainer.checkpoint(k)
        self.trainer.train(until)

    def _diverged(self, k: int, loss: float, step: int) -> bool:
        """Freeze a member whose loss is not finite; its earlier measurements stay."""
        if np.isfinite(loss):
            return False
        hash_ = self.members[k].config.hash
        log.warning("training %s diverged before step %d", hash_, step)
        self.kept[k] = _kept(self.members[k])
        self._publish(k, "diverged", step, error=f"the loss was not finite before step {step}")
        return True

    def _publish(self, k: int, state: State, step: int, error: str | None = None) -> None:
        member = self.members[k]
        hashes = () if self.exact else tuple(m.config.hash for m in self.members)
        member.status = self.results.publish(
            member.config,
            state,
            step,
            member.tables,
            self.trainer.checkpoint(k),
            composition=hashes,
            error=error,
            kept=self.kept[k],
        )
        self.kept[k] = _kept(member)

    def _keep(self, chosen: list[int]) -> None:
        if len(chosen) == len(self.members):
            return
        self.members = [self.members[k] for k in chosen]
        self.kept = [self.kept[k] for k in chosen]
        self.measuring.keep(chosen)
        if chosen:
            self.trainer.keep(chosen)


def powers_of_two(after: int, until: int) -> list[int]:
    """The powers of two in (after, until]."""
    return [2**k for k in range(after.bit_length(), until.bit_length()) if after < 2**k <= until]


def _kept(member: Member) -> dict[int, bytes | Entry]:
    """The kept checkpoints that are published; none where they are no longer wanted."""
    if member.status is None or member.config.training.keep != "log2":
        return {}
    return {step: member.status.files[name] for step, name in member.status.kept.items()}
