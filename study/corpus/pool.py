"""A pool: distinct strings of equal length whose law is unknown, with all that was read of them.

Its identity is a hash of the strings, of how often each occurs and of the typicality that came
with them: where they were read from, and how, does not matter.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from study.config.own_strings import PoolConfig, depth_of


class DamagedPool(ValueError):  # noqa: N818 - a state of the disk, told to the user as such
    """Bytes that are not those of the pool that was published."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Strings and what is known of them.

    Attributes:
        strings: (P, d) uint8, distinct, in rising order.
        counts: (P,) how often each was there.
        typicality: (P,) nats, from a column of the user's; None: a score is to be fitted.
        alphabet: the v symbols as they are read.
        separator: between symbols where a string is written out.
        image: whether strings are square images in Morton order.
        tuple_size: s.
        nearest, remaining: see `PoolConfig`.
    """

    strings: NDArray[np.uint8]
    counts: NDArray[np.int64]
    typicality: NDArray[np.float64] | None
    alphabet: tuple[str, ...]
    separator: str = ""
    image: bool = False
    tuple_size: int = 2
    nearest: int | None = None
    remaining: int = 0

    @property
    def vocab_size(self) -> int:
        """v."""
        return len(self.alphabet)

    @property
    def num_leaves(self) -> int:
        """d."""
        return self.strings.shape[1]

    @cached_property
    def sha256(self) -> str:
        """Of what a training depends on; 64 hexadecimal digits."""
        digest = hashlib.sha256()
        shape = [*self.strings.shape, self.vocab_size, self.typicality is not None]
        digest.update(json.dumps(shape).encode())
        digest.update(np.ascontiguousarray(self.strings).tobytes())
        digest.update(self.counts.astype("<i8").tobytes())
        if self.typicality is not None:
            digest.update(self.typicality.astype("<f8").tobytes())
        return digest.hexdigest()

    @property
    def config(self) -> PoolConfig:
        """What a training's configuration says of it."""
        return PoolConfig(
            sha256=self.sha256,
            strings=len(self.strings),
            total=int(self.counts.sum()),
            leaves=self.num_leaves,
            vocab_size=self.vocab_size,
            tuple_size=self.tuple_size,
            alphabet=list(self.alphabet),
            separator=self.separator,
            image=self.image,
            nearest=None if depth_of(self.num_leaves, self.tuple_size) else self.nearest,
            remaining=self.remaining,
        )

    def to_bytes(self) -> bytes:
        """A parquet file."""
        columns: dict[str, Any] = {
            "tokens": pa.FixedSizeListArray.from_arrays(
                pa.array(self.strings.ravel()), self.num_leaves
            ),
            "count": pa.array(self.counts),
        }
        if self.typicality is not None:
            columns["typicality"] = pa.array(self.typicality)
        said = {
            "alphabet": list(self.alphabet),
            "separator": self.separator,
            "image": self.image,
            "tuple_size": self.tuple_size,
        }
        table = pa.table(columns).replace_schema_metadata({"memophase pool": json.dumps(said)})
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, sha256: str) -> Pool:
        """The pool in a file.

        Raises:
            DamagedPool: when it is not the one with that hash.
        """
        try:
            table = pq.read_table(io.BytesIO(data))
            said = json.loads(table.schema.metadata[b"memophase pool"])
            tokens = table["tokens"].combine_chunks()
            scored = "typicality" in table.column_names
            pool = cls(
                strings=tokens.flatten().to_numpy().reshape(len(table), -1).astype(np.uint8),
                counts=table["count"].to_numpy(),
                typicality=table["typicality"].to_numpy() if scored else None,
                alphabet=tuple(said.pop("alphabet")),
                **said,
            )
        except (pa.ArrowException, KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedPool(f"cannot be read: {error}") from error
        if pool.sha256 != sha256:
            raise DamagedPool("does not hold the strings of its name")
        return pool
