"""Results folders of one study become one."""

import json
import shutil
from itertools import product
from pathlib import Path

import pytest

from analysis import load
from study import load_training
from study.store.results import Results
from sweeps.status.heartbeat import Heartbeat
from sweeps.upkeep import join as joining
from tests.sweeps.tiny import TINY, contents, memophase
from tests.sweeps.upkeep.studies import files, trained


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the tiny sweep in one place."""
    where = tmp_path_factory.mktemp("whole") / "tiny"
    trained(where)
    return where


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Two places: one has the first training and half of the second, one the last three."""
    where = tmp_path_factory.mktemp("parts")
    hashes = trained(where / "a", only=[0])
    trained(where / "a", only=[1], until=8)
    trained(where / "b", only=[1, 2, 3])
    return where, hashes


@pytest.fixture
def two(parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders `a` and `b` of `parts`, here; returns the hashes of all trainings."""
    where, hashes = parts
    shutil.copytree(where, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return hashes


def test_the_longer_whole_ones_win_and_the_bytes_are_those_of_one_place(two, whole: Path):
    before = files(Path("b"))
    dry = memophase("join", "a", "b", "--into", "c", "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert "3 would come from b" in dry.stdout
    assert not Path("c").exists()

    done = memophase("join", "a", "b", "--into", "c")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "tiny: 4 trainings in c",
        "  0 stay as they are there",
        "  1 came from a",
        "  3 came from b",
    ]
    assert contents(Path("c")) == contents(whole)
    assert files(Path("c"))["sweep.json"] == files(whole)["sweep.json"]
    assert files(Path("b")) == before
    told = json.loads(memophase("status", "c", "--json").stdout)
    assert (told["done"], told["total"], told["failures"]) == (4, 4, [])

    again = memophase("join", "a", "b", "--into", "c")
    assert "  4 stay as they are there" in again.stdout.splitlines()
    assert "came from" not in again.stdout


def test_without_a_target_the_first_takes_all(two, whole: Path):
    done = memophase("join", "a", "b")
    assert done.exit_code == 0, done.stderr
    assert "  1 of these go further than what was there" in done.stdout.splitlines()
    assert contents(Path("a")) == contents(whole)
    assert not list(Path("a/runs").iterdir())


def test_a_damaged_copy_never_wins_and_is_named(two, whole: Path):
    first, second = two[0], two[1]
    (table,) = Path(f"b/trainings/{second}").glob("curves-*")
    table.write_bytes(table.read_bytes()[:-1])
    Path(f"a/trainings/{first}/status.json").write_text("{}")
    done = memophase("join", "b", "a")
    assert done.exit_code == 0, done.stderr
    assert "  1 are whole nowhere; run the sweep to train them" in done.stdout
    assert f"  size=4 seed 0 ({first}): a: status.json is garbled" in done.stdout
    assert f"  size=4 seed 1 ({second}): b: {table.name} does not match" in done.stdout
    found = contents(Path("b"))
    assert found[second]["step"] == "8"
    assert first not in found
    assert {h: found[h] for h in two[2:]} == {h: contents(whole)[h] for h in two[2:]}


def test_copies_that_differ_are_told_and_the_first_is_kept(two):
    hashes = two
    shutil.copytree("b", "c")
    results = Results.open("c")
    status = results.status(hashes[2])
    assert status is not None
    tables = results.tables(status)
    tables["curves"] = tables["curves"].slice(1)
    checkpoint = results.read(status, "checkpoint")
    results.publish(results.config(hashes[2]), "finished", 32, tables, checkpoint)
    done = memophase("join", "b", "c", "--into", "d")
    assert done.exit_code == 1
    assert "not the same in all places:" in done.stdout
    said = "curves up to step 32 in c is not as in b, which is kept"
    assert f"  size=8 seed 0 ({hashes[2]}): {said}" in done.stdout
    assert contents(Path("d"))[hashes[2]] == contents(Path("b"))[hashes[2]]


def test_a_shorter_copy_that_went_another_way_is_told(two):
    other, second = Results.open("a"), two[1]
    status = other.status(second)
    assert status is not None
    levels = other.table(status, "levels")
    tables = other.tables(status) | {"levels": levels.slice(0, 1)}
    checkpoint = other.read(status, "checkpoint")
    other.publish(other.config(second), "running", 8, tables, checkpoint)
    done = memophase("join", "b", "a")
    assert done.exit_code == 1
    assert "levels up to step 8 in a is not as in b, which is kept" in done.stdout


def test_a_join_that_was_cut_off_is_finished_by_the_same_command(two, whole: Path, monkeypatch):
    adopt, left = Results.adopt, [2]

    def dies(self, *arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        adopt(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Results, "adopt", dies)
        assert memophase("join", "a", "b", "--into", "c").exit_code == 1
    assert not Path("c/sweep.json").exists()
    done = memophase("join", "a", "b", "--into", "c")
    assert "  2 stay as they are there" in done.stdout.splitlines()
    assert contents(Path("c")) == contents(whole)


def test_what_was_one_value_in_each_place_is_an_axis_of_both(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained(Path("a"), "grid.corpus.size=[4]", "seeds=1")
    trained(Path("b"), "grid.corpus.size=[8,4]", "network.width=16", "seeds=1", only=[0])
    done = memophase("join", "a", "b", "--into", "c")
    assert done.exit_code == 0, done.stderr
    listed = json.loads(Path("c/sweep.json").read_text())
    assert [t["label"] for t in listed["trainings"]] == [
        "size=4 width=8",
        "size=8 width=16",
        "size=4 width=16",
    ]
    assert listed["trainings"][1]["cell"] == {"corpus.size": 8, "network.width": 16}
    assert sorted(set(load("c")["trainings"]["network.width"])) == [8, 16]


def test_more_seeds_and_steps_in_one_place_are_wanted_in_both(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained(Path("a"), "grid.corpus.size=[4]", "seeds=1")
    trained(Path("b"), "grid.corpus.size=[4]", "training.steps=64")
    assert memophase("join", "a", "b").exit_code == 0
    listed = json.loads(Path("a/sweep.json").read_text())["trainings"]
    assert [(t["seed"], t["last_step"], t["label"]) for t in listed] == [
        (0, 64, "size=4"),
        (1, 64, "size=4"),
    ]
    assert {found["step"] for found in contents(Path("a")).values()} == {"64"}


def test_kept_checkpoints_of_the_shorter_one_stay(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (only, *_) = trained(Path("a"), "training.keep=log2", "training.steps=8", only=[0])
    trained(Path("b"), only=[0])
    assert memophase("join", "a", "b").exit_code == 0
    status = Results.open("a").verified(only)
    assert status is not None
    assert (status.step, list(status.kept_checkpoints)) == (32, [1, 2, 4, 8])


WRONG = {
    "one folder": (["a"], ["two results folders are needed"]),
    "a folder twice": (["a", "./a"], ["a: is given twice", "./a: is given twice"]),
    "no study": (["a", "nothing"], ["nothing: holds no study"]),
    "another study": (["a", "other"], ["other: holds the study 'other', not 'tiny'"]),
    "garbled": (["a", "garbled"], ["sweep.json: is garbled"]),
    "a listing without its sweep": (["a", "old"], ["old/sweep.json: lacks what its sweep said"]),
    "all at once": (["nothing", "garbled", "a"], ["nothing: holds no", "sweep.json: is garbled"]),
    "a file": (["a", "file"], ["file"]),
    "a target that is another study": (
        ["a", "a2", "--into", "other"],
        ["a: holds the study 'tiny', not 'other'", "a2: holds the study 'tiny', not 'other'"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_joined_is_told_and_nothing_is_written(name: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for where, options in (("a", []), ("a2", []), ("other", ["name=other"])):
        trained(Path(where), *options, only=[])
    for where, text in (
        ("garbled", "{"),
        ("old", json.dumps(json.loads(Path("a/sweep.json").read_text()) | {"sweep": {}})),
    ):
        Path(where).mkdir()
        Path(where, "sweep.json").write_text(text)
    Path("file").write_text("")
    before = files(tmp_path)
    arguments, expected = WRONG[name]
    done = memophase("join", *arguments)
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert len(lines) == len(expected)
    assert all(line.startswith("error: ") for line in lines)
    assert all(any(text in line for line in lines) for text in expected)
    assert files(tmp_path) == before


def test_what_is_being_run_is_left_alone(two):
    with Heartbeat(Results.open("b").store, dict):
        for arguments in (["a", "b"], ["b", "a"], ["a", "b", "--dry-run"]):
            done = memophase("join", *arguments)
            assert done.exit_code == 2
            assert "is being run by process" in done.stderr


def test_progress_is_told(two):
    heard = []
    joining.join(["a", "b"], "c", tell=lambda *each: heard.append(each))
    assert heard == [(k, 4) for k in range(1, 5)]


def test_strings_of_ones_own_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    words = ("".join(letters) for letters in product("abc", repeat=4))
    Path("words.txt").write_text("\n".join(words))
    text = TINY.replace(
        "grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}",
        "corpus: {source: strings, path: words.txt}",
    )
    hashes = trained(Path("a"), text=text, only=[0])
    trained(Path("b"), text=text, only=[1, 2, 3])
    assert memophase("join", "a", "b", "--into", "c").exit_code == 0
    assert files(Path("c", "pools")) == files(Path("b", "pools")) != {}
    assert load_training(f"c/trainings/{hashes[1]}").generate(2).shape == (2, 4)

    (strings,) = Path("b/pools").iterdir()
    strings.unlink()
    again = memophase("join", "a", "b", "--into", "d")
    assert [line for line in again.stdout.splitlines() if "damaged" in line or "missing" in line]
    assert set(Results.open("d").trainings()) == {hashes[0]}
