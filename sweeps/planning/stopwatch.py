"""How long the parts of a pack take on this machine, timed on a little of each.

A plan starts `python -m sweeps.planning.stopwatch` as many times at once as packs will run, so that
they compete for memory and caches as in a run. It reads a JSON document, `{"threads": 1,
"seconds": 6,
"packs": [[config, …], …]}`, and prints the processor seconds that its own start took, then the
parts of each pack, a line each.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from statistics import fmean, median
from typing import Any

import torch

from study.config import TrialConfig
from study.kernels.memory import keep_freed_memory
from study.measures import measure_strings
from study.processes import chunks
from study.processes.generation import generate, planned, spaced
from study.processes.process import Diffusion
from study.store.results import Results
from study.training.fixed import Fixed
from study.training.measuring import measure
from study.training.member import Member
from study.training.pack import PackTrainer
from sweeps.planning.pace import REVERSE_STEPS, Parts

WARM_UP = 2
"""Steps before any is timed: the first ones compile, allocate memory and fill caches."""
STEPS = 24
"""Steps that are timed, fewer where they take longer than `ENOUGH`."""
ENOUGH = 0.4
"""Seconds of steps."""


class Stopwatch:
    """Times the parts of one pack; nothing of it stays."""

    def __init__(self, configs: Sequence[TrialConfig], threads: int) -> None:
        self._configs, self._threads = configs, threads
        # Processor time, where it can be had: what else runs on this machine must not count.
        self._clock = time.process_time if threads == 1 else time.perf_counter

    def parts(self) -> Parts:
        """Time every part."""
        with tempfile.TemporaryDirectory(prefix="memophase-plan-") as temporary:
            results = Results.open(temporary)
            prepared = self._timed(lambda: self._prepare(results))
            warmed = self._timed(lambda: self._trainer.train(WARM_UP))
            step = self._step()
            prepared += max(warmed - WARM_UP * step, 0.0)
            reverse, read = self._generation()
            first = self._first()
            whole = self._timed(self._measure)
            measured = max(whole - first, whole / 2)
            published = min(self._published(results) for _ in range(2))
        return Parts(prepared, step, reverse, read, measured, first, published)

    def _timed(self, function: Callable[[], Any]) -> float:
        begun = self._clock()
        function()
        return self._clock() - begun

    def _prepare(self, results: Results) -> None:
        self._members = [Member.open(config, results) for config in self._configs]
        for member in self._members:
            member.prepare()
        self._trainer = PackTrainer(self._members, torch.device("cpu"))
        torch.set_num_threads(self._trainer.threads(self._threads))

    def _step(self) -> float:
        """The median of some warm steps."""
        trainer, seconds = self._trainer, []
        while len(seconds) < STEPS and sum(seconds) < ENOUGH:
            seconds.append(self._timed(lambda: trainer.train(trainer.step + 1)))
        return median(seconds)

    def _generation(self) -> tuple[float, float]:
        """A mean step of the reverse chain per string, and reading all of a measured step.

        At the steps that are timed the network is asked about more strings than at most others.
        """
        config, whole = self._configs[0], self._trainer.diffusion
        sizes, leaves = chunks.sizes(config.measurement.generated), config.grammar.shape.num_leaves
        few = slice(REVERSE_STEPS + 1)
        short = replace(whole, alpha=whole.alpha[few], alpha_bar=whole.alpha_bar[few])
        begun = self._clock()
        strings = generate(
            self._trainer.network,
            short,
            [each.seed for each in self._configs],
            count=config.measurement.generated,
            leaves=leaves,
        )
        chain = self._clock() - begun
        for member, own in zip(self._members, strings, strict=True):
            measure_strings(member.reference, own)
        read = self._clock() - begun - chain
        timed, mean = (
            _places(diffusion, steps, sizes[0], leaves)
            for diffusion, steps in ((short, REVERSE_STEPS), (whole, config.reverse_steps))
        )
        return mean / timed * chain / (sum(sizes) * REVERSE_STEPS), read

    def _first(self) -> float:
        """What the first measurement prepares, by one member of the pack."""
        member, diffusion = self._members[0], self._trainer.diffusion
        of = member.config, member.reference, diffusion
        return len(self._members) * self._timed(lambda: Fixed.of(*of))

    def _measure(self) -> None:
        trainer = self._trainer
        measure(
            trainer.members,
            trainer.network,
            trainer.diffusion,
            trainer.step,
            generates=False,
            batch_losses=[0.0] * len(trainer.members),
            trained=0.0,
        )

    def _published(self, results: Results) -> float:
        """One measured step of all members; it waits for the disk, which is no processor time."""
        begun = time.perf_counter()
        for k, member in enumerate(self._members):
            checkpoint = self._trainer.checkpoint(k)
            step = self._trainer.step
            results.publish(member.config, "running", step, member.tables, checkpoint)
        return time.perf_counter() - begun


def _places(diffusion: Diffusion, steps: int, size: int, leaves: int) -> float:
    """Strings of a chunk that the network is asked about, on average over a reverse chain."""
    times = spaced(diffusion.num_timesteps, steps)
    return fmean(stride.places for stride in planned(diffusion, times, size, leaves))


def main() -> None:
    """Time the packs that standard input names, until the seconds are spent."""
    task = json.loads(sys.stdin.read())
    keep_freed_memory()
    torch.set_num_threads(task["threads"])
    begun = time.perf_counter()
    print(json.dumps(time.process_time()), flush=True)
    for documents in task["packs"]:
        configs = [TrialConfig.from_dict(document) for document in documents]
        print(json.dumps(asdict(Stopwatch(configs, task["threads"]).parts())), flush=True)
        if time.perf_counter() - begun > task["seconds"]:
            return


if __name__ == "__main__":
    main()
