"""The supply of packs while a run lasts: the search is asked, what it wants is packed, and failures
are dealt with.

This is the run's side of a search. It has the results, `sweep.json`, the heartbeat and the display
at hand, and none of it dies with Ray; the other side, `searcher`, only hands out what it is given.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from study.store.results import Results
from sweeps.files.spec import Sweep
from sweeps.planning import memory, packing
from sweeps.planning.packing import Pack
from sweeps.running import tuner
from sweeps.running.progress import Progress
from sweeps.running.watcher import reason
from sweeps.search.search import Answer, Batch, Evidence
from sweeps.status import folder, training_states
from sweeps.status.training_states import TrainingState

EVERY = 10.0
"""Seconds between two tellings of what the search has found."""


class Supply:
    """What is trained next; a `Watcher` of what becomes of it.

    Members of packs that failed are tried once more, each alone, when nothing else is left: that
    is also the way out where a pack takes more memory than there is.

    Args:
        sweep: what is run.
        results: where, patient with storage that fails in passing.
        location: the same, path or URI.
        states: of the trainings that are known, after every file of theirs was read.
        slots: packs at a time.
        progress: told what happens.
        before: hash of each training that the run took on -> the step at which it stood; added to.

    Attributes:
        logs: hash of a failed training -> where its log is.
    """

    def __init__(
        self,
        sweep: Sweep,
        results: Results,
        location: str,
        states: Mapping[str, TrainingState],
        slots: int,
        progress: Progress,
        before: dict[str, int],
    ) -> None:
        self._sweep, self._results, self._progress = sweep, results, progress
        self._location, self._slots = location, slots
        self._states = dict(states)
        self._given: dict[str, Pack] = {}
        self._running: dict[str, Pack] = {}
        self._alone: list[Pack] = []
        self._listed = {t.hash for t in sweep.search.known(self.evidence())}
        self._why, self._told = "", time.monotonic()
        self.before = before
        self.logs: dict[str, str] = {}

    def more(self) -> list[Pack] | None:
        """Packs to start now, the first ones first; empty: ask when one has ended; None: that was
        all."""
        while True:
            answer = self._sweep.search.ask(self.evidence(), self._free)
            if isinstance(answer, Answer):
                return self._rest()
            packs = [pack for batch in answer for pack in self._packed(batch, len(answer))]
            if packs:
                return self._give(packs)

    def tasks(self) -> list[dict[str, Any]] | None:
        """What `more` says, as Ray Tune is given it."""
        packs, resources = self.more(), self._sweep.file.resources
        return None if packs is None else [tuner.task(p, self._location, resources) for p in packs]

    def started(self, pack: str) -> None:
        """A pack was placed, or placed again."""
        self._progress.started(pack)

    def measured(self, pack: str, result: Mapping[str, Any]) -> None:
        """A pack published a measured step."""
        self._progress.measured(pack, result)

    def noted(self, pack: str, words: str) -> None:
        """A pack has something to say."""
        self._progress.noted(pack, words)

    def completed(self, pack: str) -> None:
        """A pack is done."""
        self._running.pop(pack, None)
        self._progress.completed(pack)

    def retried(self, pack: str, error: str) -> None:
        """A pack failed and is tried again."""
        self._progress.retried(pack, error)

    def failed(self, pack: str, error: str) -> None:
        """A pack failed for good: its only member is noted, several get a second chance."""
        self._progress.failed(pack, error)
        failed = self._running.pop(pack)
        if len(failed.trainings) > 1:
            self._alone += [Pack.of([t], failed.step) for t in failed.trainings]
            self._why = error
        for training in failed.trainings if len(failed.trainings) == 1 else ():
            self.logs[training.hash] = folder.note_failure(self._results, training.hash, error)
            folder.mark_failed(self._results, training.config, reason(error))

    @property
    def _free(self) -> int:
        return max(self._slots - len(self._running), 1)

    def evidence(self) -> Evidence:
        """What is known by now."""
        return Evidence(
            results=self._results,
            done={hash_ for hash_, state in self._states.items() if state.done},
            given=dict.fromkeys(self._given),
            running={t.hash for pack in self._running.values() for t in pack.trainings},
        )

    def _packed(self, batch: Batch, batches: int) -> list[Pack]:
        """The packs of a batch, which shares the free slots with others."""
        resources = self._sweep.file.resources
        states = self._looked_at(batch)
        return packing.packed(
            [t for t in batch if not states[t.hash].done],
            {training: state.step for training, state in states.items()},
            slots=max(self._free // batches, 1),
            members=resources.members_per_pack,
            memory=memory.per_pack(resources),
            on_gpu=resources.gpus_per_pack > 0,
            compositions={name: state.composition for name, state in states.items()},
        )

    def _looked_at(self, batch: Batch) -> dict[str, TrainingState]:
        """The states of the trainings of a batch, every file of new ones read."""
        new = [t for t in batch if t.hash not in self._states]
        self._states |= training_states.verified(new, self._results)
        return {t.hash: self._states[t.hash] for t in batch}

    def _give(self, packs: Sequence[Pack]) -> list[Pack]:
        """These are about to be trained: the folder lists them before anything of them is there."""
        for pack in packs:
            for training in pack.trainings:
                self._given[training.hash] = pack
                self.before.setdefault(training.hash, self._states[training.hash].step)
        self._list()
        self._take(packs)
        return list(packs)

    def _list(self) -> None:
        """Say what is known by now, and what it tells; the latter now and then."""
        evidence = self.evidence()
        known = {t.hash for t in self._sweep.search.known(evidence)}
        if not known <= self._listed:
            folder.publish(self._sweep, evidence)
            self._listed |= known
            self._progress.grow(len(known))
        if time.monotonic() - self._told > EVERY:
            folder.publish_outcome(self._sweep, evidence)
            self._told = time.monotonic()

    def _take(self, packs: Sequence[Pack]) -> None:
        self._running |= {pack.name: pack for pack in packs}
        self._progress.take(packs, self._slots)

    def _rest(self) -> list[Pack] | None:
        """What is left where the search wants nothing now."""
        if self._running:
            return []
        if not self._alone:
            return None
        alone, self._alone = self._alone, []
        self._progress.alone(len(alone), self._why)
        self._take(alone)
        return alone
