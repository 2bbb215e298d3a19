"""The command line, `memophase`. Imports what is heavy only in the command that needs it."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeps.faults import UsageError
from sweeps.terminal import readers_may_leave

if TYPE_CHECKING:
    from rich.console import Console

    from sweeps.files.spec import Sweep
    from sweeps.running.trackers import Trackers

LOCAL = "local"
WIDEST = 100
"""Characters of a line of text, on however wide a terminal."""
DONE, INCOMPLETE, MISUSED = 0, 1, 2
"""Exit codes: all is well; a training failed or the run was interrupted; the request is wrong."""

app = typer.Typer(
    name="memophase",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="""Measure memorization in diffusion models of hierarchical data, and draw its phase
    diagrams.

    A sweep file says what is varied. `plan` tells what that takes, `run` trains it through Ray
    Tune, `status` looks in, `report` draws what is there, also before the end. Running the same
    sweep again goes on where it stopped; raising its steps continues finished trainings.

    \b
    Start with one that is shipped:
      memophase presets
      memophase plan demo
      memophase run demo --report
    Then make it yours; `memophase settings` explains every key:
      memophase presets show demo > mine.yaml
    """,
)
presets_app = typer.Typer(help="Sweep files to start from.")
app.add_typer(presets_app, name="presets", invoke_without_command=True)

SweepArgument = Annotated[
    str, typer.Argument(help="A sweep file (YAML), or the name of a preset, such as demo.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a key of the file: seeds=2, a setting of all trainings as training.steps=512, "
        "an axis as 'grid.network.width=[16,32]'. Repeatable; values are YAML; see `settings`.",
    ),
]
ResultsOption = Annotated[
    str | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Where its results are: a folder, or a URI such as s3://bucket/demo. "
        "[default: results/NAME]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A command whose return value is the exit code and whose usage errors are told in lines."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        with readers_may_leave():
            code = _ended(function, *args, **kwargs)
        if code:
            raise typer.Exit(code)

    return wrapped


def _ended(function: Callable[..., int | None], *args: Any, **kwargs: Any) -> int | None:
    """The exit code of a command, after what went wrong was told."""
    try:
        return function(*args, **kwargs)
    except UsageError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INCOMPLETE
    except ValueError as error:
        from study.config.installed import NotUsable
        from study.store.storage import NoLocation

        if not isinstance(error, NotUsable | NoLocation):
            raise
        print(f"error: {error}", file=sys.stderr)
        return MISUSED


@app.command()
@command
def plan(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    timed: Annotated[
        bool,
        typer.Option(
            "--time/--no-time", help="Train for some seconds here, to estimate how long it takes."
        ),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Say what a sweep takes, before it runs.

    Trainings, operations, memory, disk, time. Writes nothing. Trainings that are finished in the
    results folder cost nothing. Times come as a range: from this machine doing nothing else, to it
    being as busy as it is now. For GPUs they follow from rates that are assumed.

    Example:  memophase plan demo --set seeds=5
    """
    from sweeps import show
    from sweeps.files import spec
    from sweeps.planning import plan as planning

    loaded = spec.load(sweep, set_ or [])
    planned = planning.plan(loaded, _location(results, loaded), timed=timed)
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
    location = _location(results, loaded)
    words = {"--results": results, "--tensorboard": tensorboard, "--mlflow": mlflow}
    again = _command(sweep, set_ or [], words, address, report=report)
    told = trackers.opened(tensorboard, mlflow, loaded.name)
    code = _run(loaded, location, address, again, told, began)
    if code is None:
        return INCOMPLETE
    if report:
        _write_report(location, None)
    return code


@app.command()
@command
def status(
    results: Annotated[str, typer.Argument(help="A results folder, such as results/demo.")],
    as_json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until all is done or Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.5, metavar="SECONDS", help="Between two looks of --watch.")
    ] = 5.0,
) -> None:
    """Say where a sweep stands, also while it runs.

    How many trainings are done, what failed and why, how long is left; whichever process or machine
    runs it.

    Example:  memophase status results/demo --watch
    """
    from sweeps import show
    from sweeps.status import standing
    from sweeps.upkeep import watch as watching

    def look() -> tuple[str, bool]:
        found = standing.standing(results)
        text = json.dumps(found.document(), indent=1) if as_json else show.standing(found)
        return text, not watch or found.done == found.total

    watching.watch(look, every, _console())


@app.command()
@command
def log(
    results: Annotated[str, typer.Argument(help="A results folder, such as results/demo.")],
    cell: Annotated[
        str,
        typer.Argument(
            help="The cell as `status` and `run` name it, such as 'size=64 width=16', or so much "
            "of it that it is no other; or the hash of a training. Of a sweep of one cell, nothing."
        ),
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Of the replica. [default: all]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what happened to the trainings of a cell, also while they run.

    Their measured steps with the order parameters, and the log of what they failed of.

    Example:  memophase log results/demo "size=64 width=16" --seed 0
    """
    from sweeps import show
    from sweeps.status import history

    found = history.histories(results, cell, seed)
    if as_json:
        print(json.dumps([each.document() for each in found], indent=1))
    else:
        print("\n\n".join(show.history(each) for each in found))


@app.command()
@command
def report(
    results: Annotated[
        list[str],
        typer.Argument(help="A results folder, such as results/demo; or two, to compare them."),
    ],
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where to write it. [default: RESULTS/report]")
    ] = None,
) -> None:
    """Write the report, also of an unfinished sweep, or of two side by side.

    One HTML file that opens anywhere: phase diagrams, curves of memorization by typicality, and a
    test of each published claim. Beside it the figures, and their numbers. Of two folders the page
    shows both on common axes, with differences and their intervals.

    \b
    Example:  memophase report results/demo --out demo-report
              memophase report results/unet results/transformer --out compared
    """
    if len(results) == 1:
        return _write_report(results[0], out)
    from sweeps import reporting

    print(f"report: {reporting.compare(results, out)}")
    return None


@app.command()
@command
def measure(
    results: Annotated[str, typer.Argument(help="A results folder whose checkpoints were kept.")],
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Results folder to write. [default: RESULTS/measured]"),
    ] = None,
    set_: SetOption = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Measure finished trainings again, more finely.

    Needs checkpoints: trainings that were run with training.keep=log2. They are measured at the
    powers of two that were kept, into a results folder of their own, which `report` takes as any
    other. --set takes measurement.KEY=VALUE.

    Example:  memophase measure results/demo --set measurement.generated=10000
    """
    from sweeps.running import remeasure as measuring

    print(f"measured: {measuring.measure(results, out, set_ or [], device=device)}")


@app.command()
@command
def join(
    results: Annotated[
        list[str], typer.Argument(metavar="A B…", help="Results folders of one study.")
    ],
    into: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where to join them. [default: in the first]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")
    ] = False,
) -> int:
    """Join the results of one study that ran in several places.

    Of a training that several hold, the one that goes furthest stays, if it is whole. The other
    folders do not change. Cut off, it goes on when it is run again.

    \b
    Exit codes:
      0  they are joined
      1  they are, but copies of one training differ, which should not be
      2  nothing was joined, because the request is wrong

    Example:  memophase join results/demo other-cluster/demo
    """
    from sweeps.upkeep import join as joining
    from sweeps.upkeep import words

    with _counted("trainings") as tell:
        done = joining.join(results, into, dry=dry_run, tell=tell)
    print(words.joined(done, dry=dry_run))
    return INCOMPLETE if done.differing else DONE


@app.command()
@command
def prune(
    sweep: SweepArgument,
    set_: SetOption = None,
    results: ResultsOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete, instead of saying what.")] = False,
) -> None:
    """Delete the trainings of a study that a sweep no longer needs, after saying which.

    For a sweep that became smaller: fewer values, fewer seeds. What it still lists stays whole,
    also where it was trained further than it asks. Strings of one's own that no training draws from
    any more go too.

    Example:  memophase prune demo --set seeds=2 --yes
    """
    from sweeps.files import spec
    from sweeps.upkeep import prune as pruning
    from sweeps.upkeep import words

    loaded = spec.load(sweep, set_ or [])
    location = _location(results, loaded)
    print(words.pruning(pruning.prune(loaded, location, really=yes), location))


@app.command()
@command
def doctor(
    address: Annotated[
        str,
        typer.Option(
            metavar="local|auto|HOST:PORT", help="Of the Ray cluster to look at, as in `run`."
        ),
    ] = LOCAL,
    results: Annotated[
        str, typer.Option("--results", metavar="DIR", help="Where results are to be.")
    ] = "results",
    as_json: JsonOption = False,
) -> int:
    """Look for what would stop or spoil a sweep, and say what to do.

    Versions, GPUs, free disk and clocks here and on every machine of a cluster; whether the
    results can be written and are shared by all of them; whether the cluster asks for its token.

    \b
    Exit codes:
      0  nothing stands in the way
      1  something does

    Example:  memophase doctor --address auto --results /shared/results
    """
    from sweeps.upkeep import doctor as examination
    from sweeps.upkeep import words

    found = []
    for finding in examination.examine(address, results):
        found.append(finding)
        if not as_json:
            print(words.finding(finding), flush=True)
    faulty = any(finding.state == "fault" for finding in found)
    if as_json:
        document = {"healthy": not faulty, "findings": [each.document() for each in found]}
        print(json.dumps(document, indent=1))
    else:
        print(words.examined(found))
    return INCOMPLETE if faulty else DONE


@app.command()
@command
def train(
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Results folder; it goes to DIR/trainings/HASH.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML or JSON of one configuration, as a sweep's base."),
    ] = None,
    set_: SetOption = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Of torch, on the CPU.")] = 1,
) -> int:
    """Train one configuration here, without Ray.

    What one debugs with. Prints the order parameters of every measured step. Run it again to go on;
    its results are those that a sweep would get, and `report` and notebooks read them alike.

    Example:  memophase train --out one --set grammar.depth=3 --set grammar.vocab_size=6
    --set grammar.num_synonyms=4 --set corpus.size=128 --set network.width=64
    --set training.steps=1024
    """
    from sweeps.running import single

    return single.train(config, set_ or [], out, device=device, threads=threads)


@app.command()
@command
def settings(
    name: Annotated[
        str | None, typer.Argument(help="A group such as training, or a setting. [default: all]")
    ] = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, as in docs/settings.md.")
    ] = False,
) -> None:
    """Explain every setting of sweeps and trainings.

    Their types, defaults, bounds and meanings, as they are declared.

    Example:  memophase settings training
    """
    from sweeps.files import reference

    found = reference.groups(name)
    if as_json:
        print(json.dumps(reference.document(found), indent=1))
    elif as_markdown:
        print(reference.markdown(found), end="")
    else:
        width = min(shutil.get_terminal_size().columns, WIDEST)
        print(reference.text(found, width))


@presets_app.callback()
@command
def presets_list(context: typer.Context) -> None:
    """List the sweep files that are shipped; `memophase presets show NAME` prints one."""
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


def _location(given: str | None, sweep: Sweep) -> str:
    """Where a sweep's results are; a text that is empty is no place, and not the default either."""
    return f"results/{sweep.name}" if given is None else given


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
    sweep: Sweep, location: str, address: str, again: str, told: Trackers, began: float
) -> int | None:
    """Run a sweep, and say how it ended; None when it was interrupted or lost its Ray."""
    from sweeps import show
    from sweeps.running.progress import Progress
    from sweeps.running.ray_process import RayLost
    from sweeps.running.run import run
    from sweeps.running.watcher import StorageFull

    _note(sweep)
    console, on_gpu = _console(), sweep.file.resources.gpus_per_pack > 0
    try:
        with Progress(console, sweep.name, on_gpu=on_gpu, trackers=told) as progress:
            outcome = run(sweep, location, address=address, progress=progress, began=began)
    except (KeyboardInterrupt, RayLost, StorageFull) as end:
        what = "interrupted" if isinstance(end, KeyboardInterrupt) else f"error: {end}"
        what += f" ({location})" if isinstance(end, StorageFull) else ""
        kept = "what was measured is kept. Run the same command again to go on"
        print(f"{what}; {kept}: {again}", file=sys.stderr)
        return None
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


@contextmanager
def _counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal that is told how many of how many are through; elsewhere nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    console = _console()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _write_report(location: str, out: str | None) -> None:
    from sweeps import reporting

    print(f"report: {reporting.write(location, out)}")
