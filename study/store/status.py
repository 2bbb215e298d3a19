"""What a training folder holds, as its `status.json` says it: the only commit point."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from study.store import records

State = Literal["running", "finished", "diverged", "failed"]

KEPT = "checkpoint."
"""What the names of kept checkpoints begin with."""

GARBLED = (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError)
"""What reading a document raises that is not what was written."""


class DamagedTraining(ValueError):  # noqa: N818 - a state of the disk, told to the user as such
    """A training folder whose files are not the ones that its status names."""


class UnreadableTraining(DamagedTraining):
    """A training folder with a file that cannot be read, which may be whole: nothing is redone."""


@dataclass(frozen=True)
class Entry:
    """One file of a published step."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """What a training folder holds: the content of its `status.json`.

    Attributes:
        state: `running` until the last step of its extent, then `finished`; `diverged` when its
            loss is no longer finite; `failed` when its code raised, with `error`.
        step: the last published step; 0 before the first measurement.
        files: table name -> file; the last checkpoint is `checkpoint`, a kept one
            `checkpoint.<step>`.
        composition: hashes of the pack on devices where results may depend on it; else empty.
    """

    training: str
    state: State
    step: int
    files: dict[str, Entry] = field(default_factory=dict)
    composition: tuple[str, ...] = ()
    error: str | None = None
    version: int = records.VERSION

    @property
    def kept_checkpoints(self) -> dict[int, str]:
        """Step -> name, in `files`, of every kept checkpoint, rising."""
        names = (name for name in self.files if name.startswith(KEPT))
        return dict(sorted((int(name.removeprefix(KEPT)), name) for name in names))

    def is_done(self, last_step: int) -> bool:
        """Whether nothing is left of a training that is to end at a step."""
        return self.state == "diverged" or self.step >= last_step

    def to_bytes(self) -> bytes:
        """JSON with a checksum of its own, so that damage to any digit shows."""
        document = asdict(self)
        return json_bytes({**document, "sha256": digest(json_bytes(document))})

    @classmethod
    def from_bytes(cls, data: bytes) -> Status:
        """The status in a `status.json`.

        Raises:
            DamagedTraining: when the bytes are not what was published.
        """
        try:
            document = json.loads(data)
            checksum = document.pop("sha256")
            if checksum != digest(_without_checksum(data, checksum)):
                raise DamagedTraining("status.json does not match its checksum")
            files = {name: Entry(**entry) for name, entry in document.pop("files").items()}
            composition = tuple(document.pop("composition"))
            return cls(**document, files=files, composition=composition)
        except DamagedTraining:
            raise
        except GARBLED as error:
            raise DamagedTraining("status.json is garbled") from error


def _without_checksum(data: bytes, checksum: str) -> bytes:
    """The bytes that a status is the checksum of: its own, less the line of the checksum."""
    return data.replace(f' "sha256": "{checksum}",\n'.encode(), b"", 1)


def json_bytes(document: Any) -> bytes:
    """The bytes in which a JSON document is published."""
    return (json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def digest(data: bytes) -> str:
    """The checksum of a published file."""
    return hashlib.sha256(data).hexdigest()
