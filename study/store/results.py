"""The results folder: one folder per training, one commit point per folder.

    <results>/pools/<sha256>.parquet                 strings of one's own that trainings draw from
              trainings/<hash>/config.json           what was trained
                               <table>-<step>.parquet
                               checkpoint-<step>.pt     the last, and kept ones
                               status.json           names the files that count

`status.json` is published last and names size and SHA-256 of every file of one step; a file that
it does not name does not exist. Whatever dies, the last published step stays whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from study.config import TrialConfig
from study.corpus.pool import DamagedPool, Pool
from study.store import records
from study.store.status import (
    GARBLED,
    KEPT,
    DamagedTraining,
    Entry,
    State,
    Status,
    UnreadableTraining,
    digest,
    json_bytes,
)
from study.store.storage import NotAFile, Store

FOLDER = "trainings"
POOLS = "pools"
SAID = 200
"""Letters of a fault that are told."""


@dataclass(frozen=True)
class Results:
    """The trainings in one results folder."""

    store: Store

    @classmethod
    def open(cls, location: str | Path) -> Results:
        """The results at a path or URI; nothing is created or read yet."""
        return cls(Store.open(location))

    def patient(self) -> Results:
        """The same results, for whom a failure of the storage of some seconds is none."""
        return Results(self.store.patient())

    def trainings(self) -> list[str]:
        """Hashes of the trainings that have a folder, sorted."""
        return [name for name in self.store.names(FOLDER) if not name.startswith(".")]

    def status(self, training: str) -> Status | None:
        """The published status; None where the training has none yet.

        Raises:
            DamagedTraining: when the status is garbled or belongs to another training.
        """
        try:
            status = Status.from_bytes(self._bytes(training, "status.json"))
        except FileNotFoundError:
            return None
        if status.training != training:
            raise DamagedTraining(f"status.json is that of training {status.training}")
        return status

    def verified(self, training: str, config: TrialConfig | None = None) -> Status | None:
        """The status, after every file that it names was read and matched.

        config: the training's, where it is known; a `config.json` that says the same need not have
        its identity worked out again.

        Raises:
            DamagedTraining: naming the first file that is missing or differs.
        """
        status = self.status(training)
        if status is not None and status.files:
            document = self._config_document(training)
            if config is None or document != config.to_dict():
                self._config(training, document)
            for name in status.files:
                self.read(status, name)
        return status

    def measured(self, training: str) -> Status | None:
        """The status, after every file that it names was found with its size; none is opened.

        Raises:
            DamagedTraining: naming the first file that is missing or differs.
        """
        status = self.status(training)
        if status is not None and status.files:
            try:
                sizes = self.store.sizes(f"{FOLDER}/{training}")
            except OSError as error:
                raise UnreadableTraining(f"its folder cannot be read: {error}") from error
            if "config.json" not in sizes:
                raise DamagedTraining("config.json is missing")
            for entry in status.files.values():
                if sizes.get(entry.name) != entry.size:
                    what = "does not have its size" if entry.name in sizes else "is missing"
                    raise DamagedTraining(f"{entry.name} {what}")
        return status

    def read(self, status: Status, name: str) -> bytes:
        """The bytes of a table or the checkpoint of a published step.

        Raises:
            DamagedTraining: when the file is missing or is not the one that was published.
        """
        entry = status.files[name]
        try:
            data = self._bytes(status.training, entry.name)
        except FileNotFoundError:
            raise DamagedTraining(f"{entry.name} is missing") from None
        if len(data) != entry.size or digest(data) != entry.sha256:
            raise DamagedTraining(f"{entry.name} does not match its checksum")
        return data

    def table(self, status: Status, name: str) -> pa.Table:
        """A table of a published step, in today's schema; empty if none was published."""
        if name not in status.files:
            return records.SCHEMAS[name].empty_table()
        data = self.read(status, name)
        try:
            return records.from_bytes(name, data)
        except (pa.ArrowException, *GARBLED) as error:
            if isinstance(error, records.RecordsError):
                raise
            raise DamagedTraining(f"{status.files[name].name} is garbled: {error}") from error

    def tables(self, status: Status) -> dict[str, pa.Table]:
        """Every table of a published step by name."""
        return {name: self.table(status, name) for name in status.files if name in records.SCHEMAS}

    def config(self, training: str) -> TrialConfig:
        """The configuration of a training.

        Raises:
            DamagedTraining: when `config.json` is missing, garbled or that of another training.
        """
        return self._config(training, self._config_document(training))

    def has_config(self, training: str) -> bool:
        """Whether anything stands in the place of `config.json`; nothing does before a training."""
        try:
            self._bytes(training, "config.json")
        except FileNotFoundError:
            return False
        except DamagedTraining:
            return True
        return True

    def _bytes(self, training: str, name: str) -> bytes:
        """A file of a training.

        Raises:
            FileNotFoundError: when nothing is there.
            DamagedTraining: when it cannot be read.
        """
        try:
            return self.store.read(f"{FOLDER}/{training}/{name}")
        except FileNotFoundError:
            raise
        except NotAFile as error:
            raise DamagedTraining(f"{name} is no file: {error}") from error
        except OSError as error:
            what = f"{name} cannot be read: {error.strerror or error}"
            raise UnreadableTraining(what) from error

    def _config_document(self, training: str) -> Any:
        try:
            data = self._bytes(training, "config.json")
        except FileNotFoundError:
            raise DamagedTraining("config.json is missing") from None
        try:
            return json.loads(data)
        except GARBLED as error:
            raise DamagedTraining(f"config.json is garbled: {_short(error)}") from error

    def _config(self, training: str, document: Any) -> TrialConfig:
        """The configuration in a document, which must be that of the training.

        The identity of a training whose tables are of an older version is not worked out: its
        settings may have been others.
        """
        try:
            config = TrialConfig.from_dict(document)
        except GARBLED as error:
            raise DamagedTraining(f"config.json is garbled: {_short(error)}") from error
        if not config.is_identified_by(training):
            status = self.status(training)
            if status is None or status.version == records.VERSION:
                raise DamagedTraining("config.json is not that of this training")
        return config

    def publish(
        self,
        config: TrialConfig,
        state: State,
        step: int,
        tables: Mapping[str, pa.Table],
        checkpoint: bytes,
        composition: tuple[str, ...] = (),
        error: str | None = None,
        kept_checkpoints: Mapping[int, bytes | Entry] | None = None,
    ) -> Status:
        """Publish one step of a training: files first, the status last, old files then go.

        kept_checkpoints: by step, further checkpoints to publish, or published ones to keep.
        """
        training = config.hash
        folder = self.store.child(f"{FOLDER}/{training}")
        contents = {
            name: (f"{name}-{step:09d}.parquet", records.to_bytes(content))
            for name, content in tables.items()
        }
        contents["checkpoint"] = (_checkpoint_file(step), checkpoint)
        files = {}
        for kept_step, content in (kept_checkpoints or {}).items():
            if isinstance(content, Entry):
                files[f"{KEPT}{kept_step}"] = content
            else:
                contents[f"{KEPT}{kept_step}"] = (_checkpoint_file(kept_step), content)
        for name, (file, data) in contents.items():
            files[name] = Entry(file, len(data), digest(data))
        folder.publish_all({"config.json": json_bytes(config.to_dict()), **dict(contents.values())})
        status = Status(
            training=training,
            state=state,
            step=step,
            files=files,
            composition=composition,
            error=error,
        )
        folder.publish("status.json", status.to_bytes())
        self._sweep(training, status)
        return status

    def pool(self, config: TrialConfig) -> Pool | None:
        """The strings that a training draws its corpus from; None where a grammar makes them.

        Raises:
            DamagedTraining: when they are not there or are not those of the configuration.
        """
        if config.pool is None:
            return None
        sha256 = config.pool.sha256
        try:
            return Pool.from_bytes(self.store.read(_pool_file(sha256)), sha256)
        except FileNotFoundError:
            what = f"its strings, {_pool_file(sha256)}, are missing"
            raise DamagedTraining(what) from None
        except (NotAFile, DamagedPool) as error:
            raise DamagedTraining(f"its strings, {_pool_file(sha256)}: {error}") from error
        except OSError as error:
            what = f"its strings, {_pool_file(sha256)}, cannot be read: {error}"
            raise UnreadableTraining(what) from error

    def hold(self, pool: Pool) -> None:
        """Keep the strings that trainings will draw from; what is there whole stays."""
        path = _pool_file(pool.sha256)
        try:
            Pool.from_bytes(self.store.read(path), pool.sha256)
        except (FileNotFoundError, NotAFile, DamagedPool):
            self.store.publish(path, pool.to_bytes())

    def spare_pools(self, configs: Iterable[TrialConfig]) -> dict[str, int]:
        """Strings that are kept and that none of some trainings draw from: path -> bytes."""
        drawn = {_pool_file(each.pool.sha256) for each in configs if each.pool is not None}
        kept = {f"{POOLS}/{name}": size for name, size in self.store.sizes(POOLS).items()}
        return {path: size for path, size in kept.items() if path not in drawn}

    def hold_pools(self, configs: Iterable[TrialConfig], others: Results) -> None:
        """Keep the strings of some trainings that other results hold."""
        known = {config.pool.sha256: config for config in configs if config.pool is not None}
        for config in known.values():
            if (pool := others.pool(config)) is not None:
                self.hold(pool)

    def adopt(self, status: Status, config: bytes, files: Mapping[str, bytes]) -> None:
        """Publish a training as another folder holds it, in the order of `publish`.

        config: the bytes of its `config.json`.
        files: those of what the status names that is not here yet, by their names there.
        """
        folder = self.store.child(f"{FOLDER}/{status.training}")
        contents = {status.files[name].name: data for name, data in files.items()}
        folder.publish_all({"config.json": config, **contents})
        folder.publish("status.json", status.to_bytes())
        self._sweep(status.training, status)

    def describe(self, config: TrialConfig) -> None:
        """Publish what a training is to be, before anything of it is."""
        path = f"{FOLDER}/{config.hash}/config.json"
        self.store.publish(path, json_bytes(config.to_dict()))

    def mark(self, status: Status, state: State, error: str | None = None) -> Status:
        """Publish another state for what is already there."""
        marked = replace(status, state=state, error=error)
        self.store.publish(f"{FOLDER}/{status.training}/status.json", marked.to_bytes())
        return marked

    def discard(self, training: str) -> None:
        """Remove everything of a training, its status first."""
        self.store.remove(f"{FOLDER}/{training}/status.json")
        self.store.remove(f"{FOLDER}/{training}")

    def _sweep(self, training: str, status: Status) -> None:
        """Delete the files that the status does not name."""
        kept = {entry.name for entry in status.files.values()} | {"config.json", "status.json"}
        folder = self.store.child(f"{FOLDER}/{training}")
        for name in folder.names():
            if name not in kept:
                folder.delete(name)

    def statuses(self) -> Iterator[tuple[str, Status | DamagedTraining | None]]:
        """Every training's hash and status, damage included instead of raised."""
        for training in self.trainings():
            try:
                yield training, self.status(training)
            except DamagedTraining as damage:
                yield training, damage


def _pool_file(sha256: str) -> str:
    return f"{POOLS}/{sha256[:16]}.parquet"


def _checkpoint_file(step: int) -> str:
    return f"checkpoint-{step:09d}.pt"


def _short(error: Exception) -> str:
    """What is wrong, without all of what was there instead."""
    said = str(error)
    return said if len(said) <= SAID else f"{said[:SAID]} …"
