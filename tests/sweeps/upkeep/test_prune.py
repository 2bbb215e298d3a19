"""A folder loses what a smaller sweep no longer needs, and nothing else."""

import json
import shutil
from itertools import product
from pathlib import Path

import pytest

from analysis import load
from study import load_training
from study.store.results import Results
from study.store.storage import Store
from sweeps.status.heartbeat import Heartbeat
from tests.sweeps.tiny import TINY, contents, memophase
from tests.sweeps.upkeep.studies import files, trained

HERE = ["tiny.yaml", "--results", "r"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    where = tmp_path_factory.mktemp("whole")
    (where / "tiny.yaml").write_text(TINY)
    found = trained(where / "r")
    Results.open(where / "r").store.publish(f"failures/{found[3]}.txt", b"it failed once")
    return where, found


@pytest.fixture
def hashes(whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    where, found = whole
    shutil.copytree(where, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return found


def test_it_says_what_goes_and_deletes_only_when_told_to(hashes: list[str]):
    assert len(load("r")["trainings"]) == 4
    before, smaller = files(Path("r")), [*HERE, "--set", "seeds=1"]
    said = memophase("prune", *smaller)
    assert said.exit_code == 0, said.stderr
    first, *names, last = said.stdout.splitlines()
    assert first.startswith("r: 2 trainings, 0.")
    assert first.endswith("would be deleted; 2 stay")
    assert names == [f"  size={n} seed 1 ({hashes[k]})" for n, k in ((4, 1), (8, 3))]
    assert last == "nothing was deleted; --yes does it"
    assert files(Path("r")) == before

    kept = {name: contents(Path("r"))[name] for name in (hashes[0], hashes[2])}
    done = memophase("prune", *smaller, "--yes")
    assert "2 trainings" in done.stdout
    assert "deleted; 2 stay" in done.stdout
    assert contents(Path("r")) == kept
    assert not Path(f"r/failures/{hashes[3]}.txt").exists()
    told = json.loads(memophase("status", "r", "--json").stdout)
    assert (told["done"], told["total"]) == (2, 2)
    assert sorted(load("r")["trainings"]["training"]) == sorted(kept)
    again = memophase("prune", *smaller, "--yes")
    assert again.stdout == "r: the sweep needs all 2 trainings that are there\n"


def test_what_goes_further_than_the_sweep_asks_stays(hashes: list[str]):
    before = contents(Path("r"))
    done = memophase("prune", *HERE, "--set", "training.steps=8", "--yes")
    assert done.exit_code == 0, done.stderr
    assert contents(Path("r")) == before


def test_one_that_was_cut_off_is_finished_by_the_same_command(hashes: list[str], monkeypatch):
    discard = Results.discard

    def dies(self, training):
        discard(self, training)
        raise KeyboardInterrupt

    smaller = [*HERE, "--set", "grid.corpus.size=[8]", "--yes"]
    with monkeypatch.context() as patched:
        patched.setattr(Results, "discard", dies)
        assert memophase("prune", *smaller).exit_code == 1
    assert json.loads(memophase("status", "r", "--json").stdout)["total"] == 2
    assert memophase("prune", *smaller).exit_code == 0
    assert set(contents(Path("r"))) == set(hashes[2:])


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--results", "nothing"], "nothing: holds no study"),
        (["--results", "r", "--set", "name=other"], "r: holds the study 'tiny', not 'other'"),
        (["--results", "r", "--set", "sedes=1"], "sedes: unknown field"),
        (["--results", "tiny.yaml"], "tiny.yaml"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_wrong_request_deletes_nothing(hashes: list[str], options: list[str], what: str):
    before = files(Path())
    done = memophase("prune", "tiny.yaml", *options, "--yes")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert what in line
    assert files(Path()) == before


OWN = TINY.replace(
    "grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}",
    "corpus: {source: strings, path: words.txt}",
)


@pytest.fixture
def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A folder whose trainings draw from two files of strings; their hashes, one of each file."""
    monkeypatch.chdir(tmp_path)
    words = ["".join(letters) for letters in product("abc", repeat=4)]
    Path("words.txt").write_text("\n".join(words))
    Path("others.txt").write_text("\n".join(word.upper() for word in words[:60]))
    Path("own.yaml").write_text(OWN)
    (old, *_) = trained(Path("r"), text=OWN.replace("words", "others"), only=[0])
    (new, *_) = trained(Path("r"), text=OWN, only=[0])
    return [old, new]


def test_strings_that_nothing_draws_from_go_too(two_files: list[str]):
    _, new = two_files
    before = files(Path("r"))
    prune = ("prune", "own.yaml", "--results", "r")
    said = memophase(*prune)
    assert said.exit_code == 0, said.stderr
    assert said.stdout.startswith("r: 1 trainings and 1 files of strings, 0.")
    assert ": no training that stays draws from it" in said.stdout
    assert files(Path("r")) == before

    assert memophase(*prune, "--yes").exit_code == 0
    assert set(contents(Path("r"))) == {new}
    assert len(list(Path("r/pools").iterdir())) == 1
    assert load_training(f"r/trainings/{new}").generate(2).shape == (2, 4)
    again = memophase(*prune, "--yes")
    assert again.stdout == "r: the sweep needs all 1 trainings that are there\n"


def test_strings_left_by_a_prune_that_was_cut_off_go_with_the_next(two_files, monkeypatch):
    prune = ("prune", "own.yaml", "--results", "r", "--yes")
    remove = Store.remove

    def dies(self, path):
        if path.startswith("pools/"):
            raise KeyboardInterrupt
        remove(self, path)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "remove", dies)
        assert memophase(*prune).exit_code == 1
    assert len(list(Path("r/pools").iterdir())) == 2
    said = memophase(*prune)
    assert said.stdout.startswith("r: 0 trainings and 1 files of strings, 0.")
    assert len(list(Path("r/pools").iterdir())) == 1


def test_what_is_being_run_is_left_alone(hashes: list[str]):
    before = contents(Path("r"))
    with Heartbeat(Results.open("r").store, dict):
        done = memophase("prune", *HERE, "--set", "seeds=1", "--yes")
    assert done.exit_code == 2
    assert "is being run by process" in done.stderr
    assert contents(Path("r")) == before
