"""The one door to the results: local disks, shared file systems and object stores alike.

A path is relative to the store's root and uses `/`. `publish` is atomic: a reader sees the old
bytes or the new ones, whatever dies in between.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pyarrow.fs as pafs

from study.store.patience import PATIENCE, patiently

PARTIAL = ".partial"
"""How the name ends of a file that is being written."""
AT_A_TIME = 8
"""Files that are sent to the disk or the object store at a time."""

T = TypeVar("T")


class NotAFile(OSError):  # noqa: N818 - what is there, and no failure of the disk
    """Something in the place of a file that no second attempt will read."""


class NoLocation(ValueError):  # noqa: N818 - told to the user as such
    """A text that names no place for results."""


@dataclass(frozen=True)
class Store:
    """A folder on any file system that pyarrow reaches.

    Attributes:
        patience: seconds for which storage that fails in passing is tried again.
    """

    filesystem: pafs.FileSystem
    root: str
    patience: float = 0.0

    @classmethod
    def open(cls, location: str | Path) -> Store:
        """The store at a local path or a URI such as `s3://bucket/results`; nothing is created.

        Raises:
            NoLocation: when the text is empty, or a URI of nothing that can be reached.
        """
        text = str(location)
        if not text.strip() or "\0" in text:
            raise NoLocation(f"{text!r} names no results folder")
        if "://" in text:
            try:
                filesystem, root = pafs.FileSystem.from_uri(text)
            except ValueError as error:
                raise NoLocation(f"{text}: is no place for results ({error})") from None
            return cls(filesystem, root)
        return cls(pafs.LocalFileSystem(), str(Path(text).expanduser().absolute()))

    @property
    def is_local(self) -> bool:
        """Whether the store is a folder of this machine's file system."""
        return isinstance(self.filesystem, pafs.LocalFileSystem)

    def child(self, path: str) -> Store:
        """The store of a folder below this one."""
        return replace(self, root=self.full(path))

    def patient(self) -> Store:
        """The same store, for whom a failure of some seconds is none."""
        return replace(self, patience=PATIENCE)

    def full(self, path: str = "") -> str:
        """The path within the file system."""
        return str(PurePosixPath(self.root, path))

    def read(self, path: str) -> bytes:
        """All bytes of a file.

        Raises:
            FileNotFoundError: when nothing is there.
            NotAFile: when something else is, such as a folder or a link to nothing.
            OSError: when it cannot be read.
        """
        return patiently(lambda: self._read(self.full(path)), self.patience)

    def _read(self, path: str) -> bytes:
        if self.is_local:  # a fifth of what opening an Arrow stream costs
            return _read(Path(path))
        with self.filesystem.open_input_stream(path) as stream:
            return stream.read()

    def size(self, path: str) -> int | None:
        """Bytes of a file; None where there is none."""
        (info,) = self._infos([self.full(path)])
        return info.size if info.type == pafs.FileType.File else None

    def sizes(self, path: str = "") -> dict[str, int]:
        """Name -> bytes of every file directly below a folder; empty if it is missing."""
        infos = self._infos(pafs.FileSelector(self.full(path), allow_not_found=True))
        return {info.base_name: info.size for info in infos if info.type == pafs.FileType.File}

    def names(self, path: str = "") -> list[str]:
        """Names of files and folders directly below a folder, sorted; empty if it is missing."""
        infos = self._infos(pafs.FileSelector(self.full(path), allow_not_found=True))
        return sorted(info.base_name for info in infos)

    def _infos(self, of: list[str] | pafs.FileSelector) -> list[pafs.FileInfo]:
        return patiently(lambda: self.filesystem.get_file_info(of), self.patience)

    def delete(self, path: str) -> None:
        """Delete a file; one that is already gone is no error."""
        full = self.full(path)
        act = Path(full).unlink if self.is_local else lambda: self.filesystem.delete_file(full)
        with suppress(FileNotFoundError):
            patiently(act, self.patience)

    def clear_partial(self, path: str = "") -> None:
        """Delete what processes that died were writing directly below a folder.

        Only for who alone writes there.
        """
        for name in self.names(path):
            if name.startswith(".") and name.endswith(PARTIAL):
                self.delete(f"{path}/{name}" if path else name)

    def remove(self, path: str) -> None:
        """Delete whatever is at a path: a file, a link but not what it points to, a whole folder.

        Where nothing is there it is no error.
        """
        full = self.full(path)
        if self.is_local:
            patiently(lambda: _remove(Path(full)), self.patience)
        elif self._infos([full])[0].type == pafs.FileType.Directory:
            patiently(lambda: self.filesystem.delete_dir(full), self.patience)
        else:
            self.delete(path)

    def publish(self, path: str, data: bytes) -> None:
        """Replace a file in one step: fsync and rename on disks, one PUT on object stores."""
        folder = self.child(str(PurePosixPath(path).parent))
        folder.publish_all({PurePosixPath(path).name: data})

    def publish_all(self, files: Mapping[str, bytes]) -> None:
        """Replace files directly below the root, each in one step and in no order.

        When this returns all of them are durable; the disk is waited for once, not once a file.
        """
        if self.is_local:
            patiently(lambda: _replace(Path(self.root), files), self.patience)
        else:
            patiently(lambda: _several(self._put, files.items()), self.patience)

    def _put(self, file: tuple[str, bytes]) -> None:
        name, data = file
        with self.filesystem.open_output_stream(self.full(name)) as stream:
            stream.write(data)


def _read(path: Path) -> bytes:
    """Opened without waiting: a pipe in the place of a file would hold its reader for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        if path.is_symlink():
            raise NotAFile("a link to nothing") from None
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise NotAFile(error.strerror) from None
        raise
    try:
        if not stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
            raise NotAFile("a folder" if stat.S_ISDIR(mode) else "a device or a pipe")
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write everything, make it durable, and only then give it its name."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = {name: folder / f".{name}.{secrets.token_hex(4)}{PARTIAL}" for name in files}
    try:
        for name, data in files.items():
            partial[name].write_bytes(data)
        _several(_sync, partial.values())  # they share commits of the file system's journal
        for name, file in partial.items():
            file.replace(folder / name)
    except OSError:
        for file in partial.values():
            file.unlink(missing_ok=True)
        raise
    _sync(folder)  # makes the renames durable: a crash must not bring the old files back


def _several(function: Callable[[T], None], items: Collection[T]) -> None:
    """The function of every item, some at a time; raises what the first failure raised."""
    with ThreadPoolExecutor(min(len(items), AT_A_TIME)) as pool:
        list(pool.map(function, items))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
