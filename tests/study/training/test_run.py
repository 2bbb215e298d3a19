"""Whole trainings: determinism, resume, packs, damage and the published tables."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest
import torch

from study.kernels.threads import on_threads
from study.store import records
from study.store.results import FOLDER, Results
from study.store.status import DamagedTraining
from study.training.checkpoints import read_checkpoint
from study.training.run import powers_of_two, run_pack
from tests.study.small import small


def bytes_of(folder: Path, config) -> dict[str, str]:
    """Table name -> digest of its published bytes, `timing` aside."""
    results = Results.open(folder)
    status = results.verified(config.hash)
    assert status is not None
    return {
        name: hashlib.sha256(results.read(status, name)).hexdigest()
        for name in records.SCHEMAS
        if name != "timing"
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """`small()` alone, from the start to its end at step 32."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run_pack([small()], Results.open(folder))
    return folder


def test_every_table_is_published_with_its_rows(undisturbed):
    results, config = Results.open(undisturbed), small()
    status = results.verified(config.hash)
    assert status is not None
    assert (status.state, status.step) == ("finished", 32)
    tables = {name: results.table(status, name).to_pandas() for name in records.SCHEMAS}
    assert tables["curves"].step.tolist() == [8, 16, 32]
    assert len(tables["strings"]) == 80
    assert set(tables["levels"].level) == {0, 1, 2}
    assert tables["noise"].groupby("step").size().tolist() == [10, 10, 10]
    assert tables["samples"].groupby("step").size().tolist() == [20, 20, 20]
    assert (tables["timing"].training_seconds > 0).all()
    assert all((frame.training == config.hash).all() for frame in tables.values())


def test_the_same_config_twice_gives_the_same_bytes(undisturbed, tmp_path):
    run_pack([small()], Results.open(tmp_path))
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


@pytest.mark.parametrize("threads", [1, 2])
def test_tables_do_not_depend_on_company_or_threads(undisturbed, tmp_path, threads):
    companions = [small(seed=s, corpus__size=10 + 7 * s) for s in range(1, 8)]
    companions[0] = small(seed=1, grammar__zipf={}, training__steps=16)
    pack = [*companions[:3], small(), *companions[3:]]
    run_pack(pack, Results.open(tmp_path), threads=threads)
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


@pytest.mark.parametrize("stop", [8, 16])
def test_a_training_stopped_anywhere_goes_on_as_if_nothing_had_happened(
    undisturbed, tmp_path, stop
):
    def cut(step: int, _parameters: dict) -> None:
        if step == stop:
            raise KeyboardInterrupt

    results = Results.open(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_pack([small()], results, report=cut)
    status = results.status(small().hash)
    assert status is not None
    assert (status.state, status.step) == ("running", stop)
    run_pack([small()], results)
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


def test_raising_the_steps_continues_and_equals_the_longer_training(undisturbed, tmp_path):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=20)], results)
    status = results.status(small().hash)
    assert status is not None
    assert (status.state, status.step) == ("finished", 16)
    seen = []
    run_pack([small()], results, report=lambda step, _: seen.append(step))
    assert seen == [32]
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


def test_the_threads_of_the_caller_come_back(undisturbed, tmp_path):
    seen = []
    with on_threads(2):
        run_pack(
            [small()],
            Results.open(tmp_path),
            threads=1,
            report=lambda *_: seen.append(torch.get_num_threads()),
        )
        assert torch.get_num_threads() == 2
    assert set(seen) == {1}
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


def test_a_finished_training_is_not_trained_again(undisturbed):
    seen = []
    before = sorted(undisturbed.rglob("*"))
    run_pack([small()], Results.open(undisturbed), report=lambda step, _: seen.append(step))
    assert seen == []
    assert sorted(undisturbed.rglob("*")) == before


def test_members_at_different_steps_catch_up_and_go_on_together(undisturbed, tmp_path):
    """As after a crash between the publications of two members."""
    results = Results.open(tmp_path)
    run_pack([small(training__steps=8)], results)
    run_pack([small(seed=1, training__steps=16)], results)
    reports = []
    run_pack(
        [small(), small(seed=1), small(seed=2)],
        results,
        report=lambda step, parameters: reports.append((step, len(parameters))),
    )
    assert reports == [(8, 1), (16, 2), (32, 3)]
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


@pytest.mark.parametrize("victim", ["curves", "checkpoint", "status", "config"])
@pytest.mark.parametrize("damage", ["truncated", "garbled", "gone"])
def test_damage_is_detected_redone_and_said(undisturbed, tmp_path, caplog, victim, damage):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=8)], results)
    folder = tmp_path / FOLDER / small().hash
    (file,) = folder.glob(f"{victim}*")
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(data[: len(data) // 2])
    else:
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    with caplog.at_level(logging.WARNING):
        run_pack([small()], results)
    if (victim, damage) != ("status", "gone"):  # without a status there is nothing to be damaged
        assert f"training {small().hash} is damaged" in caplog.text
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


def test_files_that_the_status_does_not_name_do_not_exist(undisturbed, tmp_path):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=8)], results)
    folder = tmp_path / FOLDER / small().hash
    (folder / "curves-000000016.parquet").write_bytes(b"half-writ")
    (folder / "checkpoint-000000016.pt").write_bytes(b"half-writ")
    run_pack([small()], results)
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())
    assert len(list(folder.iterdir())) == len(records.SCHEMAS) + 3


def test_a_disk_that_fills_up_costs_no_published_step(undisturbed, tmp_path, monkeypatch):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=8)], results)
    import study.store.storage

    real, written = study.store.storage.os.fsync, []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(study.store.storage.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run_pack([small()], results)
    monkeypatch.undo()
    status = results.verified(small().hash)
    assert status is not None
    assert status.step == 8
    run_pack([small()], results)
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


def test_a_diverged_member_is_frozen_and_its_companions_go_on(undisturbed, tmp_path):
    results = Results.open(tmp_path)
    wild = small(seed=1)
    run_pack([small(training__steps=8), small(seed=1, training__steps=8)], results)
    poison(results, wild)
    statuses = run_pack([small(), wild], results)
    assert [(status.state, status.step) for status in statuses] == [
        ("finished", 32),
        ("diverged", 16),
    ]
    assert "not finite" in str(statuses[1].error)
    assert results.table(statuses[1], "curves")["step"].to_pylist() == [8]
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())
    seen = []
    run_pack([wild], results, report=lambda step, _: seen.append(step))
    assert seen == []


def poison(results: Results, config) -> None:
    """Publish the same step with weights that are not numbers."""
    import io

    status = results.status(config.hash)
    assert status is not None
    document = read_checkpoint(results.read(status, "checkpoint"))
    document["weights"].fill_(float("nan"))
    sink = io.BytesIO()
    torch.save(document, sink)
    results.publish(config, "running", status.step, results.tables(status), sink.getvalue())


SPARSE = {"measurement__likelihood_per_octave": 2}
"""Likelihood at steps where nothing is generated, too: 8, 11, 16, 23, 32."""


def test_steps_without_generation_have_null_where_strings_decide(tmp_path):
    results = Results.open(tmp_path)
    reported = {}
    config = small(**SPARSE, grammar__depth=3)
    (status,) = run_pack([config], results, report=lambda s, p: reported.update({s: p}))
    tables = {name: results.table(status, name).to_pandas() for name in records.SCHEMAS}
    curves = tables["curves"].set_index("step")
    assert curves.index.tolist() == [8, 11, 16, 23, 32]
    decided = ["copy_fraction", "excess_copies", "root_validity", "novel_validity", "excess_fit"]
    assert curves.loc[[11, 23], decided].isna().all(axis=None)
    assert curves.loc[[8, 16, 32], decided].notna().all(axis=None)
    known = ["batch_loss", "training_loss", "heldout_loss", "memorizer_loss", "memorized_excess"]
    assert curves[known].notna().all(axis=None)
    levels = tables["levels"]
    assert levels.groupby("step").size().tolist() == [4] * 5
    assert levels[levels.step == 11].validity.isna().all()
    strata = tables["typicality"]
    assert strata[strata.step == 11].emission_excess.isna().all()
    assert strata[strata.step == 11][["mean_log_p", "n_training"]].notna().all(axis=None)
    assert strata.memorized_excess.notna().all()
    for name in ("rules", "samples"):
        assert set(tables[name].step) == {8, 16, 32}
    assert set(tables["noise"].step) == set(tables["likelihood"].step) == set(curves.index)
    timing = tables["timing"].set_index("step").generating_seconds
    assert timing.isna().tolist() == [False, True, False, True, False]
    assert reported[11][config.hash]["excess_copies"] is None
    assert reported[11][config.hash]["strata"][0]["emission_excess"] is None


def test_denser_likelihood_changes_neither_training_nor_generation(undisturbed, tmp_path):
    dense = small(**SPARSE)
    results = Results.open(tmp_path)
    (status,) = run_pack([dense], results)
    mine = results.table(status, "emissions").to_pandas()
    published = Results.open(undisturbed)
    others = published.table(published.status(small().hash), "emissions").to_pandas()
    assert mine.drop(columns="training").equals(others.drop(columns="training"))


def test_members_of_unlike_corpora_share_their_schedule(tmp_path):
    pack = [small(**SPARSE, corpus__size=n) for n in (10, 40, 60)]
    statuses = run_pack(pack, Results.open(tmp_path))
    assert {status.step for status in statuses} == {32}


@pytest.mark.parametrize("stop", [8, 11, 16])
def test_kept_checkpoints_survive_a_stop_and_are_those_of_an_undisturbed_run(tmp_path, stop):
    config = small(**SPARSE, training__keep="log2")
    whole, cut = Results.open(tmp_path / "whole"), Results.open(tmp_path / "cut")
    (status,) = run_pack([config], whole)
    assert list(status.kept_checkpoints) == [1, 2, 4, 8, 16, 32]

    def interrupt(step: int, _parameters: dict) -> None:
        if step == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pack([config], cut, report=interrupt)
    (resumed,) = run_pack([config, small(**SPARSE, seed=1)], cut)[:1]
    assert list(resumed.kept_checkpoints) == [1, 2, 4, 8, 16, 32]
    for name in resumed.kept_checkpoints.values():
        mine, others = (read_checkpoint(r.read(resumed, name)) for r in (cut, whole))
        assert mine["step"] == others["step"]
        assert all(mine[key].equal(others[key]) for key in mine if key != "step")
    files = {file.name for file in (tmp_path / "cut" / FOLDER / config.hash).glob("*.pt")}
    assert files == {f"checkpoint-{2**k:09d}.pt" for k in range(6)}


def test_what_is_kept_changes_no_table(undisturbed, tmp_path):
    assert small(training__keep="log2").hash == small().hash
    run_pack([small(training__keep="log2")], Results.open(tmp_path))
    assert bytes_of(tmp_path, small()) == bytes_of(undisturbed, small())


def test_checkpoints_no_longer_wanted_go(tmp_path):
    results = Results.open(tmp_path)
    run_pack([small(training__keep="log2", training__steps=16)], results)
    (status,) = run_pack([small()], results)
    assert status.kept_checkpoints == {}
    assert len(list((tmp_path / FOLDER / small().hash).glob("*.pt"))) == 1


def test_unlike_trainings_cannot_share_a_pack(tmp_path):
    with pytest.raises(ValueError, match="equal shapes"):
        run_pack([small(), small(network__width=16)], Results.open(tmp_path))


def test_measuring_more_often_does_not_change_the_training(tmp_path):
    checkpoints = []
    for per_octave in (1, 4):
        config = small(measurement__per_octave=per_octave)
        results = Results.open(tmp_path)
        (status,) = run_pack([config], results)
        checkpoints.append(read_checkpoint(results.read(status, "checkpoint")))
    assert checkpoints[0]["weights"].equal(checkpoints[1]["weights"])


@pytest.mark.parametrize(
    ("after", "until", "powers"),
    [(0, 1, [1]), (0, 9, [1, 2, 4, 8]), (8, 16, [16]), (9, 15, []), (5, 40, [8, 16, 32])],
)
def test_powers_of_two_between_steps(after, until, powers):
    assert powers_of_two(after, until) == powers


def test_order_parameters_reach_the_scheduler(tmp_path):
    seen = {}
    configs = [small(seed=1), small(seed=4)]
    run_pack(configs, Results.open(tmp_path), report=lambda s, p: seen.update({s: p}))
    assert set(seen) == {8, 16, 32}
    parameters = seen[32][configs[0].hash]
    assert 0 <= parameters["copy_fraction"] <= 1
    assert parameters["strata"][0]["mean_log_p"] > parameters["strata"][-1]["mean_log_p"]


def test_a_status_of_another_training_is_damage(undisturbed, tmp_path):
    results = Results.open(tmp_path)
    run_pack([small(training__steps=8)], results)
    other = small(seed=9).hash
    (tmp_path / FOLDER / other).mkdir()
    data = (tmp_path / FOLDER / small().hash / "status.json").read_bytes()
    (tmp_path / FOLDER / other / "status.json").write_bytes(data)
    with pytest.raises(DamagedTraining, match="that of training"):
        results.status(other)
