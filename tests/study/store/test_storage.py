from __future__ import annotations

import pyarrow.fs as pafs
import pytest

from study.store.storage import Store


@pytest.fixture(params=["local", "uri", "object store"])
def store(request, tmp_path) -> Store:
    if request.param == "local":
        return Store.open(tmp_path / "results")
    if request.param == "uri":
        return Store.open(f"file://{tmp_path}/results")
    memory = pafs._MockFileSystem()  # pyarrow's own stand-in for a store without renames
    memory.create_dir("results/deep/er")
    return Store(memory, "results")


def test_published_bytes_come_back_and_are_replaced_whole(store):
    store.publish("deep/er/file", b"old")
    store.publish("deep/er/file", b"newer")
    assert store.read("deep/er/file") == b"newer"
    assert store.size("deep/er/file") == 5
    assert store.names("deep/er") == ["file"]
    assert store.child("deep").read("er/file") == b"newer"


def test_what_is_missing_is_said_plainly(store):
    assert store.size("nothing") is None
    assert store.names("nowhere") == []
    store.delete("nothing")
    with pytest.raises(FileNotFoundError):
        store.read("nothing")


def test_a_failed_write_leaves_the_old_file_and_no_partial_one(tmp_path, monkeypatch):
    store = Store.open(tmp_path)
    store.publish("file", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("study.store.storage.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.publish("file", b"new")
    assert store.read("file") == b"old"
    assert store.names() == ["file"]


def test_several_files_are_published_together(store):
    store.publish("deep/er/a", b"old")
    store.child("deep/er").publish_all({"a": b"new", "b": b"", "c": b"more"})
    assert [store.read(f"deep/er/{name}") for name in "abc"] == [b"new", b"", b"more"]
    assert store.names("deep/er") == ["a", "b", "c"]


def test_of_several_files_none_is_replaced_before_all_are_durable(tmp_path, monkeypatch):
    store = Store.open(tmp_path)
    store.publish_all({"a": b"old", "b": b"old"})
    synced = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("study.store.storage.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.publish_all({"a": b"new", "b": b"new"})
    assert [store.read(name) for name in "ab"] == [b"old", b"old"]
    assert store.names() == ["a", "b"]
