"""The command line, `memophase`. Imports what is heavy only in the command that needs it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeps.faults import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from sweeps.files.spec import Sweep

DONE, INCOMPLETE, MISUSED = 0, 1, 2
"""Exit codes: all is well; a training failed or the run was interrupted; the request is wrong."""

app = typer.Typer(
    name="memophase",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Measure memorization in diffusion models of hierarchical data, and draw its phase "
    "diagrams.\n\n"
    "A sweep file names the axes; `plan` says what it costs, `run` trains it through Ray Tune, "
    "`report` draws what is there. Running the same sweep again goes on where it stopped.\n\n"
    "Start with:  memophase run demo --report",
)
presets_app = typer.Typer(help="Sweep files to start from.", no_args_is_help=False)
app.add_typer(presets_app, name="presets", invoke_without_command=True)

SweepArgument = Annotated[str, typer.Argument(help="A sweep file, or the name of a preset.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting, such as seeds=2, training.steps=512 or "
        "network.width=[16,32]. Repeatable; values are YAML.",
    ),
]
ResultsOption = Annotated[
    str | None,
    typer.Option("--results", metavar="DIR", help="Results folder or URI. [results/NAME]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A command whose return value is the exit code and whose usage errors are told in lines."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            code = function(*args, **kwargs)
        except UsageError as error:
            for fault in error.faults:
                print(f"error: {fault}", file=sys.stderr)
            code = MISUSED
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            code = INCOMPLETE
        except BrokenPipeError:
            # Whoever read our output has gone, as in `… | head`: nothing is left to be flushed to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = DONE
        if code:
            raise typer.Exit(code)

    return wrapped


@app.command()
@command
def plan(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    timed: Annotated[
        bool, typer.Option("--time/--no-time", help="Train a few seconds to estimate hours.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Say what a sweep takes: trainings, packs, operations, memory, disk, hours. Writes nothing.

    Trainings that are finished in the results folder cost nothing.

    Example:  memophase plan demo --set seeds=5
    """
    from sweeps import show
    from sweeps.files import spec
    from sweeps.planning import plan as planning

    loaded = spec.load(sweep, set_ or [])
    planned = planning.plan(loaded, results or _default_results(loaded), timed=timed)
    print(json.dumps(planned.document(), indent=1) if as_json else show.plan(planned))
    _note(loaded)


@app.command()
@command
def run(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    address: Annotated[
        str,
        typer.Option(
            metavar="local|auto|HOST:PORT",
            help="Where to run: a Ray of its own on this machine, the Ray cluster this machine "
            "belongs to, or the cluster at an address.",
        ),
    ] = "local",
    report: Annotated[bool, typer.Option("--report", help="Write the report at the end.")] = False,
) -> int:
    """Train what is unfinished of a sweep. Run it again to go on, or after changing the file.

    Exit code 0: every training is done; 1: some failed, or it was interrupted; 2: nothing was
    run because the request is wrong.

    Example:  memophase run demo --set training.steps=4096 --report
    """
    began = time.perf_counter()
    from sweeps.files import spec

    loaded = spec.load(sweep, set_ or [])
    location = results or _default_results(loaded)
    again = f"run the same command again to go on: memophase run {sweep} …"
    code = _run(loaded, location, address, again, began)
    if report:
        _write_report(location, None)
    return code


@app.command()
@command
def status(
    results: Annotated[str, typer.Argument(help="A results folder, such as results/demo.")],
    as_json: JsonOption = False,
) -> None:
    """Say where a sweep stands, also while another process runs it.

    Example:  memophase status results/demo --json
    """
    from sweeps import show
    from sweeps.status import standing

    found = standing.standing(results)
    print(json.dumps(found.document(), indent=1) if as_json else show.standing(found))


@app.command()
@command
def report(
    results: Annotated[str, typer.Argument(help="A results folder, such as results/demo.")],
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where to write it. [RESULTS/report]")
    ] = None,
) -> None:
    """Write the report: one HTML file, figures, and their numbers. Works on unfinished sweeps.

    Example:  memophase report results/demo --out demo-report
    """
    _write_report(results, out)


@app.command()
@command
def measure(
    results: Annotated[str, typer.Argument(help="A results folder whose checkpoints were kept.")],
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Results folder to write. [RESULTS/measured]"),
    ] = None,
    set_: SetOption = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Measure finished trainings again, otherwise or more finely, without training.

    Needs trainings run with training.keep=log2. They are measured at the powers of two that were
    kept, into a results folder of their own, which `report` takes as any other.

    Example:  memophase measure results/demo --set measurement.generated=10000
    """
    from sweeps.running import remeasure as measuring

    print(f"measured: {measuring.measure(results, out, set_ or [], device=device)}")


@app.command()
@command
def train(
    out: Annotated[str, typer.Option(metavar="DIR", help="Goes to DIR/trainings/HASH.")],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML or JSON of one configuration.")
    ] = None,
    set_: SetOption = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="On the CPU.")] = 1,
) -> int:
    """Train one configuration in this process, without Ray; run it again to go on.

    Example:  memophase train --out one --set grammar.depth=3 --set grammar.vocab_size=6
    --set grammar.num_synonyms=4 --set corpus.size=128 --set network.width=64
    --set training.steps=1024
    """
    from sweeps.running import single

    return single.train(config, set_ or [], out, device=device, threads=threads)


@presets_app.callback()
@command
def presets_list(context: typer.Context) -> None:
    """List the sweep files to start from; `memophase presets show NAME` prints one."""
    from sweeps import presets

    if context.invoked_subcommand is not None:
        return
    names = presets.names()
    widest = max(len(name) for name in names)
    for name in names:
        print(f"{name:<{widest}}  {presets.summary(name)}")


@presets_app.command("show")
@command
def presets_show(name: Annotated[str, typer.Argument(help="The preset.")]) -> None:
    """Print a preset, to be saved and changed.

    Example:  memophase presets show demo > mine.yaml
    """
    from sweeps import presets

    file = presets.path(name)
    if file is None:
        raise UsageError.of(f"no preset of that name; {presets.hint(name)}", place=name)
    print(file.read_text(encoding="utf-8"), end="")


def main() -> None:
    """Run the command line."""
    app()


def _default_results(sweep: Sweep) -> str:
    return f"results/{sweep.name}"


def _run(sweep: Sweep, location: str, address: str, again: str, began: float) -> int:
    from sweeps import show
    from sweeps.running.progress import Progress
    from sweeps.running.run import run

    _note(sweep)
    console = _console()
    try:
        with Progress(console, sweep.name) as progress:
            outcome = run(sweep, location, address=address, progress=progress, began=began)
    except KeyboardInterrupt:
        print(f"interrupted; what was measured is kept. {again}", file=sys.stderr)
        return INCOMPLETE
    if outcome.usage is not None:
        print(outcome.usage)
    print(show.outcome(sweep, outcome, location))
    for line in show.failures(sweep, outcome):
        print(f"error: {line}", file=sys.stderr)
    return DONE if outcome.complete else INCOMPLETE


def _note(sweep: Sweep) -> None:
    from sweeps import show

    if (said := show.untold(sweep)) is not None:
        print(said, file=sys.stderr)


def _console() -> Console:
    from rich.console import Console

    return Console()


def _write_report(location: str, out: str | None) -> None:
    from sweeps import reporting

    print(f"report: {reporting.write(location, out)}")
