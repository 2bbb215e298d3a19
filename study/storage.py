"""The one door to the results: local disks, shared file systems and object stores alike.

A path is relative to the store's root and uses `/`. `publish` is atomic: a reader sees the old
bytes or the new ones, whatever dies in between.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow.fs as pafs


@dataclass(frozen=True)
class Store:
    """A folder on any file system that pyarrow reaches."""

    filesystem: pafs.FileSystem
    root: str

    @classmethod
    def open(cls, location: str | Path) -> Store:
        """The store at a local path or a URI such as `s3://bucket/results`; nothing is created."""
        text = str(location)
        if "://" in text:
            filesystem, root = pafs.FileSystem.from_uri(text)
            return cls(filesystem, root)
        return cls(pafs.LocalFileSystem(), str(Path(text).expanduser().absolute()))

    @property
    def is_local(self) -> bool:
        """Whether the store is a folder of this machine's file system."""
        return isinstance(self.filesystem, pafs.LocalFileSystem)

    def child(self, path: str) -> Store:
        """The store of a folder below this one."""
        return Store(self.filesystem, self.full(path))

    def full(self, path: str = "") -> str:
        """The path within the file system."""
        return str(PurePosixPath(self.root, path))

    def read(self, path: str) -> bytes:
        """All bytes of a file.

        Raises:
            FileNotFoundError: when there is no such file.
        """
        with self.filesystem.open_input_stream(self.full(path)) as stream:
            return stream.read()

    def size(self, path: str) -> int | None:
        """Bytes of a file; None where there is none."""
        info = self.filesystem.get_file_info(self.full(path))
        return info.size if info.type == pafs.FileType.File else None

    def names(self, path: str = "") -> list[str]:
        """Names of files and folders directly below a folder, sorted; empty if it is missing."""
        selector = pafs.FileSelector(self.full(path), allow_not_found=True)
        return sorted(info.base_name for info in self.filesystem.get_file_info(selector))

    def delete(self, path: str) -> None:
        """Delete a file; one that is already gone is no error."""
        try:
            self.filesystem.delete_file(self.full(path))
        except FileNotFoundError:
            return

    def publish(self, path: str, data: bytes) -> None:
        """Replace a file in one step: fsync and rename on disks, one PUT on object stores."""
        if self.is_local:
            self._publish_locally(Path(self.full(path)), data)
            return
        with self.filesystem.open_output_stream(self.full(path)) as stream:
            stream.write(data)

    def _publish_locally(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
        try:
            with partial.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; a crash right after it must not bring the old file back."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
