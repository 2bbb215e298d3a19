"""How many threads torch computes on: a setting of the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads_restored() -> Iterator[None]:
    """Whatever is set while it lasts, the number of threads before is set again at its end."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """While it lasts, torch computes on so many threads."""
    with threads_restored():
        torch.set_num_threads(count)
        yield
