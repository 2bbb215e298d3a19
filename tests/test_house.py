"""What holds for the whole house: its floors, and what each of them needs to stand."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.study.small import small

ROOT = Path(__file__).parents[1]
BASIS = ("torch", "numpy", "pyarrow")


def closure(names: tuple[str, ...]) -> set[str]:
    """Distributions together with everything that they require here."""
    found, waiting = set(), [*names]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        plain = (r for r in requires if "extra ==" not in r)
        waiting += [re.match(r"[\w.-]+", r).group() for r in plain]  # type: ignore[union-attr]
    return found


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory) -> Path:
    """A folder of packages that holds the basis alone."""
    site = tmp_path_factory.mktemp("site")
    for name in closure(BASIS):
        distribution = importlib.metadata.distribution(name)
        tops = {Path(str(file)).parts[0] for file in distribution.files or []}
        for top in tops - {"..", "__pycache__"}:
            (site / top).symlink_to(Path(str(distribution.locate_file(top))))
    return site


def bare(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python without its site packages, with the basis and this project."""
    environment = {**os.environ, "PYTHONPATH": f"{site}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_bare_site_really_is_bare(bare_site):
    assert "No module named 'ray'" in bare(bare_site, "-c", "import ray").stderr
    assert "No module named 'typer'" in bare(bare_site, "-c", "import typer").stderr


def test_a_training_needs_the_basis_alone(bare_site, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(small().to_dict()))
    run = bare(bare_site, "-m", "study", str(config), "--out", str(tmp_path / "out"))
    assert run.returncode == 0, run.stderr
    assert "finished at step 32" in run.stdout


@pytest.mark.parametrize(
    ("package", "unwanted"),
    [
        ("rhm", "torch ray pandas"),
        ("study", "torch ray"),
        ("analysis", "torch ray altair"),
        ("sweeps", "torch ray altair"),
    ],
)
def test_importing_a_package_is_light(package, unwanted):
    code = f"import sys, {package}; print([m for m in {unwanted.split()!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]", run.stdout + run.stderr
