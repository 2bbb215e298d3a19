"""What Ray Tune is told when it asks for the next pack."""

import threading
from queue import SimpleQueue
from typing import Any

import pytest

pytest.importorskip("ray.tune")


class Asked:
    """A searcher whose questions are counted, and answered by hand."""

    def __init__(self, seam: int = 100) -> None:
        from sweeps.running.searcher import PackSearcher

        self.questions = 0
        self.answers: SimpleQueue[list[dict[str, Any]] | None] = SimpleQueue()
        self.finishing = threading.Event()
        self.searcher = PackSearcher(self._ask, self.answers, self.finishing, seam)

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


def test_a_turn_ends_at_its_seam_and_the_next_goes_on_where_it_stood():
    asked = Asked(seam=2)
    finished = asked.searcher.FINISHED
    asked.answers.put([{"name": name} for name in "abc"])
    assert asked.searcher.turn()
    assert [asked.searcher.suggest(i)["pack"]["name"] for i in "12"] == ["a", "b"]
    assert asked.searcher.suggest("3") == finished
    asked.searcher.on_trial_complete("1")
    asked.searcher.on_trial_complete("2", error=True)
    assert asked.searcher.suggest("3") == finished  # Ray Tune's turn is over, whatever ends

    assert asked.searcher.turn()
    assert asked.searcher.suggest("3") == {"pack": {"name": "c"}}
    assert asked.questions == 1
    asked.searcher.on_trial_complete("3")
    asked.answers.put(None)
    assert asked.searcher.suggest("4") == finished
    assert asked.questions == 2
    assert not asked.searcher.turn()


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
