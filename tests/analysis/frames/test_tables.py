"""Tidy frames, also of a sweep that is running or damaged."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis import AnalysisError, Tables, load
from study.store import records
from study.store.results import Results
from tests.analysis import synthetic


def test_every_table_is_a_frame_with_one_row_per_training(tables: Tables):
    assert set(tables) == {"trainings", *records.SCHEMAS}
    assert tables.trainings["training"].is_unique
    assert len(tables.trainings) == 2 * 3 * 3 * 3
    assert tables.trainings["cell"].nunique() == 18
    assert set(tables["curves"]["training"]) == set(tables.trainings["training"])
    assert tables["typicality"]["n_training"].dtype == "Int64"


def test_trainings_carry_every_dotted_field(tables: Tables):
    trial = synthetic.config(size=32, width=16)
    row = tables.trainings.set_index("training", drop=False).loc[trial.hash]
    for name, value in trial.flat().items():
        if value is not None:
            assert row[name] == value, name
    assert row["step"] == row["last_step"] == 4096


def test_cells_are_named_by_what_varies_and_by_nothing_that_follows(tables: Tables):
    assert tables.trainings["cell"].iloc[0] == "L=3 · N=32 · W=16"


def test_a_zipf_exponent_fixed_by_the_depth_is_no_part_of_the_name(tmp_path):
    for depth in (2, 3):
        zipf = {str(depth - 1): 1.5}
        synthetic.publish(
            tmp_path,
            synthetic.config(depth=depth, size=16, grammar={"num_synonyms": 2, "zipf": zipf}),
        )
    assert list(load(tmp_path).trainings["cell"]) == ["L=2", "L=3"]


def test_a_single_cell_still_has_a_name(tmp_path):
    for seed in range(2):
        synthetic.publish(tmp_path, synthetic.config(seed=seed))
    assert set(load(tmp_path).trainings["cell"]) == {"L=3 · N=128 · W=64"}


def test_the_length_of_a_training_is_no_part_of_its_cell(tmp_path):
    synthetic.publish(tmp_path, synthetic.config(seed=0, steps=128))
    synthetic.publish(tmp_path, synthetic.config(seed=1, steps=4096))
    assert len(set(load(tmp_path).trainings["cell"])) == 1


def test_running_failed_and_unmeasured_trainings_are_told_apart(tmp_path):
    running, failed, begun = (synthetic.config(seed=seed) for seed in range(3))
    synthetic.publish(tmp_path, running, until=256)
    results = Results.open(tmp_path)
    results.mark(synthetic.publish(tmp_path, failed, until=128), "failed", "ValueError: no")
    results.store.publish(
        f"trainings/{begun.hash}/config.json",
        results.store.read(f"trainings/{running.hash}/config.json").replace(
            b'"seed": 0', b'"seed": 2'
        ),
    )
    trainings = load(tmp_path).trainings.set_index("seed")
    assert list(trainings["state"]) == ["unfinished", "failed", "waiting"]
    assert list(trainings["step"]) == [256, 128, 0]
    assert trainings.loc[1, "error"] == "ValueError: no"


def test_damage_is_listed_and_the_rest_is_read(tmp_path):
    good, bad, garbled = (synthetic.config(seed=seed) for seed in range(3))
    for trial in (good, bad, garbled):
        synthetic.publish(tmp_path, trial)
    folder = tmp_path / "trainings"
    next((folder / bad.hash).glob("curves-*.parquet")).write_bytes(b"not a table")
    (folder / garbled.hash / "status.json").write_text("{")
    loaded = load(tmp_path)
    assert list(loaded.trainings["training"]) == [good.hash]
    assert {p.training for p in loaded.problems} == {bad.hash, garbled.hash}
    assert any("does not match its checksum" in p.what for p in loaded.problems)


@dataclasses.dataclass(frozen=True)
class Overtaken(Results):
    """Results whose trainings publish their next step just before a table is read."""

    published: list = dataclasses.field(default_factory=list)
    times: int = 1

    def table(self, status, name):
        if len(self.published) < self.times:
            later = [128, 256, 512, 1024, 2048, 4096][len(self.published)]
            self.published.append(later)
            trial = self.config(status.training)
            Results(self.store).publish(
                trial, "running", later, synthetic.tables(trial, later), b""
            )
        return super().table(status, name)


def test_a_training_that_moves_on_while_it_is_read_is_read_again(tmp_path):
    synthetic.publish(tmp_path, synthetic.config(), until=64)
    results = Overtaken(Results.open(tmp_path).store)
    loaded = load(results)
    assert list(loaded.trainings["step"]) == [128]
    assert loaded["curves"]["step"].max() == 128
    assert loaded.problems == ()


def test_a_training_that_never_stands_still_is_named(tmp_path):
    synthetic.publish(tmp_path, synthetic.config(), until=64)
    results = Overtaken(Results.open(tmp_path).store, times=6)
    (problem,) = load(results).problems
    assert "was replaced 5 times while it was read" in problem.what


def test_a_folder_without_trainings_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(AnalysisError, match="holds no trainings; give the folder of a sweep"):
        load(tmp_path)


def test_an_unknown_table_is_refused(tables: Tables):
    with pytest.raises(KeyError, match="no table 'curve'"):
        tables["curve"]
    assert "curve" not in tables


def test_undefined_values_stay_missing(tables: Tables):
    levels = tables["levels"].merge(tables.trainings[["training", "grammar.depth"]], on="training")
    leaves = levels["level"] == levels["grammar.depth"]
    assert levels[leaves]["rule_kl"].isna().all()
    assert levels[~leaves]["rule_kl"].notna().any()
    assert tables["curves"]["relative_slope"].isna().any()
    assert isinstance(tables["curves"], pd.DataFrame)


def test_importing_analysis_is_light():
    code = (
        "import sys, analysis, analysis.report.folder; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'ray', 'altair', 'vl_convert')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_the_wanted_trainings_are_loaded(tmp_path: Path):
    """As after a sweep was edited: what it no longer holds stays in its folder."""
    wanted = [synthetic.config(seed=seed, width=16) for seed in range(2)]
    for trial in (*wanted, synthetic.config(width=256)):
        synthetic.publish(tmp_path, trial)
    hashes = {trial.hash for trial in wanted}
    tables = load(tmp_path, only=hashes)
    assert set(tables.trainings["training"]) == set(tables["curves"]["training"]) == hashes
    with pytest.raises(AnalysisError, match="holds no trainings"):
        load(tmp_path, only={"0123456789abcdef"})
