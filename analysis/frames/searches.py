"""What a search has found so far, read from the tables that its runs leave in `search/`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from study.store.storage import Store

FOLDER = "search"


@dataclass(frozen=True)
class Search:
    """The tables of a search.

    Attributes:
        kind: which search it was.
        about: its options, as words.
        frames: name -> table.
    """

    kind: str
    about: Mapping[str, str]
    frames: Mapping[str, pd.DataFrame]


def read(store: Store) -> Search | None:
    """The search of a results folder; None where there is none that can be read."""
    frames: dict[str, pd.DataFrame] = {}
    about: dict[str, str] = {}
    try:
        for name in store.names(FOLDER):
            if name.endswith(".parquet"):
                table = pq.read_table(io.BytesIO(store.read(f"{FOLDER}/{name}")))
                metadata = table.schema.metadata or {}
                about |= {k.decode(): v.decode() for k, v in metadata.items() if k != b"pandas"}
                frames[name.removesuffix(".parquet")] = table.to_pandas()
    except (OSError, ValueError, pa.ArrowException):
        return None
    return Search(about["search"], about, frames) if "search" in about else None
