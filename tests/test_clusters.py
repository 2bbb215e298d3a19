"""What the pages on clusters say, as far as one machine can tell."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from sweeps.cli import app
from tests.sweeps.tiny import ROOT, memophase

CLUSTERS = ROOT / "docs" / "clusters"
COMMAND = re.compile(
    r"\bmemophase (plan|run|status|doctor|join)\b((?: (?:--?[a-z-]+|[^\s`|\\&;…]+))*)"
)


LINE = re.compile(r"^(?: {4,}|.* -- )(memophase [^\n#]+)", re.MULTILINE)
"""A whole command: a line of its own, or what a job is to run."""


def read(line: str) -> dict[str, Any]:
    """The arguments of a command as memophase reads them, without running it."""
    program, name, *words = shlex.split(line)
    assert program == "memophase"
    commands: Any = typer.main.get_command(app)
    return commands.commands[name].make_context(name, words).params


def ray(*arguments: str) -> str:
    script = "from ray.scripts.scripts import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_file_for_ray_up_is_what_ray_takes():
    import ray.autoscaler

    schema = json.loads(Path(ray.autoscaler.__path__[0], "ray-schema.json").read_text())
    cluster = yaml.safe_load((CLUSTERS / "ray-up.yaml").read_text())
    jsonschema.validate(cluster, schema)
    assert cluster["max_workers"] == len(cluster["provider"]["worker_ips"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(cluster | {"min_workers": 2}, schema)
    for name in ("head_start_ray_commands", "worker_start_ray_commands"):
        assert "RAY_AUTH_MODE=token" in cluster[name][-1]


def test_the_job_for_kubernetes_asks_for_a_token_and_mounts_what_it_names():
    job = yaml.safe_load((CLUSTERS / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    given = read(job["spec"]["entrypoint"])
    assert given["address"] == "auto"
    assert [given["sweep"], given["results"]] == ["/sweeps/mine.yaml", "/shared/mine"]
    assert read("memophase run mine.yaml")["address"] != "auto"


def test_the_script_for_slurm_is_one_and_ray_has_its_command():
    subprocess.run(["bash", "-n", str(CLUSTERS / "slurm.sbatch")], check=True)
    told = ray("symmetric-run", "--help")
    script = (CLUSTERS / "slurm.sbatch").read_text()
    for option in ("--address", "--min-nodes", "--num-cpus"):
        assert option in told
        assert f"{option} " in script
    assert "--num-cpus" in ray("start", "--help")
    assert "--exclusive" in script


@pytest.mark.parametrize("page", sorted(p.name for p in CLUSTERS.iterdir()))
def test_every_command_on_a_page_has_the_options_that_it_is_given(page: str):
    text = re.sub(r"\\\n\s+", " ", (CLUSTERS / page).read_text())
    for name, words in COMMAND.findall(text):
        told = memophase(name, "--help").stdout
        for option in re.findall(r" (--[a-z-]+)", words):
            assert option in told, f"memophase {name} {option}"


def test_every_whole_command_on_a_page_is_one_that_memophase_reads():
    found = []
    for page in CLUSTERS.glob("*.md"):
        text = re.sub(r"\\\n\s+", "", page.read_text())
        found += [line.rstrip() for line in LINE.findall(text)]
    assert len(found) >= 5
    for line in found:
        read(line)
    with pytest.raises(Exception, match="No such option"):
        read(f"{found[0]} --adress auto")


def test_every_page_is_linked_and_every_link_leads_somewhere():
    links = {
        link
        for page in CLUSTERS.glob("*.md")
        for link in re.findall(r"\]\(([\w.-]+)\)", page.read_text())
    }
    there = {path.name for path in CLUSTERS.iterdir()}
    assert links <= there
    assert there - links == {"README.md"}
