"""Measuring later: new or finer measurements from kept checkpoints, without training again.

A training with other measurements is another training, with an identity of its own: its tables are
those that it would have had if it had been measured so from the start, but for `batch_loss`, which
checkpoints do not hold, and `timing`.

`python -m study.training.remeasure RESULTS --out DIR [--set generated=5000]`
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from study.config import ConfigError, TrialConfig
from study.kernels.memory import keep_freed_memory
from study.kernels.threads import threads_restored
from study.store.results import Results
from study.store.status import DamagedTraining, State, Status
from study.store.storage import NoLocation
from study.training.checkpoints import NotKept
from study.training.measuring import measure
from study.training.member import Member
from study.training.pack import PackTrainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remeasurement:
    """A training whose checkpoints were kept, and how it is to be measured.

    Attributes:
        source: the status of the training as it was.
        config: the training with its new measurements.
    """

    source: Status
    config: TrialConfig

    @classmethod
    def of(cls, results: Results, training: str, measurement: Mapping[str, Any]) -> Remeasurement:
        """Measure a training at every kept power of two from its first step on, without a budget.

        Args:
            results: where it is.
            training: its hash.
            measurement: further changes of its measurement settings, by field.

        Raises:
            NotKept: when it kept no checkpoints, or not those of all steps to be measured.
            ConfigError: when the settings cannot be used.
            DamagedTraining: when its folder is not whole.
        """
        source = results.status(training)
        kept = list(source.kept_checkpoints) if source else []
        if source is None or not kept:
            raise NotKept(
                f"training {training} kept no checkpoints; train it with training.keep: log2"
            )
        config = results.config(training)
        first = min((s for s in kept if s >= config.measurement.first_step), default=kept[-1])
        document = config.to_dict()
        document["measurement"] |= {
            "first_step": first,
            "per_octave": 1,
            "likelihood_per_octave": 1,
            "budget": None,
            **measurement,
        }
        document["training"]["steps"] = kept[-1]
        changed = TrialConfig.from_dict(document)
        if missing := [step for step in changed.measured_steps if step not in kept]:
            raise NotKept(
                f"training {training} kept no checkpoint of step {missing[0]}; it kept "
                f"{', '.join(map(str, kept))}"
            )
        return cls(source, changed)


def measure_again(
    results: Results,
    trainings: Sequence[str],
    into: Results,
    *,
    measurement: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> list[Status]:
    """Measure trainings from their kept checkpoints and publish them, finished, in other results.

    What `into` already holds is not measured again; nothing in `results` changes.

    Args:
        results: where the trainings are.
        trainings: their hashes.
        into: where the measured trainings go, in folders of their new identities.
        measurement: changes of the measurement settings; see `Remeasurement.of`.
        device, threads: of torch.

    Returns:
        The new statuses, in the order of `trainings`.

    Raises:
        NotKept, ConfigError, DamagedTraining: as in `Remeasurement.of`, before anything is
            measured.
    """
    wanted = [Remeasurement.of(results, training, measurement or {}) for training in trainings]
    into.hold_pools((each.config for each in wanted), results)
    members = [Member.open(each.config, into) for each in wanted]
    packs: dict[tuple[object, ...], list[tuple[Status, Member]]] = {}
    for each, member in zip(wanted, members, strict=True):
        if not member.done:
            key = (member.config.pack_key, member.step, member.config.last_step)
            packs.setdefault(key, []).append((each.source, member))
    keep_freed_memory()
    with threads_restored():
        for pack in packs.values():
            _measure_pack(results, pack, into, torch.device(device), threads)
    return [member.status for member in members if member.status]


def _measure_pack(
    results: Results,
    pack: Sequence[tuple[Status, Member]],
    into: Results,
    device: torch.device,
    threads: int,
) -> None:
    """Measure trainings that stand at one step and end at another, step by step, as a pack.

    pack: where the checkpoints of each are, and the training as it is measured now.
    """
    members = [member for _, member in pack]
    for member in members:
        member.prepare()
    trainer = PackTrainer(members, device)
    torch.set_num_threads(trainer.threads(threads))
    configs = [member.config for member in members]
    hashes = () if device.type == "cpu" else tuple(config.hash for config in configs)
    start, last = members[0].step, configs[0].last_step
    for step, generates in configs[0].schedule.until(last):
        if step <= start:
            continue
        checkpoints = [results.read(source, source.kept_checkpoints[step]) for source, _ in pack]
        trainer.resume(checkpoints)
        measure(
            members,
            trainer.network,
            trainer.diffusion,
            step,
            generates=generates,
            batch_losses=[None] * len(members),
            trained=0.0,
        )
        state: State = "finished" if step == last else "running"
        for member, checkpoint in zip(members, checkpoints, strict=True):
            member.publish(into, state, step, checkpoint, composition=hashes)
        log.info("measured %d trainings at step %d of %d", len(members), step, last)


def main(arguments: list[str] | None = None) -> int:
    """Measure all trainings of a results folder again; 0 when done, 2 for unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m study.training.remeasure",
        description="Measure trainings again, from the checkpoints kept by training.keep: log2.",
    )
    parser.add_argument("results", help="results folder with the trainings")
    parser.add_argument("--out", required=True, help="results folder for the measured trainings")
    parser.add_argument("--training", action="append", help="hash of a training (default: all)")
    parser.add_argument("--set", action="append", default=[], help="measurement field=value")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default: 1)")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    try:
        results = Results.open(options.results)
        statuses = measure_again(
            results,
            options.training or results.trainings(),
            Results.open(options.out),
            measurement=dict(_setting(text) for text in options.set),
            device=options.device,
            threads=options.threads,
        )
    except ConfigError as error:
        print(*(f"error: {line}" for line in error.lines), sep="\n", file=sys.stderr)
        return 2
    except (NotKept, DamagedTraining, NoLocation, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"measured {len(statuses)} trainings: {options.out}")
    return 0


def _setting(text: str) -> tuple[str, Any]:
    """`field=value`, the value in JSON where it is JSON."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
