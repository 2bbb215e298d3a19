"""One training in this process, without Ray: what one debugs with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from study.config import ConfigError, TrialConfig
from study.corpus.pool import Pool
from study.corpus.pools import pool_of, with_pool
from study.store.results import FOLDER, Results
from sweeps.faults import Fault, UsageError
from sweeps.files import documents, overrides
from sweeps.files.documents import Document
from sweeps.running.interrupts import first_interrupt


def configuration(file: Path | None, options: Sequence[str]) -> tuple[TrialConfig, Pool | None]:
    """The configuration in a file, with `key=value` options applied, and the strings it means.

    Raises:
        UsageError: naming every fault with its place.
    """
    document = Document("--set", {}) if file is None else documents.read(file)
    if document.value is None:
        document.value = {}
    faults: list[Fault] = []
    try:
        overrides.on_training(document, options)
    except UsageError as error:
        faults = error.faults
    try:
        pool = pool_of(document.value, beside=file.parent if file is not None else None)
        config = TrialConfig.from_dict(with_pool(document.value, pool))
    except ConfigError as error:
        faults += [Fault(document.place(path), ".".join(path), what) for path, what in error.faults]
        raise UsageError(faults) from None
    if faults:
        raise UsageError(faults)
    return config, pool


def train(file: Path | None, options: Sequence[str], out: str, *, device: str, threads: int) -> int:
    """Train one configuration; 0 when it finished, 1 when it diverged."""
    config, pool = configuration(file, options)
    _refuse_missing_device(device)
    from study.training.run import run_pack

    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    folder = Results.open(out).store.full(f"{FOLDER}/{config.hash}")
    results = Results.open(out)
    interrupted = threading.Event()

    def report(step: int, measured: dict[str, dict[str, Any]]) -> None:
        _print(step, measured)
        if interrupted.is_set():
            raise KeyboardInterrupt

    try:
        if pool is not None:
            results.hold(pool)
        with first_interrupt(interrupted.set):
            (status,) = run_pack([config], results, device=device, threads=threads, report=report)
    except ConfigError as error:
        raise UsageError(
            [Fault(out, ".".join(path), what) for path, what in error.faults]
        ) from None
    except OSError as error:
        raise UsageError.of(f"cannot be used: {error.strerror or error}", place=out) from None
    print(f"{status.state} at step {status.step}: {folder}")
    return 0 if status.state == "finished" else 1


def _print(step: int, measured: dict[str, dict[str, Any]]) -> None:
    (parameters,) = measured.values()
    numbers = {name: x for name, x in parameters.items() if isinstance(x, int | float)}
    print(f"step={step}", *(f"{name}={x:.4g}" for name, x in numbers.items()), flush=True)


def _refuse_missing_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        what = f"'{device}' cannot be used here: {str(error).splitlines()[0]}"
        raise UsageError.of(what, place="--device") from None
