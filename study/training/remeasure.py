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
from study.store.results import DamagedTraining, Results, State, Status
from study.training.measuring import Measuring
from study.training.member import Member
from study.training.pack import PackTrainer

log = logging.getLogger(__name__)


class NotKept(ValueError):  # noqa: N818 - told to the user as such
    """Measurements at steps whose checkpoints were not kept."""


@dataclass(frozen=True)
class Again:
    """A training whose checkpoints were kept, and how it is to be measured.

    Attributes:
        source: the status of the training as it was.
        config: the training with its new measurements.
    """

    source: Status
    config: TrialConfig

    @classmethod
    def of(cls, results: Results, training: str, measurement: Mapping[str, Any]) -> Again:
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
        kept = list(source.kept) if source else []
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
        measurement: changes of the measurement settings; see `Again.of`.
        device, threads: of torch.

    Returns:
        The new statuses, in the order of `trainings`.

    Raises:
        NotKept, ConfigError, DamagedTraining: as in `Again.of`, before anything is measured.
    """
    wanted = [Again.of(results, training, measurement or {}) for training in trainings]
    members = [Member.open(again.config, into) for again in wanted]
    waiting = [k for k, member in enumerate(members) if not member.done]
    groups: dict[tuple[object, ...], list[int]] = {}
    for k in waiting:
        config = wanted[k].config
        key = (config.pack_key, members[k].step, config.last_step)
        groups.setdefault(key, []).append(k)
    for group in groups.values():
        sources = [wanted[k].source for k in group]
        pack = [members[k] for k in group]
        _measure_pack(results, sources, pack, into, torch.device(device), threads)
    return [member.status for member in members if member.status]


def _measure_pack(
    results: Results,
    sources: Sequence[Status],
    members: list[Member],
    into: Results,
    device: torch.device,
    threads: int,
) -> None:
    """Measure trainings that stand at one step and end at another, step by step, as a pack."""
    for member in members:
        member.prepare()
    configs = [member.config for member in members]
    corpora = [member.corpus.training.strings for member in members]
    trainer = PackTrainer(configs, corpora, device, threads)
    measuring = Measuring(members, trainer.diffusion)
    hashes = () if device.type == "cpu" else tuple(config.hash for config in configs)
    start, last = members[0].step, configs[0].last_step
    for step, generates in configs[0].schedule.until(last):
        if step <= start:
            continue
        checkpoints = [results.read(source, source.kept[step]) for source in sources]
        trainer.resume(checkpoints)
        measuring.measure(
            trainer.network,
            step,
            generates=generates,
            batch_losses=[None] * len(members),
            trained=0.0,
        )
        state: State = "finished" if step == last else "running"
        for member, checkpoint in zip(members, checkpoints, strict=True):
            member.status = into.publish(
                member.config, state, step, member.tables, checkpoint, composition=hashes
            )
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
    results = Results.open(options.results)
    try:
        statuses = measure_again(
            results,
            options.training or results.trainings(),
            Results.open(options.out),
            measurement=dict(_setting(text) for text in options.set),
            device=options.device,
            threads=options.threads,
        )
    except (NotKept, ConfigError, DamagedTraining, OSError) as error:
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
