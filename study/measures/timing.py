"""What training and measuring cost: the only table in which the clock appears."""

from __future__ import annotations

import resource
from typing import Any

from study.measures.declared import Column


def timing_columns(
    trained: float, generating: float | None, measuring: float, members: int
) -> dict[str, list[Any]]:
    """Seconds of a pack since the measurement before; `members` says how many shared them."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "training_seconds": [trained],
        "generating_seconds": [generating],
        "measuring_seconds": [measuring],
        "memory_mib": [memory],
        "members": [members],
    }


COLUMNS = (
    Column(
        name="training_seconds",
        table="timing",
        meaning="seconds of training since the measurement before, of the whole pack",
        unit="s",
        range="≥ 0",
    ),
    Column(
        name="generating_seconds",
        table="timing",
        meaning="seconds of generating strings, of the whole pack",
        unit="s",
        range="≥ 0",
        generated=True,
        null="where no strings are generated",
    ),
    Column(
        name="measuring_seconds",
        table="timing",
        meaning="seconds of everything else that measuring took, of the whole pack",
        unit="s",
        range="≥ 0",
    ),
    Column(
        name="memory_mib",
        table="timing",
        meaning="most memory that the process has held",
        unit="MiB",
        range="> 0",
    ),
    Column(
        name="members",
        table="timing",
        symbol="K",
        meaning="trainings of the pack, which share its seconds",
        unit="trainings",
        range="≥ 1",
        kind="integer",
    ),
)
