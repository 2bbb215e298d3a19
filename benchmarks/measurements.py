"""What each measurement costs, in training steps of the same pack, and how that grows.

python -m benchmarks.measurements --out results/measurements.json

Prints markdown. Times are processor seconds on one thread, the quickest of a few runs, so that
others may be busy on the machine; only writing is timed on the clock, for it waits for the disk.
Ratios are taken within one setting, and every setting has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from benchmarks.packs import RUNS, Setting, costs, seconds
from rhm import Grammar, GrammarShape
from study.corpus import GrammarSource
from study.measures import Reference, measure_strings

BASE = Setting()
GROWTH = {
    "size": (2048, 20_000),
    "generated": (2048, 10_000),
    "depth": (4, 5),
    "vocab_size": (12, 24),
    "width": (128,),
    "members": (1, 16),
    "measured": (16,),
}
"""What is varied from the base, one thing at a time."""

SYMBOLS = {
    "size": "N", "generated": "G", "depth": "L", "vocab_size": "v", "width": "W", "members": "K",
    "measured": "steps",
}  # fmt: skip


def settings() -> dict[str, Setting]:
    """Name -> setting, the base first."""
    varied = {
        f"{SYMBOLS[name]} = {value:,}": replace(BASE, **{name: value})
        for name, values in GROWTH.items()
        for value in values
    }
    return {"base": BASE, **varied}


@dataclass(frozen=True)
class Large:
    """What reading G = 10,000 strings against N = 20,000 takes, half of them copies.

    seconds    processor seconds of a reading
    wall       seconds on the clock
    peak       MB of memory at most, above what the imports take, corpus and its index included
    before     MB above the imports when the reading begins
    """

    seconds: float
    wall: float
    peak: float
    before: float

    @classmethod
    def measured(cls, size: int = 20_000, count: int = 10_000) -> Large:
        """In this process, which has done nothing else yet."""
        imports = _resident()
        shape = GrammarShape(depth=4, vocab_size=6, num_synonyms=4)
        grammar = Grammar.random(shape, zipf={0: 1.0}, seed=0)
        corpus = GrammarSource(grammar).draw(size, seed=0)
        reference = Reference.build(corpus)
        novel = grammar.sample(count // 2, np.random.default_rng(0))
        strings = np.concatenate([novel, corpus.training.strings[: count // 2]])
        before = _resident()
        start = time.perf_counter()
        spent = seconds(lambda: measure_strings(reference, strings))
        wall = (time.perf_counter() - start) / RUNS
        return cls(spent, wall, _peak() - imports, before - imports)


def _peak() -> float:
    """MB of memory that this program had at most.

    From /proc where there is one: a process inherits `ru_maxrss` from whoever started it.
    """
    return _memory("VmHWM")


def _resident() -> float:
    """MB of memory now; where the system does not tell, the most so far."""
    return _memory("VmRSS")


def _memory(name: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kibibytes) * 1024 / 1e6


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, its first column to the left and the others to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))


def in_steps(name: str, found: dict[str, float]) -> list[str]:
    """A setting's row in training-step equivalents."""
    step = found["step"]
    equivalents = [f"{found[x] / step:,.3g}" for x in found if x != "step"]
    return [name, f"{1000 * step:.2f}", *equivalents]


def in_multiples(name: str, found: dict[str, float], base: dict[str, float]) -> list[str]:
    """A setting's row in multiples of the base's seconds."""
    return [name, *(f"{found[x] / base[x]:.3g}" for x in found)]


def report(found: dict[str, dict[str, float]], large: Large) -> str:
    """All of it as markdown."""
    base = found["base"]
    said = ", ".join(f"{SYMBOLS[f.name]} = {getattr(BASE, f.name):,}" for f in fields(BASE))
    activities = [name for name in base if name != "step"]
    varied = {name: own for name, own in found.items() if name != "base"}
    return "\n\n".join(
        [
            f"Training steps of the same pack that each takes. Base: {said}.",
            markdown(
                ["", "ms per step", *activities],
                [in_steps(name, own) for name, own in found.items()],
            ),
            "Growth: seconds as a multiple of the base's.",
            markdown(["", *base], [in_multiples(name, own, base) for name, own in varied.items()]),
            f"G = 10,000 strings against N = 20,000 (L = 4, v = 6, m = 4): {large.seconds:.2f} s "
            f"({large.wall:.2f} s on the clock), {large.peak:.0f} MB at most above the imports, "
            f"{large.before:.0f} MB of them the corpus and its index.",
        ]
    )


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measurements",
        description="What each measurement costs, in training steps, and how that grows.",
    )
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--only", action="append", help="settings by name, e.g. 'N = 2,048'")
    parser.add_argument("--here", metavar="NAME", help=f"one setting, or '{LARGE}', as JSON")
    return parser.parse_args()


LARGE = "large"


def here(name: str) -> dict[str, float]:
    """Measure a setting, or the large reading, in this process."""
    return asdict(Large.measured()) if name == LARGE else costs(settings()[name])


def apart(name: str) -> dict[str, float]:
    """The same in a process of its own: what another one left in memory makes work quicker."""
    print(f"measuring {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.measurements", "--here", name]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    """Measure, print, write."""
    arguments = parsed()
    torch.set_num_threads(1)
    if arguments.here:
        print(json.dumps(here(arguments.here)))
        return
    chosen = [n for n in settings() if n == "base" or n in (arguments.only or settings())]
    found = {name: apart(name) for name in chosen}
    large = Large(**apart(LARGE))
    print(report(found, large))
    if arguments.out:
        document = {
            "machine": {"processor": platform.machine(), "torch": torch.__version__},
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": found,
            "large": asdict(large),
        }
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
