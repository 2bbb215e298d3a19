"""`memophase run`: trains what is unfinished of a sweep."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from sweeps.cli.exits import DONE, INCOMPLETE
from sweeps.cli.options import LOCAL, ResultsOption, SetOption, SweepArgument, location_of
from sweeps.cli.report import write_report

if TYPE_CHECKING:
    from sweeps.files.spec import Sweep
    from sweeps.running.trackers import Trackers


def run(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    address: Annotated[
        str,
        typer.Option(
            metavar="local|auto|HOST:PORT",
            help="Where to run. local: a Ray of its own on this machine; auto: the Ray cluster "
            "that this machine belongs to; HOST:PORT: the cluster there, from one of its machines.",
        ),
    ] = LOCAL,
    report: Annotated[bool, typer.Option("--report", help="Write the report at the end.")] = False,
    tensorboard: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Also write what is measured there, for TensorBoard."),
    ] = None,
    mlflow: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Also tell what is measured to MLflow there."),
    ] = None,
) -> int:
    """Train what is unfinished of a sweep, through Ray Tune.

    Ctrl-C once finishes what is being measured, twice stops now. A crash or a lost machine cost
    what was trained since the last measured step: run the same command again to go on. A
    changed file shares what it has in common with the one before.
    On a terminal a table shows the packs under way, in a pipe lines of `key=value`; who reads them
    may leave at any time.

    \b
    Exit codes:
      0  every training is done
      1  some failed, it was interrupted, or Ray was lost
      2  nothing was run, because the request is wrong

    Example:  memophase run demo --set training.steps=4096 --report
    """
    began = time.perf_counter()
    from sweeps.files import spec
    from sweeps.running import trackers

    loaded = spec.load(sweep, set_ or [])
    location = location_of(results, loaded)
    words = {"--results": results, "--tensorboard": tensorboard, "--mlflow": mlflow}
    resume = _command(sweep, set_ or [], words, address, report=report)
    told = trackers.opened(tensorboard, mlflow, loaded.name)
    code = _run(loaded, location, address, resume, told, began)
    if code is None:
        return INCOMPLETE
    if report:
        write_report(location, None)
    return code


def _command(
    sweep: str, options: list[str], given: dict[str, str | None], address: str, *, report: bool
) -> str:
    """The command that runs a sweep, to be pasted into a shell."""
    words = ["memophase", "run", sweep]
    words += [word for option in options for word in ("--set", option)]
    words += [word for name, value in given.items() if value for word in (name, value)]
    words += ["--address", address] if address != LOCAL else []
    return shlex.join(words + ["--report"] * report)


def _run(
    sweep: Sweep, location: str, address: str, resume: str, told: Trackers, began: float
) -> int | None:
    """Run a sweep, and say how it ended; None when it was interrupted or lost its Ray."""
    from rich.console import Console

    from sweeps import show
    from sweeps.running.progress import Progress
    from sweeps.running.ray_process import RayLost
    from sweeps.running.run import run
    from sweeps.running.watcher import StorageFull

    if (untold := show.untold(sweep)) is not None:
        print(untold, file=sys.stderr)
    console, on_gpu = Console(), sweep.file.resources.gpus_per_pack > 0
    try:
        with Progress(console, sweep.name, on_gpu=on_gpu, trackers=told) as progress:
            outcome = run(sweep, location, address=address, progress=progress, began=began)
    except (KeyboardInterrupt, RayLost, StorageFull) as end:
        what = "interrupted" if isinstance(end, KeyboardInterrupt) else f"error: {end}"
        what += f" ({location})" if isinstance(end, StorageFull) else ""
        kept = "what was measured is kept. Run the same command again to go on"
        print(f"{what}; {kept}: {resume}", file=sys.stderr)
        return None
    if outcome.usage is not None:
        print(outcome.usage)
    print(show.outcome(sweep, outcome, location))
    for line in show.failures(sweep, outcome):
        print(f"error: {line}", file=sys.stderr)
    return DONE if outcome.complete else INCOMPLETE
