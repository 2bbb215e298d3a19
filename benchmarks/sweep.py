"""A whole small sweep by its command, start and end included."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import partial

from benchmarks.ceiling import generation_ceiling, training_ceiling
from benchmarks.crew import Build, Crew
from benchmarks.peer import Peer
from benchmarks.timing import CEILING, OURS, PEER, PEERS, Clock, Figure
from study.config import TrialConfig
from study.models.weights import NetworkShape
from study.processes import chunks
from study.store.results import Results
from sweeps.files import spec
from sweeps.planning import packing
from sweeps.planning.packing import Pack
from sweeps.status import usage

PRESET, OPTIONS = "demo", ("seeds=1",)
QUICK = (*OPTIONS, "training.steps=128", "measurement.first_step=64", "measurement.per_octave=1")


def figure(clock: Clock, peer: Peer | None, *, quick: bool) -> Figure:
    """Trainings per minute, each with all that it measures; needs Ray.

    The ceiling does only the products of training and generation; a peer takes only the optimizer
    steps of as many trainings. Both follow from timing each network's part of it.
    """
    options = QUICK if quick else OPTIONS
    trainings = spec.load(PRESET, options).trainings
    crews = clock.crews
    packs = packing.packed(trainings, {}, slots=len(crews[OURS].pipes))
    minutes = {CEILING: _ceiling(packs, crews[CEILING])}
    for name in {PEER, PEERS} & set(crews):
        assert peer is not None
        minutes[name] = _peer((t.config for t in trainings), peer, crews[name])
    ours, share = _ours(options)
    rates = {name: len(trainings) / own for name, own in minutes.items()}
    return Figure(
        "sweep",
        f"{PRESET}, {len(trainings)} trainings",
        "trainings/min",
        len(trainings) / ours,
        rates,
        {name: own / ours for name, own in minutes.items()},
        {"share of core time in training and measuring": share},
    )


def _ours(options: Iterable[str]) -> tuple[float, float]:
    """Minutes of the run, and the share of core time that went into training and measuring."""
    sets = [part for option in options for part in ("--set", option)]
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "-m", "sweeps", "run", PRESET, "--results", results, *sets]
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))
        minutes = (time.perf_counter() - begun) / 60
        last = usage.last(Results.open(results))
    assert last is not None
    return minutes, last.share


def _ceiling(packs: Iterable[Pack], crew: Crew) -> float:
    """Minutes that packs would take of products and optimizer alone."""
    seconds = 0.0
    for pack in packs:
        config, members = pack.trainings[0].config, len(pack.trainings)
        shape = NetworkShape.of(config)
        step = _seconds(crew, partial(training_ceiling, shape, members, _batch(config)))
        reverse = _seconds(crew, partial(generation_ceiling, shape, members, chunks.SMALL))
        asked = sum(chunks.sizes(config.measurement.generated)) / chunks.SMALL
        passes = asked * len(config.generated_steps) * config.reverse_steps
        seconds += config.last_step * step + passes * reverse
    return seconds / len(crew.pipes) / 60


def _peer(configs: Iterable[TrialConfig], peer: Peer, crew: Crew) -> float:
    """Minutes that a peer would take for the steps of so many trainings, one after the other."""
    seconds, steps = 0.0, {}
    for config in configs:
        shape = NetworkShape.of(config)
        if shape not in steps:
            steps[shape] = _seconds(crew, partial(peer.training_step, shape, _batch(config)))
        seconds += config.last_step * steps[shape]
    return seconds / len(crew.pipes) / 60


def _batch(config: TrialConfig) -> int:
    return config.training.batch_size * config.training.noisings


def _seconds(crew: Crew, build: Build, count: int = 20) -> float:
    """One run, of the slowest process, after as many that warm up."""
    crew.build(build)
    crew.seconds(count)
    return max(crew.seconds(count)) / count
