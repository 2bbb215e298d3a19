"""Novel validity where noise is grammatical too often to tell anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import Tables, load
from analysis.frames.generated import generated
from analysis.frames.tables import Rows
from analysis.frames.validity import untold_cells
from analysis.statistics.onsets import GENERALIZATION, UNDEFINED, onsets
from analysis.statistics.regimes import regimes
from tests.analysis import synthetic


@pytest.fixture(params=["fresh", "indexed"])
def tables(tmp_path: Path, request: pytest.FixtureRequest) -> Tables:
    """Of one training whose V means nothing and one whose does, both with numbers on the disk."""
    for size in (32, 2048):
        synthetic.publish(tmp_path, synthetic.config(size=size))
        every = {"vocab_size": 4, "num_synonyms": 4}  # v·m = v^s: all strings are grammatical
        synthetic.publish(tmp_path, synthetic.config(size=size, grammar=every))
    if request.param == "indexed":
        _ = load(tmp_path)["curves"]
    return load(tmp_path)


def test_validity_is_missing_in_tables_written_before_it_was_null(tables: Tables):
    merged = generated(tables["curves"]).merge(tables.trainings, on="training")
    untold = merged["grammar.vocab_size"] == 4
    assert untold.any() and not untold.all()
    assert merged["novel_validity"].isna().equals(untold)
    assert merged["root_validity"].notna().all()
    some = tables.read("curves", ["novel_validity"], Rows(last=True))
    assert some["novel_validity"].isna().sum() == 2


def test_nothing_there_reads_generalizing_or_underfit(tables: Tables):
    found = regimes(tables).merge(tables.trainings, on="training", suffixes=("", "_last"))
    told = found[found["grammar.vocab_size"] == 6]
    untold = found[found["grammar.vocab_size"] == 4]
    assert {"generalizing", "underfit"} & set(told["regime"])
    assert set(untold["regime"].dropna()) == {"memorizing", "slop"}
    assert untold["regime"].isna().any()
    onset = onsets(tables).merge(tables.trainings, on="training")
    censoring = onset[onset["onset"] == GENERALIZATION].set_index("grammar.vocab_size")["censoring"]
    assert set(censoring[4]) == {UNDEFINED}
    assert UNDEFINED not in set(censoring[6])


def test_the_cells_where_it_cannot_be_told_are_named(tables: Tables):
    said = "generalization cannot be told in 2 of 4 cells: κ = 1.00 of all strings are grammatical"
    assert untold_cells(tables.trainings) == said
    assert untold_cells(tables.trainings[tables.trainings["grammar.vocab_size"] == 6]) is None
