"""One pack of trainings from wherever each stands to its end: train, measure, publish, go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from study.config import ConfigError, TrialConfig
from study.kernels.memory import keep_freed_memory
from study.kernels.threads import threads_restored
from study.models.kinds import kind_of
from study.store.results import Results
from study.store.status import State, Status
from study.training.measuring import OrderParameters, measure
from study.training.member import Member
from study.training.pack import PackTrainer

__all__ = ["powers_of_two", "run_pack"]

log = logging.getLogger(__name__)

Report = Callable[[int, dict[str, OrderParameters]], None]


def run_pack(
    configs: Sequence[TrialConfig],
    results: Results,
    *,
    device: str = "cpu",
    threads: int = 1,
    report: Report | None = None,
    note: Callable[[str], None] = log.warning,
) -> list[Status]:
    """Train a pack, publishing every member at every measured step.

    Tells the C library to hold on to freed memory, and sets torch's threads while it lasts. Every
    member goes on from its own last published step. Members that stand at different steps,
    as after a crash in the middle of publishing, catch up first and then go on together. A pack
    that takes more memory than there is goes on in halves, one after the other, from what is
    published. Storage that fails for some seconds is waited for.

    Args:
        configs: trainings with equal `pack_key`.
        results: where they are published.
        device: of torch.
        threads: of torch on the CPU.
        report: called after every measured step with each member's order parameters by hash.
        note: told of what the user should know.

    Returns:
        The members' last statuses, in the order of `configs`.

    Raises:
        ConfigError: when something is left to train whose kind of network is unknown here, or that
            the device cannot train as it asks.
        OSError: when the storage fails for longer.
        MemoryError, RuntimeError: when a single training takes more memory than there is.
    """
    if len({config.pack_key for config in configs}) > 1:
        raise ValueError("members of a pack must have equal shapes, optimizers and measurements")
    results, on = results.patient(), torch.device(device)
    members = [Member.open(config, results) for config in configs]
    largest = len(members)
    keep_freed_memory()
    with threads_restored():
        while waiting := [member for member in members if not member.done]:
            kind_of(waiting[0].config)
            _refuse_missing_precision(waiting[0].config, on)
            group, until = _next_group(waiting, exact=_is_exact(waiting, on))
            group = group[:largest]
            try:
                _Run(group, results, on, threads, report).go(until)
                continue
            except (MemoryError, RuntimeError) as error:
                if len(group) == 1 or not _is_out_of_memory(error):
                    raise
                largest = (len(group) + 1) // 2
                first = str(error).partition("\n")[0]
                note(
                    f"{len(group)} trainings take more memory than there is ({first}); "
                    f"they go on {largest} at a time"
                )
            # Only here has the error let go of the tensors that were too large.
            if on.type == "cuda":
                torch.cuda.empty_cache()
            members = [Member.open(config, results) for config in configs]
    return [member.status for member in members if member.status]


def _is_out_of_memory(error: Exception) -> bool:
    """Torch has a class of its own for it on a GPU, and only words on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "can't allocate memory" in str(error) or "CUDA error: out of memory" in str(error)


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
    """Members at one step, trained together until all are done.

    What belongs to one of them is on the member, what they share is in the trainer, which knows
    their order: dropping some is one operation of it.
    """

    def __init__(
        self,
        members: list[Member],
        results: Results,
        device: torch.device,
        threads: int,
        report: Report | None,
    ) -> None:
        self.results = results
        self.threads = threads
        self.report = report
        self.exact = _is_exact(members, device)
        for member in members:
            member.prepare()
        self.trainer = PackTrainer(members, device)
        torch.set_num_threads(self.trainer.threads(threads))
        statuses = [member.status for member in members if member.status]
        if statuses and members[0].step:
            self.trainer.resume([results.read(status, "checkpoint") for status in statuses])

    def go(self, until: int | None) -> None:
        """Train from measured step to measured step; stop early at `until`."""
        configs = [member.config for member in self.trainer.members]
        longest = max(configs, key=lambda config: config.last_step)
        for step, generates in longest.schedule.until(longest.last_step):
            if step <= self.trainer.step:
                continue
            if not self._advance(step, generates) or step == until:
                return

    def _advance(self, step: int, generates: bool) -> bool:
        """Train to a measured step and publish it; whether anything is left to train."""
        start = time.perf_counter()
        self._train(step)
        losses = self.trainer.batch_losses()
        trained = time.perf_counter() - start
        finite = [k for k, loss in enumerate(losses) if not self._diverged(k, loss, step)]
        if not self._select(finite):
            return False
        members = self.trainer.members
        measured = measure(
            members,
            self.trainer.network,
            self.trainer.diffusion,
            step,
            generates=generates,
            batch_losses=[losses[k] for k in finite],
            trained=trained,
        )
        for k, member in enumerate(members):
            self._publish(k, "finished" if member.config.last_step == step else "running", step)
        if self.report is not None:
            self.report(step, measured)
        return self._select([k for k, member in enumerate(members) if not member.done])

    def _train(self, until: int) -> None:
        """Train, and hold the checkpoints at powers of two that are to be kept."""
        keeping = [(k, m) for k, m in enumerate(self.trainer.members) if m.keeps_checkpoints]
        for step in powers_of_two(self.trainer.step, until) if keeping else ():
            self.trainer.train(step)
            for k, member in keeping:
                member.kept_checkpoints[step] = self.trainer.checkpoint(k)
        self.trainer.train(until)

    def _diverged(self, k: int, loss: float, step: int) -> bool:
        """Freeze a member whose loss is not finite; its earlier measurements stay."""
        if np.isfinite(loss):
            return False
        member = self.trainer.members[k]
        log.warning("training %s diverged before step %d", member.config.hash, step)
        member.forget_unpublished()
        self._publish(k, "diverged", step, error=f"the loss was not finite before step {step}")
        return True

    def _publish(self, k: int, state: State, step: int, error: str | None = None) -> None:
        members = self.trainer.members
        members[k].publish(
            self.results,
            state,
            step,
            self.trainer.checkpoint(k),
            composition=() if self.exact else tuple(m.config.hash for m in members),
            error=error,
        )

    def _select(self, places: list[int]) -> bool:
        """Go on with the members at some places; whether there are any."""
        if 0 < len(places) < len(self.trainer.members):
            self.trainer.select(places)
            torch.set_num_threads(self.trainer.threads(self.threads))
        return bool(places)


def powers_of_two(after: int, until: int) -> list[int]:
    """The powers of two in (after, until]."""
    return [2**k for k in range(after.bit_length(), until.bit_length()) if after < 2**k <= until]
