"""Storage that fails for some seconds is waited for; what lasts is told at once."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest

from study.store import patience, storage
from study.store.patience import PATIENCE, passes, patiently
from study.store.storage import NotAFile, Store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that only sleeping moves."""
    time = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        time.now += seconds

    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: time.now, sleep=sleep))
    return time


def failing_for(seconds: float, clock: SimpleNamespace, error: OSError):
    def act() -> str:
        if clock.now < seconds:
            raise error
        return "done"

    return act


def test_an_outage_of_twenty_seconds_is_waited_for(clock):
    act = failing_for(20, clock, OSError(errno.EIO, "Input/output error"))
    assert patiently(act, PATIENCE) == "done"
    assert 20 <= clock.now < 26


def test_one_that_lasts_is_told_after_a_minute(clock):
    with pytest.raises(OSError, match="Stale"):
        patiently(failing_for(1e9, clock, OSError(errno.ESTALE, "Stale file handle")), PATIENCE)
    assert clock.now == pytest.approx(PATIENCE)


def test_without_patience_nothing_is_waited_for(clock):
    with pytest.raises(OSError, match="Input"):
        patiently(failing_for(1, clock, OSError(errno.EIO, "Input/output error")), 0.0)
    assert clock.now == 0.0


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EACCES, "Permission denied"),
        OSError(errno.EROFS, "Read-only file system"),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        NotAFile("a folder"),
        OSError("When reading key 'x' in bucket 'b': AWS Error ACCESS_DENIED during GetObject"),
    ],
    ids=str,
)
def test_what_lasts_is_told_at_once(clock, error: OSError):
    with pytest.raises(OSError, match=r".") as told:
        patiently(failing_for(1, clock, error), PATIENCE)
    assert told.value is error
    assert clock.now == 0.0


@pytest.mark.parametrize(
    "said",
    [
        "When getting information for key: AWS Error NETWORK_CONNECTION during HeadObject "
        "operation: curlCode: 7, Couldn't connect to server",
        "When completing multiple part upload: AWS Error SLOW_DOWN during PutObject operation",
    ],
)
def test_object_stores_say_it_in_words(said: str):
    assert passes(OSError(said))


def test_every_way_through_the_door_is_patient(tmp_path, monkeypatch, clock):
    """Each fails at its first call, as if the network were gone for a moment."""
    store = Store.open(tmp_path).patient()
    failed: list[str] = []

    def once(name: str, whole):
        def act(*arguments, **options):
            if name not in failed:
                failed.append(name)
                raise OSError(errno.EIO, "Input/output error")
            return whole(*arguments, **options)

        return act

    for name in ("_replace", "_read", "_remove"):
        monkeypatch.setattr(storage, name, once(name, getattr(storage, name)))
    store.child("deep").publish("file", b"data")
    assert store.read("deep/file") == b"data"
    store.remove("deep")
    assert store.names() == []
    assert failed == ["_replace", "_read", "_remove"]
