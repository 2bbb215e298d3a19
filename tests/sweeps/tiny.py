"""A sweep that trains in a second, and ways to change it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from study.store.results import Results
from sweeps.cli import app

ROOT = Path(__file__).parents[2]

TINY = """\
name: tiny
base:
  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}
  network: {width: 8}
  diffusion: {num_timesteps: 21}
  training: {steps: 32, batch_size: 8}
  measurement: {first_step: 8, likelihood_per_octave: 1, budget: null, generated: 40}
grid:
  corpus.size: [4, 8]
seeds: 2
"""


def contents(folder: Path) -> dict[str, dict[str, str]]:
    """Training -> table (and checkpoint) -> checksum, without the clock's, all verified."""
    results, found = Results.open(folder), {}
    for training in results.trainings():
        status = results.verified(training)
        assert status is not None
        files = {name: e.sha256 for name, e in status.files.items() if name != "timing"}
        found[training] = files | {"step": str(status.step), "state": status.state}
    return found


def memophase(*arguments: str) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(app, list(arguments))


def refused(result: Result) -> list[str]:
    """The error lines of a refused request."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines)
    assert "Traceback" not in result.stderr
    return lines


def command(*arguments: str) -> list[str]:
    """The command line as a process of its own, started from anywhere."""
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from sweeps.cli import main; main()"
    return [sys.executable, "-c", start, *arguments]


def in_process(
    *arguments: str, cwd: Path, seconds: float = 180
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end in a process of its own."""
    return subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )
