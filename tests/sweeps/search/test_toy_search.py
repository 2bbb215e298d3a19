"""A search added from outside: named in a sweep file, run, run again, and forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from study.config.settings import Faults, Section, setting
from study.store import listing
from study.store.results import Results
from sweeps.files import spec
from sweeps.search import registry
from sweeps.search.search import Answer, Batch, Evidence, Search
from sweeps.space import axes
from sweeps.space.cells import Cell, Expansion, Training, expanded
from tests.sweeps.running.stand_in import StandIn, replayed, run
from tests.sweeps.tiny import TINY, memophase


class Rising(Search):
    """The axis's values one after the other, until so many steps were taken by all of them."""

    kind = "rising"

    @dataclass(frozen=True, kw_only=True)
    class Options(Section):
        """Values of one axis in turn."""

        kind: str = setting("rising", choices=("rising",))
        """rising: values in turn."""
        enough: int = setting(minimum=1)
        """Steps, of all trainings, after which it stops."""

    options: Options

    def faults(self) -> Faults:
        one = len(self.space.axes) == 1 and not self.space.spans
        return [] if one else [(("grid",), "a rising search takes one list")]

    @property
    def most(self) -> int:
        return len(self.space.lists[0].points)

    @cached_property
    def expansion(self) -> Expansion:
        return expanded(self.space, axes.grid(self.space.lists))

    def known(self, evidence: Evidence) -> tuple[Training, ...]:
        return tuple(t for cell in self._reached(evidence) for t in self.space.replicas(cell))

    def ask(self, evidence: Evidence, free: int) -> list[Batch] | Answer:
        reached = self._reached(evidence)
        for cell in reached:
            fresh = [t for t in self.space.replicas(cell) if not self._has_ended(t, evidence)]
            if fresh:
                asked = all(t.hash in evidence.given for t in fresh)
                return Answer.WAIT if asked else [tuple(fresh)]
        steps = sum(self._steps(t, evidence) for t in self.known(evidence))
        if steps >= self.options.enough or len(reached) == len(self.cells):
            return Answer.FINISHED
        return [self.space.replicas(self.cells[len(reached)])]

    def _reached(self, evidence: Evidence) -> list[Cell]:
        return [
            cell
            for cell in self.cells
            if any(
                t.hash in evidence.given or self._steps(t, evidence) > 0
                for t in self.space.replicas(cell)
            )
        ]

    def _has_ended(self, training: Training, evidence: Evidence) -> bool:
        return self._steps(training, evidence) >= training.config.last_step

    def _steps(self, training: Training, evidence: Evidence) -> int:
        status = evidence.results.status(training.hash)
        return 0 if status is None else status.step


SWEEP = TINY.replace("[4, 8]", "[2, 4, 8, 16]") + "search: {kind: rising, enough: 100}\n"


@pytest.fixture
def rising() -> Iterator[type[Search]]:
    registry.register(Rising)
    yield Rising
    registry.forget(Rising)


def sizes(results: Path) -> list[int]:
    study = listing.read(Results.open(results).store)
    assert study is not None
    return [t.cell["corpus.size"] for t in study.trainings]


def test_it_decides_what_is_trained_and_rebuilds_from_the_results(
    rising, ray: type[StandIn], tmp_path: Path
):
    given: list[list[int]] = []
    ray.train = replayed(given)
    outcome, shown = run(tmp_path, spec.loads(SWEEP))
    assert given == [[2, 2], [4, 4]]  # 2 cells of 2 seeds and 32 steps are 128
    assert outcome.complete
    assert outcome.trained == 4
    assert sizes(tmp_path) == [2, 2, 4, 4]
    assert shown.splitlines()[-1].split("done=")[1].startswith("4/4")
    told = json.loads(memophase("status", str(tmp_path), "--json").stdout)
    assert (told["done"], told["total"]) == (4, 4)

    again, _ = run(tmp_path, spec.loads(SWEEP))
    assert again.trained == 0
    assert len(given) == 2

    more, _ = run(tmp_path, spec.loads(SWEEP, ["search.enough=129"]))
    assert (more.complete, more.trained) == (True, 2)
    assert given[2:] == [[8, 8]]
    assert sizes(tmp_path) == [2, 2, 4, 4, 8, 8]

    grid, _ = run(tmp_path, spec.loads(SWEEP, ["search={kind: grid}"]))
    assert (grid.complete, grid.trained) == (True, 2)
    assert given[3:] == [[16, 16]]


def test_what_fails_is_tried_alone_before_it_goes_on(rising, ray: type[StandIn], tmp_path: Path):
    given: list[list[int]] = []
    ray.train = replayed(given, fails=lambda pack: len(pack["trainings"]) > 1)
    outcome, _ = run(tmp_path, spec.loads(SWEEP))
    assert given == [[2, 2], [2], [2], [4, 4], [4], [4]]
    assert outcome.complete


def test_its_options_are_checked_with_all_others(rising):
    text = SWEEP.replace("enough: 100", "enuogh: 100").replace("seeds: 2", "seeds: none")
    result = memophase_of(text)
    assert {line.partition(": ")[2].partition(": ")[2] for line in result} == {
        "seeds: must be a whole number, not 'none'",
        "search.enuogh: unknown field; did you mean 'enough'?",
        "search.enough: is required for a rising search",
    }
    two = memophase_of(SWEEP.replace("grid:\n", "grid:\n  network.width: [8, 16]\n"))
    assert "grid: a rising search takes one list" in two[0]


def memophase_of(text: str) -> list[str]:
    with pytest.raises(spec.UsageError) as caught:
        spec.loads(text)
    return [f"error: {fault}" for fault in caught.value.faults]


def test_it_is_explained_where_settings_are(rising):
    told = json.loads(memophase("settings", "search", "--json").stdout)
    assert "search.enough" in [row["name"] for row in told]


def test_no_search_takes_the_name_of_a_built_in_one():
    imposter = type("Imposter", (Rising,), {"kind": "grid"})
    with pytest.raises(ValueError, match="there is a search 'grid' already"):
        registry.register(imposter)
    registry.forget(registry.BUILT_IN[0])
    assert registry.BUILT_IN[0] in registry.searches()
    with pytest.raises(spec.UsageError, match="there is no search 'rising'"):
        spec.loads(SWEEP)
