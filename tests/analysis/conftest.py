from __future__ import annotations

from pathlib import Path

import pytest

from analysis import Tables, load
from analysis.report.folder import ReportPaths, write_report
from tests.analysis import synthetic


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three corpus sizes by three widths, two depths, three seeds, all finished."""
    folder = tmp_path_factory.mktemp("grid")
    return synthetic.sweep(
        folder, depths=(3, 4), sizes=(32, 256, 2048), widths=(16, 64, 256), seeds=3
    )


@pytest.fixture(scope="session")
def tables(grid: Path) -> Tables:
    return load(grid)


@pytest.fixture(scope="session")
def report(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> ReportPaths:
    out = tmp_path_factory.mktemp("out") / "report"
    return write_report(
        grid,
        out,
        title="Width by data",
        axes=("corpus.size", "network.width"),
        facet="grammar.depth",
        expected=60,
    )
