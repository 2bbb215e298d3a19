"""A large sweep is looked at some cells after others, which changes no number."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import load
from analysis.frames import index, loading, reading, tables
from analysis.report.engine import lean
from analysis.report.findings import find
from tests.analysis import synthetic


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight cells of two seeds in an index with groups of five trainings, and one that goes on."""
    monkeypatch.setattr(loading, "FEWEST", 1)
    monkeypatch.setattr(reading, "BATCH", 5)
    synthetic.sweep(tmp_path, depths=(3, 4), sizes=(32, 512), widths=(16, 64), seeds=2)
    synthetic.publish(tmp_path, synthetic.config(size=2048), until=1024)
    return tmp_path


def found(folder: Path) -> dict[str, pd.DataFrame]:
    axes = ["corpus.size", "network.width"]
    return dict(find(load(folder), axes=axes, facet="grammar.depth", expected=None).data())


def test_parts_of_the_cells_say_what_all_of_them_say(folder, monkeypatch):
    whole = found(folder)
    monkeypatch.setattr(tables, "MOST", 3)
    parts = [part.trainings for part in load(folder).parts()]
    assert len(parts) > 3
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), load(folder).trainings)
    for name, table in found(folder).items():
        pd.testing.assert_frame_equal(table, whole[name], check_exact=True)


def test_a_part_of_the_cells_is_read_from_a_part_of_the_index(folder):
    every = load(folder)
    cell = every.trainings[every.trainings["cell"] == every.trainings["cell"].iloc[0]]
    opened = index.opened(loading.Results.open(folder).store)
    assert opened is not None
    near, all_ = (
        set(opened.columns("curves", names)("training").to_pylist())
        for names in (cell["training"], opened.trainings)
    )
    assert set(cell["training"]) <= near < all_
    own = every["curves"]
    own = own[own["training"].isin(cell["training"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(every.only(cell["training"])["curves"], own)


def test_a_lean_picture_keeps_what_is_written_in_it():
    image = (
        '<svg><g role="graphics-object" aria-roledescription="axis">'
        '<path aria-label="x: 1.23456" transform="translate(1.23456,7)" d="M0.125,3L4,5.999"/>'
        '<text transform="translate(3.14159,0)">0.0005</text></g></svg>'
    )
    assert lean(image) == (
        '<svg><g><path transform="translate(1.23,7)" d="M0.12,3L4,5.99"/>'
        '<text transform="translate(3.14,0)">0.0005</text></g></svg>'
    )
