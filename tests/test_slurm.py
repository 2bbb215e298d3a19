"""The script for Slurm on two machines, with a stand-in for `srun`: it starts what it is given on
each of them at once, as Slurm does, and ends with the worst of the exit codes.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from study.store.results import Results
from study.training.run import run_pack
from sweeps.files import spec
from tests import machines
from tests.machines import Machine
from tests.sweeps.processes import wait_for
from tests.sweeps.tiny import ROOT, TINY, contents

pytestmark = [
    pytest.mark.long,
    pytest.mark.ray,
    pytest.mark.skipif(not machines.possible(), reason="namespaces cannot be made here"),
]

SCRIPT = ROOT / "docs" / "clusters" / "slurm.sbatch"
SWEEP = TINY.replace("steps: 32", "steps: 4096") + "resources: {members_per_pack: 1}\n"
NODES = ("first", "second")
SRUN = """\
#!/bin/bash
export SLURM_CPUS_ON_NODE=1
{ export -p; printf 'cd %q\\n' "$PWD"; printf '%q ' "$@"; } > "$STEP.partial"
mv "$STEP.partial" "$STEP"
worst=0
for node in first second; do
    until [ -s "$STEP-$node" ]; do sleep 0.2; done
    code=$(cat "$STEP-$node")
    [ "$code" -le "$worst" ] || worst=$code
done
exit "$worst"
"""
SLURMD = 'until [ -e "$1" ]; do sleep 0.2; done; bash "$1"; echo $? > "$1-$2"'
PATIENCE = 300.0
"""Seconds that Ray and the run have, however much else goes on."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the user submits from."""
    home = tmp_path_factory.mktemp("slurm")
    (home / "mine.yaml").write_text(SWEEP)
    (home / ".venv" / "bin").mkdir(parents=True)
    path = f"export PATH={Path(sys.executable).parent}:$PATH\n"
    (home / ".venv" / "bin" / "activate").write_text(path)
    return home


@pytest.fixture(scope="module")
def nodes(home: Path) -> Iterator[list[Machine]]:
    with machines.machines(home / "nodes", NODES) as found:
        srun = found[0].home / "bin" / "srun"
        srun.write_text(SRUN)
        srun.chmod(0o755)
        hosts = found[0].home / "hosts"
        hosts.write_text(hosts.read_text().replace(found[0].address, "127.0.1.1"))  # as on Debian
        yield found


@contextlib.contextmanager
def submitted(nodes: list[Machine], home: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A job that runs the script on all nodes; its output and its process id go into files."""
    step, log = home / f"{name}.step", home / f"{name}.out"
    with contextlib.ExitStack() as stack:
        for node in nodes:
            words = ("bash", "-c", SLURMD, "slurmd", str(step), node.name)
            daemon = node.start(*words, cwd=home, log=log)
            stack.callback(daemon.wait)
            stack.callback(daemon.kill)
        remember = 'echo $$ > "$1"; shift; exec bash "$@"'
        words = (remember, "sbatch", str(home / f"{name}.pid"), str(SCRIPT), "mine.yaml", "results")
        job = {"SLURM_SUBMIT_DIR": str(home), "SLURM_NNODES": "2", "SLURM_CPUS_ON_NODE": "1"}
        script = nodes[0].start("bash", "-c", *words, cwd=home, log=log, STEP=str(step), **job)
        stack.callback(script.wait)
        stack.callback(script.kill)
        yield script


def undisturbed(folder: Path) -> dict[str, dict[str, str]]:
    sweep = spec.loads(SWEEP)
    for _, alike in groupby(sweep.trainings, lambda training: training.config.corpus.size):
        run_pack([training.config for training in alike], Results.open(folder))
    return contents(folder)


def test_a_job_that_runs_out_of_time_ends_in_order_and_the_next_goes_on(nodes, home: Path):
    log = home / "one.out"
    with submitted(nodes, home, "one") as script:
        wait_for(lambda: "event=measured" in log.read_text() or script.poll() is not None, PATIENCE)
        pid = (home / "one.pid").read_text().strip()
        nodes[0].run("kill", "-TERM", pid, cwd=home)
        assert script.wait(PATIENCE) == 1, log.read_text()
    assert "event=finishing" in log.read_text()
    assert "interrupted; what was measured is kept" in log.read_text()
    assert not list((home / "results" / "runs").iterdir())

    log = home / "two.out"
    with submitted(nodes, home, "two") as script:
        assert script.wait(PATIENCE) == 0, log.read_text()
    assert "4 of 4 trainings done" in log.read_text()
    assert "of the time of 2 cores" in log.read_text(), "both nodes take part"
    assert contents(home / "results") == undisturbed(home / "undisturbed")
