"""Ray Tune's side of every search: it hands out the packs that the run supplies.

What is trained next is decided in the run's own process, where the results are; see `supply`. Ray
Tune asks this searcher, this searcher asks the run, and while packs train neither waits for the
other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from ray.tune.search import Searcher


class PackSearcher(Searcher):
    """Suggests the run's packs one by one.

    One searcher serves several turns of Ray Tune, which keeps a record of every trial until a turn
    ends: after so many packs it says that it has finished, and goes on in the next turn.

    Args:
        ask: asks the run for more.
        answers: where its answers arrive: what `trainable.train_pack` is given, the first ones
            first; None: that was all.
        finishing: set when no further pack is to start.
        seam: packs of a turn.
    """

    def __init__(
        self,
        ask: Callable[[], None],
        answers: SimpleQueue[list[dict[str, Any]] | None],
        finishing: threading.Event,
        seam: int,
    ) -> None:
        super().__init__()
        self._seam, self._left = seam, seam
        self._ask, self._answers, self._finishing = ask, answers, finishing
        self._tasks: deque[dict[str, Any]] = deque()
        self._live: set[str] = set()
        self._open = self._last = False
        self._stale = True

    def suggest(self, trial_id: str) -> Any:
        """The next pack, None for not yet, or `FINISHED`, be it for this turn."""
        if self._finishing.is_set() or not self._left:
            return Searcher.FINISHED
        if not self._tasks and not self._last:
            self._refill()
        if self._tasks:
            self._live.add(trial_id)
            self._left -= 1
            return {"pack": self._tasks.popleft()}
        return Searcher.FINISHED if self._last else None

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """A pack ended, for good or with an error: the run may have more now."""
        self._live.discard(trial_id)
        self._stale = True

    def turn(self) -> bool:
        """Begin another turn; False where everything was handed out."""
        self._left = self._seam
        self._live.clear()
        return bool(self._tasks) or not self._last

    def _refill(self) -> None:
        """Ask when something has changed; wait for the answer only where nothing else goes on."""
        if self._stale and not self._open:
            self._ask()
            self._open, self._stale = True, False
        if self._open:
            try:
                answer = self._answers.get(block=not self._live)
            except Empty:
                return
            self._open, self._last = False, answer is None
            self._tasks.extend(answer or ())

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing is ever restored from Ray Tune's snapshots."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing is ever restored from Ray Tune's snapshots."""

    def restore(self, checkpoint_path: str) -> None:
        """What is on disk says what is left."""

    def __getstate__(self) -> dict[str, Any]:
        return {}
