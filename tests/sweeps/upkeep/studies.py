"""Small studies, trained here without Ray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.search.search import Evidence
from sweeps.status import folder
from tests.sweeps.tiny import TINY


def trained(
    where: Path,
    *options: str,
    only: Sequence[int] | None = None,
    until: int | None = None,
    text: str = TINY,
) -> list[str]:
    """The tiny sweep's results with some of its trainings measured; returns all their hashes.

    options: as `--set` takes them.
    only: the places of those that are trained; None: all.
    until: their last step, which the listing does not know of.
    text: the sweep file.
    """
    results = Results.open(where)
    sweep = spec.loads(text, list(options))
    shorter = spec.loads(text, [*options, *([f"training.steps={until}"] if until else [])])
    listed = folder.publish(sweep, Evidence(results))
    for place, training in enumerate(shorter.search.known(Evidence(results))):
        if only is None or place in only:
            run_pack([training.config], results)
    return [training.hash for training in listed]


def files(where: Path) -> Mapping[str, bytes]:
    """All bytes below a folder."""
    return {str(f.relative_to(where)): f.read_bytes() for f in where.rglob("*") if f.is_file()}
