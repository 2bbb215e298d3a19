"""Up to ten thousand finished trainings, written quickly, and the work of a report on them.

Each task is meant for a process of its own, whose time and memory are then its own:

    python -m tests.analysis.growth index RESULTS
    python -m tests.analysis.growth report RESULTS OUT
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis import load
from analysis.report.folder import write_report
from study.store import records
from study.store.status import Entry, Status
from tests.analysis import synthetic

DEPTHS = (3, 4)
SIZES = tuple(round(32 * 2 ** (k / 4)) for k in range(40))
WIDTHS = tuple(range(8, 208, 8))
SEEDS = range(5)
AXES = ("corpus.size", "network.width")
STEPS = 65536
"""21 measured steps, 11 of them with generated strings."""


EXTENTS = {10: (1, 2, 1), 100: (1, 5, 4), 1_000: (2, 10, 10), 10_000: (2, 40, 25)}
"""Trainings -> how many of the depths, sizes and widths they take, each with all seeds."""


def write(folder: Path, count: int = 10_000) -> int:
    """The results of so many trainings of the grid; returns how many there are."""
    depths, sizes, widths = EXTENTS[count]
    grid = list(product(DEPTHS[:depths], SIZES[:sizes], WIDTHS[:widths], SEEDS))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_publish, [(folder, *cell) for cell in grid], chunksize=250))
    return len(grid)


def _publish(cell: tuple[Path, int, int, int, int]) -> None:
    """What `Results.publish` writes, without waiting for the disk."""
    folder, depth, size, width, seed = cell
    zipf = {str(depth - 1): 1.0}
    trial = synthetic.config(
        depth=depth, size=size, width=width, seed=seed, steps=STEPS, grammar={"zipf": zipf}
    )
    own = folder / "trainings" / trial.hash
    own.mkdir(parents=True)
    (own / "config.json").write_text(json.dumps(trial.to_dict()))
    files = {}
    for name, content in synthetic.tables(trial).items():
        data = records.to_bytes(_jittered(content, int(trial.hash[:8], 16)))
        file = f"{name}-{trial.last_step:09d}.parquet"
        (own / file).write_bytes(data)
        files[name] = Entry(file, len(data), hashlib.sha256(data).hexdigest())
    status = Status(training=trial.hash, state="finished", step=trial.last_step, files=files)
    (own / "status.json").write_bytes(status.to_bytes())


def _jittered(content: pa.Table, seed: int) -> pa.Table:
    """The same with every number moved a little: measurements do not compress like formulas."""
    rng = np.random.default_rng(seed)
    for i, field in enumerate(content.schema):
        fixed = field.name.endswith("frequency") or content[i].null_count == len(content)
        if field.type == pa.float64() and not fixed:
            moved = content[i].to_numpy() * rng.normal(1, 0.02, len(content))
            content = content.set_column(i, field, pa.array(moved, from_pandas=True))
    return content


def report(results: str, out: str) -> dict[str, float]:
    """Seconds, also of processors, MB of memory and MB of page of a report and its engine."""
    begun = time.perf_counter()
    with Memory() as memory:
        written = write_report(results, out, title="Growth", axes=list(AXES), facet="grammar.depth")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": time.perf_counter() - begun,
        "processor": sum(one.ru_utime + one.ru_stime for one in used),
        "memory": memory.most / 1e6,
        "page": written.page.stat().st_size / 1e6,
    }


class Memory:
    """The most bytes that this process and its children hold at once, looked at ever so often.

    Pages that several processes share are counted once.
    """

    EVERY = 0.2

    def __init__(self) -> None:
        self.most = 0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._over.wait(self.EVERY):
            own = os.getpid()
            self.most = max(self.most, sum(map(_held, [own, *_children(own)])))


def _children(process: int) -> list[int]:
    files = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for file in files for child in _text(file).split()]


def _held(process: int) -> int:
    lines = _text(Path(f"/proc/{process}/smaps_rollup")).splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _text(file: Path) -> str:
    """Empty where the process has ended meanwhile."""
    try:
        return file.read_text()
    except OSError:
        return ""


def indexed(results: str) -> dict[str, float]:
    """Seconds of a first reading, which writes the index, and MB of the index."""
    begun = time.perf_counter()
    load(results)
    seconds = time.perf_counter() - begun
    size = sum(file.stat().st_size for file in (Path(results) / "index").glob("*"))
    return {
        "seconds": seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "index": size / 1e6,
    }


if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    print(json.dumps({"report": report, "index": indexed}[task](*arguments)))
