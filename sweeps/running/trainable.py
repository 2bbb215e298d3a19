"""What Ray Tune runs: one pack of trainings, reporting at every measured step."""

from __future__ import annotations

import contextlib
from typing import Any

from study.config import TrialConfig
from study.store.results import Results


def train_pack(config: dict[str, Any]) -> None:
    """Train a pack; Ray Tune calls this in a worker.

    Args:
        config: `pack` with `label`, `results` (path or URI), `device`, `threads` and `trainings`,
            the configurations as plain values.
    """
    from ray import tune

    from study.training.run import run_pack

    pack = config["pack"]
    configs = [TrialConfig.from_dict(document) for document in pack["trainings"]]
    notes: list[str] = []

    def report(step: int, measured: dict[str, dict[str, Any]]) -> None:
        """Order parameters under each training's hash; those of a lone member also by name."""
        alone = next(iter(measured.values())) if len(configs) == 1 else {}
        tune.report({"step": step, "notes": notes.copy(), **measured, **alone})
        notes.clear()
        _name_process(pack["label"])  # Ray names it anew whenever it asks for the next report

    _name_process(pack["label"])
    run_pack(
        configs,
        Results.open(pack["results"]),
        device=pack["device"],
        threads=pack["threads"],
        report=report,
        note=notes.append,
    )


def _name_process(label: str) -> None:
    """Show in `ps` and `top` which cell a worker trains, under the prefix that Ray looks for."""
    with contextlib.suppress(ImportError):  # no public part of Ray
        from ray._raylet import setproctitle  # pyright: ignore[reportAttributeAccessIssue]

        setproctitle(f"ray::memophase {label}")
