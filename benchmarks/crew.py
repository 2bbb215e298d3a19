"""Processes that do the same work at the same time, as a sweep keeps a pack on every core."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import torch

Run = Callable[[], object]
Build = Callable[[torch.device], Run]
"""Makes what is to be run, in the process that runs it."""


@dataclass(frozen=True)
class Crew:
    """Processes that build the same work, each its own, and run it at once.

    A contender has processes of its own: what one does to its memory helps or harms no other.
    """

    processes: Sequence[BaseProcess]
    pipes: Sequence[Connection]

    @classmethod
    @contextmanager
    def of(cls, size: int, threads: int, device: torch.device) -> Iterator[Crew]:
        """Start `size` processes of so many threads each, and end them afterwards."""
        context = multiprocessing.get_context("spawn")
        ends = [context.Pipe() for _ in range(size)]
        processes = [
            context.Process(target=_serve, args=(theirs, threads, device), daemon=True)
            for _, theirs in ends
        ]
        with _environment("OMP_NUM_THREADS", str(threads)):
            for process in processes:
                process.start()
        crew = cls(processes, [ours for ours, _ in ends])
        try:
            yield crew
        finally:
            for pipe in crew.pipes:
                pipe.send(None)
            for process in processes:
                process.join()

    def build(self, build: Build) -> None:
        """Have every process build its own, in place of what it built before."""
        self._all(build)

    def seconds(self, count: int) -> list[float]:
        """Run `count` times in all processes at once: how long each took."""
        return self._all(count)

    def _all(self, order: Build | int) -> list[float]:
        for pipe in self.pipes:
            pipe.send(order)
        answers = [pipe.recv() for pipe in self.pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _serve(pipe: Connection, threads: int, device: torch.device) -> None:
    """Answer orders until there are no more."""
    torch.set_num_threads(threads)
    run: Run = _nothing
    while (order := pipe.recv()) is not None:
        try:
            if isinstance(order, int):
                pipe.send(_duration(run, order, device))
            else:
                run = _nothing  # frees its memory before the next takes its own
                run = order(device)
                pipe.send(0.0)
        except Exception as error:
            pipe.send(error)


def _nothing() -> None:
    """What runs before anything is built."""


def _duration(run: Run, count: int, device: torch.device) -> float:
    _synchronize(device)
    start = time.perf_counter()
    for _ in range(count):
        run()
    _synchronize(device)
    return time.perf_counter() - start


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
