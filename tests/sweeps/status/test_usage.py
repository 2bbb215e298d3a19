"""What a run did with its processors, added up from its tables."""

import pytest

from study.store import records
from study.store.results import Results
from sweeps.files import spec
from sweeps.status import usage
from tests.sweeps.tiny import TINY


def timing(training: str, rows: list[tuple[int, float, float | None, int]]):
    """Rows of step, seconds of training, of generating, and members; measuring takes 0.5."""
    steps, trained, generated, members = zip(*rows, strict=True)
    return records.table(
        "timing",
        {
            "training": [training] * len(rows),
            "step": steps,
            "training_seconds": trained,
            "generating_seconds": generated,
            "measuring_seconds": [0.5] * len(rows),
            "memory_mib": [None] * len(rows),
            "members": members,
        },
    )


@pytest.fixture
def results(tmp_path) -> Results:
    return Results.open(tmp_path / "results")


def test_seconds_of_a_pack_are_shared_by_its_members(results: Results):
    first, second, third, _ = spec.loads(TINY).trainings
    rows = [(8, 6.0, None, 2), (16, 2.0, 1.0, 2), (32, 4.0, 3.0, 1)]
    for training, own in ((first, rows), (second, rows[:2])):
        tables = {"timing": timing(training.hash, own)}
        results.publish(training.config, "running", own[-1][0], tables, b"")
    steps = {first.hash: 8, second.hash: 8, third.hash: 0}
    found = usage.counted(steps, results, seconds=10.0, slots=2, cpus=1)
    assert (found.training, found.generating, found.measuring) == (6.0, 4.0, 1.0)
    assert found.share == pytest.approx(11 / 20)
    assert str(found) == "55 % of the time of 2 cores went into training and measuring"
    threads = usage.counted(steps, results, seconds=10.0, slots=2, cpus=3)
    assert (threads.cores, threads.share) == (6, found.share)


def test_it_is_kept_and_read_back(results: Results):
    assert usage.last(results) is None
    kept = usage.Usage(10.0, 2, 6.0, 4.0, 1.0)
    usage.publish(kept, results)
    assert usage.last(results) == kept
    results.store.publish(usage.FILE, b"{")
    assert usage.last(results) is None
