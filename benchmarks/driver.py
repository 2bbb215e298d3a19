"""What a run's own processes take while thousands of tiny trainings go through Ray, one a pack.

    python -m benchmarks.driver OUT [--trainings 2000]

Prints the memory of the run's process and of Ray Tune's driver as trainings end, and what each
training took beside its own steps: slots x seconds, less those of training and measuring.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from study.store.results import Results
from sweeps.status import usage

SWEEP = """\
name: driver
base:
  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}
  network: {width: 8}
  diffusion: {num_timesteps: 21}
  training: {batch_size: 2}
  measurement: {first_step: 8, likelihood_per_octave: 1, generated: 20, loss_strings: 4,
                noise_strings: 4}
grid:
  corpus.size: [4, 8]
  training.learning_rate: {linspace: [0.01, 0.02, %d]}
resources: {members_per_pack: 1}
"""
EVERY = 10
"""Lines of memory that are printed."""


def resident(pid: int) -> float:
    """Mebibytes of a process; 0 where it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * 4096 / 2**20


def drivers(run: int) -> list[int]:
    """The run and the Python process that it started for Ray."""
    try:
        return [run, int(Path(f"/proc/{run}/task/{run}/children").read_text().split()[0])]
    except (OSError, IndexError, ValueError):
        return [run]


def main() -> None:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trainings", type=int, default=2000)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "driver.yaml"
    file.write_text(SWEEP.replace("training: {", "training: {steps: 8, ") % (given.trainings // 2))
    results = given.out / "results"
    command = [sys.executable, "-m", "sweeps", "run", str(file), "--results", str(results)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        ended, first = 0, 0.0
        assert run.stdout is not None
        for line in run.stdout:
            if "event=completed" not in line:
                continue
            first = first or time.perf_counter()
            ended += 1
            if ended % max(given.trainings // EVERY, 1) == 0:
                memory = [f"{resident(pid):.0f}" for pid in drivers(run.pid)]
                pace = (time.perf_counter() - first) / ended
                print(f"{ended} trainings: {' and '.join(memory)} MiB, {pace:.3f} s each")
                sys.stdout.flush()
    found = usage.last(Results.open(results))
    assert found is not None
    busy = found.training + found.generating + found.measuring
    each = (found.seconds * found.cores - busy) / given.trainings
    print(f"{time.perf_counter() - begun:.0f} s in all")
    print(f"{each:.3f} core seconds a training beside its steps, Ray's start included")


if __name__ == "__main__":
    main()
