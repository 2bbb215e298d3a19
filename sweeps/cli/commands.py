"""All commands, in the order in which `memophase --help` lists them."""

from __future__ import annotations

import typer

from sweeps.cli.doctor import doctor
from sweeps.cli.exits import command
from sweeps.cli.join import join
from sweeps.cli.log import log
from sweeps.cli.measure import measure
from sweeps.cli.plan import plan
from sweeps.cli.presets import list_presets, show_preset
from sweeps.cli.prune import prune
from sweeps.cli.report import report
from sweeps.cli.run import run
from sweeps.cli.settings import settings
from sweeps.cli.status import status
from sweeps.cli.train import train

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

for _function in (plan, run, status, log, report, measure, join, prune, doctor, train, settings):
    app.command()(command(_function))
presets_app.callback()(command(list_presets))
presets_app.command("show")(command(show_preset))


def main() -> None:
    """Run the command line."""
    app()
