"""Sweeps on strings of one's own: where files are found, and what an axis of sources leaves out."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from study.store.results import Results
from sweeps.cli import app
from sweeps.faults import UsageError
from sweeps.files import spec
from sweeps.space.cells import pools

WORDS = [a + b + c + d for a in "xyz" for b in "uvxyz" for c in "xyz" for d in "xyuz"]
FIVE_LINES = """\
name: mine
base:
  corpus: {source: strings, path: words.txt, size: 20}
  network: {width: 8}
  training: {steps: 64}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "words.txt").write_text("\n".join(WORDS))
    (tmp_path / "beside" / "mine.yaml").write_text(FIVE_LINES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_found_beside_the_sweep_and_in_the_current_folder(here, monkeypatch):
    beside = spec.load("beside/mine.yaml").trainings[0]
    monkeypatch.chdir(here / "beside")
    assert spec.load("mine.yaml").trainings[0].hash == beside.hash
    monkeypatch.chdir(here)
    (here / "words.txt").write_text("\n".join(WORDS[10:]))
    assert spec.load("beside/mine.yaml").trainings[0].hash != beside.hash


def test_cells_of_one_file_share_their_strings(here):
    sweep = spec.load("beside/mine.yaml", ["grid.network.width=[8, 16]", "seeds=2"])
    assert len(sweep.trainings) == 4
    (pool,) = pools(sweep.cells)
    assert pool is sweep.cells[0].pool is sweep.cells[1].pool


def test_where_the_source_is_an_axis_each_cell_has_its_own_settings(here):
    grammar = "{depth: 2, vocab_size: 4, num_synonyms: 2, zipf: {1: 1.0}}"
    sweep = spec.load(
        "beside/mine.yaml",
        [
            f"base.grammar={grammar}",
            "grid.corpus.source=[grammar, words]",
            "base.corpus={size: 10}",
            "strings.order=2",
        ],
    )
    first, second = (cell.config for cell in sweep.cells)
    assert first.grammar is not None and first.pool is None
    assert first.strings.order == 3
    assert second.grammar is None and second.pool.vocab_size == 39
    assert second.strings.order == 2


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("pool.sha256=0", "unknown field"),
        ("strings.ordr=2", "did you mean"),
        ("strings.order=0", "must be 1 or more"),
        ("base.grammar.depth=2", "base.grammar.vocab_size: is required"),
    ],
)
def test_faults_of_settings_are_told_as_ever(here, option, says):
    with pytest.raises(UsageError, match=says):
        spec.load("beside/mine.yaml", [option])


def test_one_training_from_a_text_file(here):
    settings = [
        "diffusion.num_timesteps=24",
        "measurement.generated=40",
        "measurement.noise_strings=8",
    ]
    (here / "one.yaml").write_text(
        "corpus: {source: strings, path: beside/words.txt, size: 20}\n"
        "network: {width: 8}\ntraining: {steps: 64}\n"
    )
    options = [word for setting in settings for word in ("--set", setting)]
    ended = CliRunner().invoke(app, ["train", "--out", "one", "--config", "one.yaml", *options])
    assert ended.exit_code == 0, ended.output
    results = Results.open("one")
    (training,) = results.trainings()
    assert results.config(training).pool.strings == len(WORDS)
    status = results.status(training)
    assert results.pool(results.config(training)).sha256 == results.config(training).pool.sha256
    assert results.table(status, "samples")["copied"].null_count == 0
