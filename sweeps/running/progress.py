"""What a run shows while it lasts: a live table on a terminal, `key=value` lines in a pipe."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sweeps.planning.packing import Pack
from sweeps.running.forecast import Forecast
from sweeps.running.trackers import Trackers
from sweeps.running.watcher import reason

HEARTBEAT = 30.0
"""Seconds of silence after which a piped run says that it is alive."""
SHOWN = ("copy_fraction", "excess_copies", "root_validity")
"""Order parameters shown, as means over the pack."""


@dataclass
class Row:
    """A pack under way.

    Attributes:
        step: the last measured step.
        values: means of the shown order parameters.
    """

    pack: Pack
    step: int
    since: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    tries: int = 0

    @property
    def last_step(self) -> int:
        """The step at which its longest member ends."""
        return max(training.config.last_step for training in self.pack.trainings)


class Progress:
    """Follows the packs of a run and shows them; also what its heartbeat says.

    Attributes:
        errors: name of a failed pack -> what it said.
    """

    def __init__(
        self,
        console: Console,
        name: str,
        *,
        on_gpu: bool = False,
        trackers: Trackers | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.errors: dict[str, str] = {}
        self._console, self._study = console, name
        self._clock, self._forecast = clock, Forecast(on_gpu=on_gpu)
        self._live: Live | None = None
        self._lock = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._active: list[str] = []
        self._total = self._done = self._failed = 0
        self._finishing = False
        self._trackers = trackers or Trackers([])
        self._spoke = clock()
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._table, console=self._console, transient=True)
            self._live.__enter__()
        else:
            self._ticker = threading.Thread(target=self._tick, daemon=True)
            self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
        if self._ticker is not None:
            self._ticker.join()
        self._trackers.close()

    def begin(self, total: int, unfinished: int) -> None:
        """Say how much there is to do; again when all starts anew from what is published."""
        with self._lock:
            self._total, self._done, self._failed = total, total - unfinished, 0
            self._rows, self._active = {}, []
            self._forecast.clear()
            self.errors.clear()
        self._say("begin", trainings=total, done=self._done)

    def grow(self, total: int) -> None:
        """The search has added trainings: there are so many by now."""
        with self._lock:
            self._total = total

    def take(self, packs: Sequence[Pack], slots: int) -> None:
        """These packs, too, are about to be scheduled, so many at a time."""
        with self._lock:
            self._rows |= {pack.name: Row(pack, pack.step) for pack in packs}
            self._forecast.take(packs, slots)
            for pack in packs:
                self.errors.pop(pack.name, None)
        self._say("packed", packs=len(packs))

    def started(self, pack: str) -> None:
        """A pack was placed; a second time when it is retried."""
        with self._lock:
            row = self._rows[pack]
            row.since, row.tries = self._clock(), row.tries + 1
            self._forecast.started(row.pack, row.since)
            if pack not in self._active:
                self._active.append(pack)
        self._say("started", row, members=len(row.pack.trainings), attempt=row.tries)

    def measured(self, pack: str, result: Mapping[str, Any]) -> None:
        """A pack published a measured step."""
        with self._lock:
            row = self._rows[pack]
            row.step = max(row.step, int(result["step"]))
            row.values = means(row.pack, result)
            self._forecast.measured(row.pack, row.step, self._clock())
        self._trackers.measured(row.pack, result)
        values = {name: f"{value:.3g}" for name, value in row.values.items()}
        self._say("measured", row, step=f"{row.step}/{row.last_step}", **values)

    def completed(self, pack: str) -> None:
        """A pack is done, or was ended after what it measured last."""
        with self._lock:
            row = self._rows[pack]
            self._drop(row)
            ended = self._finishing and row.step < row.last_step
            self._done += 0 if ended else len(row.pack.trainings)
        self._say("ended" if ended else "completed", row)

    def retried(self, pack: str, error: str) -> None:
        """A pack failed and is tried again from its last published step."""
        self._say("retrying", self._rows[pack], error=_quoted(reason(error)))

    def alone(self, trainings: int, error: str) -> None:
        """Members of failed packs are about to be tried once more, each alone."""
        words = f"{trainings} trainings of failed packs are tried once more, each alone"
        self._note("retrying_alone", f"{words}: {reason(error)}")

    def noted(self, pack: str, words: str) -> None:
        """A pack has something to say, such as that it was too large for the memory."""
        self._note("note", f"{self._rows[pack].pack.label}: {words}")

    def finishing(self) -> None:
        """The run was interrupted once."""
        self._finishing = True
        words = "what is being measured is finished; Ctrl-C again stops now"
        self._note("finishing", words)

    def lost(self, why: str) -> None:
        """Ray died and is started again."""
        self._note("ray_lost", f"Ray was lost and is started again: {why}")

    def not_started(self, why: str) -> None:
        """Ray did not come up and is started again."""
        self._note("ray_not_started", f"Ray did not start, and is started again: {why}")

    def failed(self, pack: str, error: str) -> None:
        """A pack failed for good; a larger one is tried again in parts."""
        with self._lock:
            row = self._rows[pack]
            self._drop(row)
            self.errors[pack] = error
            self._failed += len(row.pack.trainings) == 1
        self._say("failed", row, error=_quoted(reason(error)))

    def snapshot(self) -> dict[str, Any]:
        """What the heartbeat says: done, total, failed, running packs, seconds that are left."""
        with self._lock:
            return {
                "done": self._done,
                "total": self._total,
                "failed": self._failed,
                "running_packs": len(self._active),
                "eta_seconds": self.eta(),
            }

    def eta(self) -> float | None:
        """Seconds that are left; None before there are packs."""
        return self._forecast.left(self._clock()) if self._rows else None

    def _drop(self, row: Row) -> None:
        self._forecast.ended(row.pack)
        if row.pack.name in self._active:
            self._active.remove(row.pack.name)

    def _say(self, event: str, row: Row | None = None, **fields: Any) -> None:
        self._spoke = self._clock()
        if self._live is None:
            state = self.snapshot()
            eta = {"eta": duration(state["eta_seconds"])} if state["eta_seconds"] else {}
            words = {
                **({"pack": _quoted(row.pack.label)} if row else {}),
                **fields,
                "done": f"{state['done']}/{state['total']}",
                "failed": state["failed"],
                **eta,
            }
            told = " ".join(f"{name}={value}" for name, value in words.items())
            clock = time.strftime("%H:%M:%S")
            print(f"time={clock} event={event} {told}", file=self._console.file, flush=True)

    def _note(self, event: str, words: str) -> None:
        """Say what must not be missed, on a terminal too."""
        if self._live is not None:
            self._console.print(words)
        self._say(event, what=_quoted(words))

    def _tick(self) -> None:
        while not self._stop.wait(1.0):
            if self._clock() - self._spoke > HEARTBEAT:
                queued = self._queued()
                if queued and not self._active:
                    self._say("waiting_for_a_free_slot", queued_packs=queued)
                else:
                    self._say("heartbeat", running_packs=len(self._active))

    def _queued(self) -> int:
        """Packs that have not been placed yet."""
        with self._lock:
            return sum(row.tries == 0 for row in self._rows.values())

    def _table(self) -> Table:
        with self._lock:
            left = self.eta()
            title = f"{self._study}: {self._done} of {self._total} trainings done"
            title += f", {self._failed} failed" if self._failed else ""
            title += f", {duration(left)} left" if left is not None else ""
            if self._rows and not self._active and (queued := self._queued()):
                title += f"; waiting for a free slot: {queued} packs queued"
            table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
            for heading in ("pack", "trainings", "step", *SHOWN, "running"):
                table.add_column(heading, justify="left" if heading == "pack" else "right")
            for name in self._active:
                self._add(table, self._rows[name])
            for name in list(self.errors)[-5:]:
                row = self._rows.get(name)
                table.add_row(Text(row.pack.label if row else name, style="red"), "failed")
            return table

    def _add(self, table: Table, row: Row) -> None:
        values = [f"{row.values[name]:.3f}" if name in row.values else "" for name in SHOWN]
        table.add_row(
            Text(row.pack.label),
            str(len(row.pack.trainings)),
            f"{row.step}/{row.last_step}",
            *values,
            duration(self._clock() - row.since),
        )


def means(pack: Pack, result: Mapping[str, Any]) -> dict[str, float]:
    """Means over a pack's members of the shown order parameters that are defined."""
    found = {}
    for name in SHOWN:
        values = [result.get(training.hash, {}).get(name) for training in pack.trainings]
        numbers = [value for value in values if isinstance(value, int | float)]
        if numbers:
            found[name] = sum(numbers) / len(numbers)
    return found


def _quoted(text: str) -> str:
    """A value with spaces, in one piece for whoever reads `key=value` lines."""
    return json.dumps(text, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Seconds as people say them, such as `2h05m` or `45s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours < 48 else f"{hours / 24:.1f}d"
