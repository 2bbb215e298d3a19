"""What Ray Tune is told when it asks for the next pack."""

import threading
from queue import SimpleQueue
from typing import Any

import pytest

pytest.importorskip("ray.tune")


class Asked:
    """A searcher whose questions are counted, and answered by hand."""

    def __init__(self) -> None:
        from sweeps.running.searcher import PackSearcher

        self.questions = 0
        self.answers: SimpleQueue[list[dict[str, Any]] | None] = SimpleQueue()
        self.finishing = threading.Event()
        self.searcher = PackSearcher(self._ask, self.answers, self.finishing)

    def _ask(self) -> None:
        self.questions += 1


def test_packs_are_suggested_in_order_and_the_run_is_asked_when_something_ended():
    asked = Asked()
    asked.answers.put([{"name": "a"}, {"name": "b"}])
    assert asked.searcher.suggest("1") == {"pack": {"name": "a"}}
    assert asked.searcher.suggest("2") == {"pack": {"name": "b"}}
    assert asked.questions == 1
    assert asked.searcher.suggest("3") is None  # nothing ended: nothing new can be known
    assert asked.questions == 1

    asked.searcher.on_trial_complete("1", {"step": 1})
    assert asked.searcher.suggest("3") is None  # asked; the other pack trains on meanwhile
    assert asked.questions == 2
    assert asked.searcher.suggest("3") is None
    assert asked.questions == 2
    asked.answers.put([])
    assert asked.searcher.suggest("3") is None
    asked.searcher.on_trial_complete("2", error=True)
    asked.answers.put([{"name": "c"}])
    assert asked.searcher.suggest("3") == {"pack": {"name": "c"}}
    asked.searcher.on_trial_complete("3")
    asked.answers.put(None)
    assert asked.searcher.suggest("4") == asked.searcher.FINISHED
    assert asked.searcher.suggest("5") == asked.searcher.FINISHED
    assert asked.questions == 4


def test_once_the_run_is_to_end_no_further_pack_starts():
    asked = Asked()
    asked.answers.put([{"name": "a"}, {"name": "b"}, {"name": "c"}])
    assert asked.searcher.suggest("1") == {"pack": {"name": "a"}}
    asked.finishing.set()
    asked.searcher.on_trial_complete("1")
    assert asked.searcher.suggest("2") == asked.searcher.FINISHED
    assert asked.questions == 1


def test_ray_tune_keeps_no_snapshot_of_it(tmp_path):
    import pickle

    asked = Asked()
    assert pickle.loads(pickle.dumps(asked.searcher)).__dict__ == {}
    asked.searcher.save_to_dir(str(tmp_path))
    assert not list(tmp_path.iterdir())
