"""What the README shows runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from study.store.results import Results
from study.training.run import run_pack
from tests.study.small import small

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `results/demo` is a small finished sweep."""
    folder = tmp_path_factory.mktemp("readme")
    configs = [small(seed=seed, corpus__size=size) for size in (40, 80) for seed in range(2)]
    for config in configs:
        run_pack([config], Results.open(folder / "results" / "demo"))
    return folder


def test_the_readme_has_examples():
    assert len(BLOCKS) >= 1


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_runs(demo: Path, monkeypatch: pytest.MonkeyPatch, block: str):
    monkeypatch.chdir(demo)
    names: dict = {}
    exec(compile(block, str(README), "exec"), names)
    if "load(" in block:
        assert len(names["copies"]) == 3
        assert names["sweep"]["excess_copies"].sizes == {"corpus.size": 2, "seed": 2, "step": 3}
        assert Path("diagram.svg").stat().st_size > 1000
