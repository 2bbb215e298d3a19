"""Several results folders as one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import AnalysisError, load
from analysis.frames.tables import Rows
from study.store import records
from study.store.results import Results
from tests.analysis import synthetic


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Both hold seed 1, the second one further; each has a seed and a width of its own."""
    one, other = tmp_path / "one", tmp_path / "other"
    for seed in range(2):
        synthetic.publish(one, synthetic.config(seed=seed), until=None if seed == 0 else 256)
    synthetic.publish(other, synthetic.config(seed=1))
    synthetic.publish(other, synthetic.config(seed=2, width=16), until=512)
    return one, other


def test_every_training_is_read_where_it_came_furthest(folders):
    one, other = folders
    both = load([one, other])
    assert list(both.trainings["seed"]) == [2, 0, 1]
    assert list(both.trainings["step"]) == [512, 4096, 4096]
    assert list(both.trainings["cell"]) == ["W=16", "W=64", "W=64"]
    twice = synthetic.config(seed=1).hash
    (note,) = both.notes
    assert note == (
        f"training {twice} is unfinished at step 256 in {one}, finished at step 4,096 in {other}; "
        "the furthest counts"
    )


def test_the_tables_are_those_of_one_folder_that_holds_it_all(folders, tmp_path: Path):
    both = load(list(folders))
    for seed in range(2):
        synthetic.publish(tmp_path / "all", synthetic.config(seed=seed))
    synthetic.publish(tmp_path / "all", synthetic.config(seed=2, width=16), until=512)
    whole = load(tmp_path / "all")
    for name in ("trainings", *records.SCHEMAS):
        pd.testing.assert_frame_equal(both[name], whole[name])
    last = both.read("noise", ["window", "position"], Rows(last=True))
    pd.testing.assert_frame_equal(
        last, whole.read("noise", ["window", "position"], Rows(last=True))
    )


def test_the_order_of_folders_does_not_matter(folders):
    one, other = (load(list(order)) for order in (folders, folders[::-1]))
    for name in ("trainings", "curves", "strings"):
        pd.testing.assert_frame_equal(one[name], other[name])


def test_what_is_damaged_in_one_folder_is_read_in_another(folders):
    one, other = folders
    twice, alone = synthetic.config(seed=1).hash, synthetic.config(seed=0).hash
    for training in (twice, alone):
        (one / "trainings" / training / "status.json").write_text("{")
    both = load([one, other])
    assert [problem.training for problem in both.problems] == [alone]
    (note,) = both.notes
    assert f"training {twice} cannot be read in {one}" in note
    assert set(both["curves"]["training"]) == set(both.trainings["training"])


def test_single_strings_that_turn_out_damaged_are_told_of_the_folder_that_counts(folders):
    one, other = folders
    twice = synthetic.config(seed=1).hash
    for folder in folders:
        next((folder / "trainings" / twice).glob("strings-*.parquet")).write_bytes(b"no table")
    both = load([one, other])
    assert both.problems == ()
    assert set(both["strings"]["training"]) == set(both.trainings["training"]) - {twice}
    assert [problem.training for problem in both.problems] == [twice]


def test_wanted_trainings_may_lie_in_one_folder_alone(folders):
    alone = synthetic.config(seed=0).hash
    assert list(load(list(folders), only={alone}).trainings["training"]) == [alone]
    with pytest.raises(AnalysisError, match="holds no trainings of those that are wanted"):
        load(list(folders), only={"0123456789abcdef"})


def test_all_damaged_is_no_crash(folders):
    for folder in folders:
        for status in folder.glob("trainings/*/status.json"):
            status.write_text("{")
    both = load(list(folders))
    assert both.trainings.empty
    assert len(both.problems) == 4
    assert "0 trainings" in repr(both)


@pytest.mark.parametrize(
    ("choose", "message"),
    [
        (lambda one, _: [], "nothing to load"),
        (lambda one, _: [one, str(one)], "one is named twice"),
        (lambda one, _: [one, 3], "3 is no results folder"),
        (lambda one, _: [one, one.parent], "holds no trainings; give the folder of a sweep"),
    ],
)
def test_what_is_no_results_folder_is_named(folders, choose, message):
    with pytest.raises(AnalysisError, match=message):
        load(choose(*folders))


def test_results_and_paths_mix(folders):
    one, other = folders
    assert len(load((Results.open(one), str(other))).trainings) == 3


def test_tables_say_what_they_are(folders):
    one, other = folders
    said = repr(load([one, other]))
    assert "Tables of 3 trainings" in said
    assert "2 cells with 3 seeds" in said
    assert "2 finished, 1 unfinished, to step 4,096" in said
    assert "the furthest counts" in said
    html = load(one)._repr_html_()
    assert html.startswith("<p>Tables of 2 trainings</p>")
    assert "curves, levels" in html
