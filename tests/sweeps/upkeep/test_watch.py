"""Looking at a study again and again, and at one training of it."""

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from study.store.results import Results
from sweeps.upkeep import watch as watching
from tests.sweeps.tiny import TINY, memophase
from tests.sweeps.upkeep.studies import trained

ALONE = TINY.replace("grid:\n  corpus.size: [4, 8]\n", "").replace(
    "  network:", "  corpus: {size: 4}\n  network:"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """Cells of two axes; one training is waiting, one failed."""
    where = tmp_path_factory.mktemp("study") / "r"
    hashes = trained(where, "grid.network.width=[8,16]", "seeds=1", only=[0, 1])
    results = Results.open(where)
    results.describe(results.config(hashes[0]))
    failed = results.status(hashes[1])
    assert failed is not None
    results.mark(failed, "failed", "MemoryError: out of memory")
    results.store.publish(f"failures/{hashes[1]}.txt", b"Traceback\nMemoryError: out of memory")
    return str(where), hashes


def test_a_pipe_hears_of_every_change_until_all_is_done():
    seen = iter([("a", False), ("a", False), ("b", False), ("c", True)])
    sink = io.StringIO()
    watching.watch(lambda: next(seen), 0.0, Console(file=sink))
    assert sink.getvalue() == "a\n\nb\n\nc\n"


def test_a_terminal_shows_the_last_of_it_in_place():
    seen = iter([("first", False), ("then [red]", False), ("last", True)])
    sink = io.StringIO()
    watching.watch(lambda: next(seen), 0.0, Console(file=sink, force_terminal=True, width=40))
    assert "then [red]" in sink.getvalue()
    assert sink.getvalue().rstrip("\x1b[?25h\n").endswith("last")


def test_status_is_watched_until_the_last_training_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    where = tmp_path / "r"
    trained(where, "grid.corpus.size=[4]", "seeds=1", only=[])

    monkeypatch.setattr(time, "sleep", lambda _: trained(where, "grid.corpus.size=[4]", "seeds=1"))
    watched = memophase("status", str(where), "--watch", "--every", "0.5")
    assert watched.exit_code == 0, watched.stderr
    first, *_, last = watched.stdout.split("\n\n")
    assert "0 of 1 trainings done" in first
    assert "1 of 1 trainings done" in last


def test_a_training_is_told_of_by_the_words_of_its_cell(study):
    where, hashes = study
    told = memophase("log", where, "width=8 size=4")
    assert told.exit_code == 0, told.stderr
    heading, names, *rows = told.stdout.splitlines()
    assert heading == f"size=4 width=8 seed 0 ({hashes[0]}): finished at step 32 of 32"
    assert names.split()[:3] == ["step", "seconds", "training_loss"]
    curves = Results.open(where)
    status = curves.status(hashes[0])
    assert status is not None
    assert [int(row.split()[0]) for row in rows] == curves.table(status, "curves")[
        "step"
    ].to_pylist()
    (document,) = json.loads(memophase("log", where, hashes[0], "--json").stdout)
    assert (document["cell"], document["state"]) == (
        {"corpus.size": 4, "network.width": 8},
        "finished",
    )
    assert document["measured"][-1]["step"] == 32


def test_the_log_of_a_failure_is_shown_and_a_waiting_one_says_so(study):
    where, hashes = study
    told = memophase("log", where, "size=4 width=16", "--seed", "0").stdout
    assert "failed at step 32 of 32" in told
    assert told.endswith(
        "error: MemoryError: out of memory\nthe log of its last failure:\n"
        "Traceback\nMemoryError: out of memory\n"
    )
    waiting = memophase("log", where, "size=8 width=8").stdout
    assert waiting == f"size=8 width=8 seed 0 ({hashes[2]}): waiting at step 0 of 32\n"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["size=4"], "CELL 'size=4': is 2 cells: 'size=4 width=8', 'size=4 width=16'"),
        (["size=5"], "CELL 'size=5': is no cell of"),
        (["size=4 width=8", "--seed", "7"], "--seed: this cell has no seed 7; it has 0"),
    ],
)
def test_what_is_not_one_cell_is_told(study, arguments: list[str], what: str):
    done = memophase("log", study[0], *arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {what}")


def test_the_only_cell_of_a_sweep_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    told = [
        f"the only cell seed {seed} ({hash_}): waiting at step 0 of 32"
        for seed, hash_ in enumerate(trained(tmp_path / "alone", only=[], text=ALONE))
    ]
    assert memophase("log", "alone").stdout == "\n\n".join(told) + "\n"
    lines = memophase("log", "alone", "size=4").stderr.splitlines()
    what = "is no cell of alone; there is one alone, which needs no name"
    assert lines == [f"error: CELL 'size=4': {what}"]


@pytest.mark.parametrize("command", [["log", "nothing", "size=4"], ["status", "nothing"]])
def test_no_study_is_told(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = memophase(*command)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: nothing: holds no study")


def test_watching_too_often_is_refused():
    done = memophase("status", "r", "--watch", "--every", "0.1")
    assert done.exit_code == 2
    assert "--every" in done.stderr
