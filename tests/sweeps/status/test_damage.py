"""Whatever lies in the place of a file of a finished training, nobody is told a wrong number."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis import AnalysisError, Tables, load
from analysis.frames import loading
from study.store import records
from study.store.results import Results
from study.store.status import DamagedTraining, Status
from study.store.storage import Store
from study.training.member import Member
from sweeps import reporting
from sweeps.faults import UsageError
from sweeps.status import study_state
from tests.analysis import synthetic

DAMAGED, OTHER = synthetic.config(seed=0, steps=512), synthetic.config(seed=1, steps=512)
TABLES = [*synthetic.tables(DAMAGED), *synthetic.string_tables(DAMAGED)]
FILES = ["config.json", "status.json", "checkpoint", *TABLES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a study of two trainings, both finished."""
    folder = tmp_path_factory.mktemp("whole")
    for trial in (DAMAGED, OTHER):
        content = {**synthetic.tables(trial), **synthetic.string_tables(trial)}
        weights = trial.hash.encode()
        Results.open(folder).publish(trial, "finished", trial.last_step, content, weights)
    listed = [
        {"hash": t.hash, "seed": t.seed, "label": "", "last_step": t.last_step, "cell": {}}
        for t in (DAMAGED, OTHER)
    ]
    report = {"axes": ["corpus.size"], "facet": None}
    sweep = {"version": 1, "name": "study", "report": report, "trainings": listed}
    (folder / "sweep.json").write_text(json.dumps(sweep))
    return folder


@pytest.fixture(scope="module")
def right(whole: Path) -> Tables:
    """What they say."""
    tables = load(whole)
    return Tables.of({name: tables[name] for name in ("trainings", *TABLES)})


@pytest.fixture
def results(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "results"))


def file_of(results: Path, trial, name: str) -> Path:
    own = results / "trainings" / trial.hash
    return own / name if name.endswith(".json") else next(own.glob(f"{name}-*"))


def replaced(content: bytes) -> Callable[[Path, Path], None]:
    return lambda file, other: _replace(file, lambda: file.write_bytes(content))


def linked(target: str | Path) -> Callable[[Path, Path], None]:
    return lambda file, other: _replace(file, lambda: file.symlink_to(target))


def _replace(file: Path, write: Callable[[], object]) -> None:
    file.unlink()
    write()


KINDS: dict[str, Callable[[Path, Path], object]] = {
    "gone": lambda file, other: file.unlink(),
    "cut": lambda file, other: file.write_bytes(file.read_bytes()[:-9]),
    "as long": lambda file, other: file.write_bytes(b"x" * file.stat().st_size),
    "the other training's": lambda file, other: file.write_bytes(other.read_bytes()),
    "a folder": lambda file, other: _replace(file, file.mkdir),
    "a pipe": lambda file, other: _replace(file, lambda: os.mkfifo(file)),
    "a link to the other training's": lambda file, other: linked(other)(file, other),
    "a link to nothing": linked("nothing"),
    "a link to itself": lambda file, other: linked(file.name)(file, other),
    "an endless device": linked("/dev/zero"),
    "empty": replaced(b""),
    "deep": replaced(b"[" * 100_000 + b"]" * 100_000),
    "a huge integer": replaced(b"9" * 100_000),
    "no text": replaced(b"\xff\xfe\x00"),
    "no document": replaced(b"[null]"),
}


def told(results: Path) -> str:
    """What `status` says of the training; empty where it finds nothing wrong."""
    found = study_state.study_state(str(results))
    assert {t.hash for t, _ in found.troubles} <= {DAMAGED.hash}
    waits = "waiting" if found.counts["waiting"] else ""
    return found.troubles[0][1] if found.troubles else waits


def rows(tables: Tables, name: str) -> pd.DataFrame:
    frame = tables[name]
    return frame[frame["training"] == DAMAGED.hash].reset_index(drop=True)


def assert_named_or_right(results: Path, right: Tables) -> bool:
    """Whether `load` names the training."""
    tables = load(results)
    for name in TABLES:
        read = rows(tables, name)
        if len(read):
            pd.testing.assert_frame_equal(read, rows(right, name))
    named = {problem.training for problem in tables.problems}
    assert named <= {DAMAGED.hash}
    row = rows(tables, "trainings")
    if len(row) and row["state"].item() == "finished":
        pd.testing.assert_frame_equal(row, rows(right, "trainings"))
    return bool(named)


def cases():
    """Every kind of damage to every kind of file; the tables are all read alike."""
    fully = ("config.json", "status.json", "checkpoint", "curves", "strings")
    for name in FILES:
        for kind in KINDS if name in fully else ("as long", "a folder"):
            yield name, kind, False
            if name in ("config.json", "status.json", "curves"):
                yield name, kind, True


@pytest.mark.parametrize(("name", "kind", "indexed"), list(cases()))
def test_damage_is_named_and_no_number_is_wrong(right, results, name, kind, indexed, monkeypatch):
    if indexed:
        monkeypatch.setattr(loading, "FEWEST", 1)
        load(results)
        assert (results / "index").exists()
    KINDS[kind](file_of(results, DAMAGED, name), file_of(results, OTHER, name))
    # The index still has what the file held, and nobody who reads tables needs the checkpoint.
    spared = name == "checkpoint" or (indexed and name in synthetic.tables(DAMAGED))
    named = assert_named_or_right(results, right)
    said = told(results)
    if (name, kind) == ("status.json", "gone"):  # a training without it has not begun
        assert (said, named) == ("waiting", False)
        return
    assert said.startswith("damaged: ")
    assert name in said
    assert "\n" not in said
    assert len(said) < 400
    assert named is not spared
    with pytest.raises(DamagedTraining):
        Results.open(results).verified(DAMAGED.hash)
    member = Member.open(DAMAGED, Results.open(results))  # what `run` does with it
    assert member.status is None


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_named_and_kept(right, results, name, monkeypatch):
    file = file_of(results, DAMAGED, name)
    read = Store.read

    def refused(store: Store, path: str) -> bytes:
        if store.full(path) == str(file):
            raise PermissionError(13, "Permission denied", str(file))
        return read(store, path)

    monkeypatch.setattr(Store, "read", refused)
    assert assert_named_or_right(results, right) is (name != "checkpoint")
    assert told(results) == f"damaged: {file.name} cannot be read: Permission denied"
    with pytest.raises(DamagedTraining, match="Permission denied"):
        Member.open(DAMAGED, Results.open(results))
    assert file.exists()  # it may be whole, so nothing is redone in its place


def leaves(document, path=()):
    if isinstance(document, dict):
        for name, value in document.items():
            yield from leaves(value, (*path, name))
    else:
        yield path


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, float("nan"), "x", [], {}, True])
def test_no_setting_of_a_config_can_be_another(results, value):
    file = file_of(results, DAMAGED, "config.json")
    whole = json.loads(file.read_text())
    for path in leaves(whole):
        if path in (("training", "steps"), ("training", "keep")) and value != {}:
            continue  # they are no part of the identity: the sweep says how long it is to last
        document = json.loads(json.dumps(whole))
        part = document
        for name in path[:-1]:
            part = part[name]
        if part[path[-1]] == value and type(part[path[-1]]) is type(value):
            continue
        part[path[-1]] = value
        file.write_text(json.dumps(document))
        assert [p.training for p in load(results).problems] == [DAMAGED.hash], path
        assert told(results).startswith("damaged: config.json "), path


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
@example("status.json", 0.9, 1)
def test_no_byte_can_be_another(right, results, name, place, change):
    """But for white space in a config, and for its extent, which the sweep says too."""
    file = file_of(results, DAMAGED, name)
    intact = file.read_bytes()
    try:
        data = bytearray(intact)
        data[int(place * len(data))] ^= change
        file.write_bytes(data)
        named, said = assert_named_or_right_but_extent(results, right), told(results)
        assert said.startswith("damaged: ") or name == "config.json"
        assert named == (bool(said) and name != "checkpoint")
    finally:
        file.write_bytes(intact)


def assert_named_or_right_but_extent(results: Path, right: Tables) -> bool:
    tables = load(results)
    for name in ("trainings", *TABLES):
        read, true = (
            rows(each, name).drop(columns=["training.steps", "training.keep"], errors="ignore")
            for each in (tables, right)
        )
        if len(read):
            pd.testing.assert_frame_equal(read, true)
    return DAMAGED.hash in {problem.training for problem in tables.problems}


def test_a_config_of_older_tables_is_not_worked_out(results):
    """Its settings may have had other names and defaults; that is no damage."""
    own = Results.open(results)
    status = own.status(DAMAGED.hash)
    old = json.loads(status.to_bytes()) | {"version": records.VERSION - 1}  # type: ignore[union-attr]
    del old["sha256"]
    rebuilt = Status(**{**old, "files": status.files, "composition": ()})  # type: ignore[union-attr]
    own.store.publish(f"trainings/{DAMAGED.hash}/status.json", rebuilt.to_bytes())
    config = file_of(results, DAMAGED, "config.json")
    config.write_bytes(config.read_bytes().replace(b'"num_timesteps": 50', b'"num_timesteps": 60'))
    assert own.config(DAMAGED.hash).diffusion.num_timesteps == 60


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b"{}", b'{"version": "x"}', None])
def test_a_bad_sweep_json_is_named_by_status_and_report(results, content, caplog):
    file = results / "sweep.json"
    file.unlink()
    file.mkdir() if content is None else file.write_bytes(content)
    for command in (study_state.study_state, lambda where: reporting.write(where, None)):
        with pytest.raises(UsageError, match=r"sweep\.json: "):
            command(str(results))
    assert len(load(results).trainings) == 2
    assert "sweep.json" in caplog.text


def test_a_report_says_which_file_it_could_not_read(results, monkeypatch):
    trainings = results / "trainings"
    shutil.rmtree(trainings)
    trainings.write_text("in the way")
    with pytest.raises(UsageError, match="trainings") as error:
        reporting.write(str(results), None)
    assert "cannot be read" in str(error.value)
    assert "cannot be written" not in str(error.value)
    with pytest.raises(AnalysisError, match="cannot be read"):
        load(results)
