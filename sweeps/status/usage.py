"""What a run did with its processors: how much of their time went into training and measuring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from study.store.results import Results

FILE = "last-run.json"
ACTIVITIES = ("training", "generating", "measuring")
READERS = 8


@dataclass(frozen=True)
class Usage:
    """The last run of a study that trained anything.

    Attributes:
        seconds: from the command to its end.
        cores: processors that it held: packs at a time, times those of a pack.
        training, generating, measuring: core-seconds of what it published; the rest went into
            starting, preparing, publishing and waiting.
    """

    seconds: float
    cores: int
    training: float
    generating: float
    measuring: float

    @property
    def share(self) -> float:
        """The part of all core-seconds that went into training and measuring."""
        return (self.training + self.generating + self.measuring) / (self.seconds * self.cores)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "share": self.share}

    def __str__(self) -> str:
        percent = round(100 * self.share)
        return f"{percent} % of the time of {self.cores} cores went into training and measuring"


def counted(
    steps: Mapping[str, int], results: Results, *, seconds: float, slots: int, cpus: int
) -> Usage:
    """The usage of a run, added up from the tables that it published.

    Args:
        steps: hash of a training that it took on -> where that stood before.
        results: the results.
        seconds: that it took.
        slots: packs at a time.
        cpus: processors of a pack.
    """
    with ThreadPoolExecutor(READERS) as pool:
        rows = list(pool.map(lambda item: _seconds(item[0], item[1], results), steps.items()))
    spent = {name: cpus * sum(row[name] for row in rows) for name in ACTIVITIES}
    return Usage(seconds, slots * cpus, **spent)


def publish(usage: Usage, results: Results) -> None:
    """Keep it in the results folder."""
    results.store.publish(FILE, (json.dumps(asdict(usage), indent=1) + "\n").encode())


def last(results: Results) -> Usage | None:
    """What the last run did; None where nothing legible says so."""
    try:
        return Usage(**json.loads(results.store.read(FILE)))
    except (OSError, ValueError, TypeError):
        return None


def _seconds(training: str, before: int, results: Results) -> dict[str, float]:
    """A member's part of its packs' seconds, by activity, after a step."""
    try:
        status = results.status(training)
        timing = results.table(status, "timing") if status else None
    except (ValueError, OSError):  # damaged, or gone since
        timing = None
    if timing is None:
        return dict.fromkeys(ACTIVITIES, 0.0)
    rows = [row for row in timing.to_pylist() if row["step"] > before]
    return {
        name: sum((row[f"{name}_seconds"] or 0.0) / row["members"] for row in rows)
        for name in ACTIVITIES
    }
