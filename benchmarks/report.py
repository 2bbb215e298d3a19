"""What a report takes by the number of trainings: time, memory, and the size of its page.

python -m benchmarks.report --folder results/growth --out results/report.json

Prints markdown. The trainings are those of the growth test, 21 measured steps each; the index is
written before and each report has a process of its own. Processor time is that of the report and
its drawing engine together, so that others may be busy on the machine; so is the memory, shared
pages counted once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.analysis import growth

HEADING = """\
| trainings | seconds | processor seconds | MB at most | MB of page | indexing, s | MB | index, MB |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""


def measured(*arguments: object) -> dict[str, float]:
    """A task of `growth` in a process of its own."""
    command = [sys.executable, "-m", growth.__name__, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def figures(folder: Path, count: int) -> dict[str, float]:
    """What a first reading and a report of so many trainings take."""
    results = folder / f"{count}"
    if not results.exists():
        growth.write(results, count)
    first = measured("index", results)
    found = measured("report", results, folder / f"report-{count}")
    reading = {"first reading": first["seconds"], "first reading memory": first["memory"]}
    return {**found, **reading, "index": first["index"]}


def row(count: int, found: dict[str, float]) -> str:
    """A line of the table."""
    return (
        f"| {count:,} | {found['seconds']:.1f} | {found['processor']:.1f} | {found['memory']:.0f} "
        f"| {found['page']:.1f} | {found['first reading']:.1f} "
        f"| {found['first reading memory']:.0f} | {found['index']:.0f} |"
    )


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the trainings are made")
    parser.add_argument("--out", type=Path, required=True, help="JSON of the figures")
    parser.add_argument("--counts", type=int, nargs="+", default=list(growth.EXTENTS))
    chosen = parser.parse_args()
    print(HEADING, flush=True)
    found: dict[int, dict[str, float]] = {}
    for count in chosen.counts:
        found[count] = figures(chosen.folder, count)
        print(row(count, found[count]), flush=True)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
