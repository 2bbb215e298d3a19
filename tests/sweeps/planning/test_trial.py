"""Estimates of what packs take, from short versions of some of them."""

import dataclasses
from typing import Any

import pytest

from sweeps.faults import UsageError
from sweeps.files import spec
from sweeps.planning import packing, trial
from sweeps.planning.pace import Pace
from sweeps.planning.packing import Pack
from sweeps.planning.trial import Trial
from sweeps.space import cost
from tests.sweeps.tiny import TINY

STEPS = 16


def packs(*options: str) -> list[Pack]:
    return packing.packed(spec.loads(TINY, options).trainings, {}, slots=1)


def configs(pack: Pack):
    return [training.config for training in pack.trainings]


def row(training: float, generating: float | None, measuring: float) -> dict[str, Any]:
    named = {"training": training, "generating": generating, "measuring": measuring}
    return {f"{name}_seconds": seconds for name, seconds in named.items()}


def paced(pack: Pack) -> Pace:
    """0.5 s a step, 1 s of likelihood, 0.25 s of reading, 0.125 s of publishing, 7 s before."""
    timing = [row(9.0, 3.0, 4.25), row(3.5, None, 1.0), row(4.5, 2.0, 1.25)]
    warm = 8.0 + 2.0 + 1.25 + 0.125
    ends = [0.0, 7.0 + warm, 7.0 + warm + 4.625, 7.0 + warm + 4.625 + 7.875]
    return trial.paced(configs(pack), timing, ends, STEPS)


def test_a_timed_pack_takes_the_sum_of_its_parts():
    """Measured at 8, 16 and 32; 21 reverse steps ask about less than seven times those of 3."""
    (pack,) = packs()
    pace = paced(pack)
    asked = trial._asked(configs(pack)[0], 21) / trial._asked(configs(pack)[0], 3)
    assert 1 < asked < 7
    measured = 2.0 * asked + 0.25 + 1.0 + 0.125
    assert pace.seconds(pack) == pytest.approx(7.0 + 32 * 0.5 + 3 * measured)
    assert pace.left(pack, 16) == pytest.approx(16 * 0.5 + measured)
    assert pace.seconds(Pack.of(pack.trainings, 16)) == pytest.approx(7 + 16 * 0.5 + measured)
    assert pace.left(pack, 32) == 0


def test_a_mean_lies_between():
    (pack,) = packs()
    pace, slower = paced(pack), paced(pack).times(3)
    assert Pace.mean([pace, slower]).training == pytest.approx(pace.training * 2)
    assert Pace.mean([pace]) == pace


def test_what_was_not_timed_goes_at_the_mean_pace_of_what_was():
    (narrow,), (between,), (wide,) = (packs(f"network.width={W}") for W in (8, 16, 32))
    fast, slow = paced(narrow), paced(narrow).times(3)
    found = Trial(1.0, 0.5, {trial.kind_of(narrow): fast, trial.kind_of(wide): slow})
    assert found.seconds(narrow) == fast.seconds(narrow)
    assert found.seconds(between) == pytest.approx(2 * fast.seconds(between))


def test_one_pack_of_each_kind_is_timed_and_none_that_is_too_large():
    text = TINY.replace("network: {width: 8}", "network: {}").replace(
        "[4, 8]", "[4, 8]\n  network.width: [8, 16, 4096]"
    )
    sweep = spec.loads(text, ["seeds=10"])
    chosen = trial.examples(packing.packed(sweep.trainings, {}, slots=2))
    assert [pack.trainings[0].config.network.width for pack in chosen] == [16, 8]
    (only,) = trial.examples(packs("network.width=8192", "seeds=1", "corpus.size=4"))
    assert only.trainings[0].config.network.width == 8192


@pytest.mark.parametrize("width", [8, 4096])
def test_a_short_version_is_short_and_of_the_same_sizes(width: int):
    config = configs(packs(f"network.width={width}", "training.steps=100000")[0])[0]
    short = trial.short(config, 4)
    first = short.measurement.first_step
    assert short.measured_steps == [first, round(first * 2**0.5), 2 * first]
    assert short.generated_steps == [first, 2 * first]
    assert cost.optimizer_step(short) == cost.optimizer_step(config)
    assert first == (STEPS if width == 8 else 2)


def test_processes_time_packs_at_once():
    found = trial.run(packs(), slots=2, threads=1)
    (pace,) = found.paces.values()
    assert 0 < found.start < 60
    assert 0 < found.share <= 1
    assert all(seconds >= 0 for seconds in dataclasses.asdict(pace).values())
    assert 0 < found.seconds(packs()[0]) < 60


def test_a_pack_that_cannot_be_timed_is_a_fault_in_one_line(monkeypatch):
    monkeypatch.setattr(trial.sys, "executable", "/bin/false")
    with pytest.raises(UsageError, match="cannot be timed here"):
        trial.run(packs(), slots=1, threads=1)
