"""Estimates of what packs take, from the times of their parts."""

import dataclasses

import pytest

from sweeps.faults import UsageError
from sweeps.files import spec
from sweeps.planning import calibration, packing
from sweeps.planning.calibration import Calibration
from sweeps.planning.pace import Pace, Parts, mean
from sweeps.planning.packing import Pack
from tests.sweeps.tiny import TINY

PARTS = Parts(
    prepared=2.0, step=0.5, reverse=0.01, read=0.25, measured=1.0, first=3.0, published=0.125
)


def packs(*options: str) -> list[Pack]:
    return packing.packed(spec.loads(TINY, options).trainings, {}, slots=1)


def configs(pack: Pack):
    return [training.config for training in pack.trainings]


def test_a_timed_pack_takes_the_sum_of_its_parts():
    """Measured at 8, 16 and 32; 40 strings are generated as one chunk of 512 by 21 steps."""
    (pack,) = packs()
    pace = Pace.of(PARTS, configs(pack))
    generating = 512 * 21 * 0.01
    whole = 2.0 + 3.0 + 32 * 0.5 + 3 * (generating + 0.25 + 1.0 + 0.125)
    assert pace.seconds(pack) == pytest.approx(whole)
    rest = Pack.of(pack.trainings, 16)
    assert pace.seconds(rest) == pytest.approx(5.0 + 16 * 0.5 + generating + 0.25 + 1.0 + 0.125)


def test_a_mean_lies_between():
    (pack,) = packs()
    pace = Pace.of(PARTS, configs(pack))
    faster = Pace(**{name: x / 4 for name, x in dataclasses.asdict(pace).items()})
    assert mean([pace, faster]).training == pytest.approx(pace.training / 2)
    assert mean([pace, faster], [1e9, 1]).reading == pytest.approx(pace.reading)


def test_what_was_not_timed_follows_from_its_neighbours():
    (narrow,), (between,), (wide,) = (packs(f"network.width={W}") for W in (8, 16, 32))
    fast, slow = (Pace.of(dataclasses.replace(PARTS, step=s), configs(narrow)) for s in (0.5, 2.0))
    found = Calibration(
        1.0,
        {calibration.place_of(configs(narrow)): fast, calibration.place_of(configs(wide)): slow},
    )
    assert found.seconds(narrow) == fast.seconds(narrow)
    assert fast.seconds(between) < found.seconds(between) < slow.seconds(between)


def test_one_pack_of_each_kind_is_timed_and_none_that_is_too_large():
    text = TINY.replace("network: {width: 8}", "network: {}").replace(
        "[4, 8]", "[4, 8]\n  network.width: [8, 16, 4096]"
    )
    sweep = spec.loads(text, ["seeds=10"])
    chosen = calibration.examples(packing.packed(sweep.trainings, {}, slots=2))
    assert sorted(pack.trainings[0].config.network.width for pack in chosen) == [8, 16]
    (only,) = calibration.examples(packs("network.width=8192", "seeds=1", "corpus.size=4"))
    assert only.trainings[0].config.network.width == 8192


def test_processes_time_packs_at_once():
    found = calibration.calibrated(packs(), slots=2, threads=1)
    (pace,) = found.paces.values()
    assert found.start > 0
    assert all(seconds > 0 for seconds in dataclasses.asdict(pace).values())
    assert 0 < found.seconds(packs()[0]) < 60


def test_a_pack_that_cannot_be_timed_is_a_fault_in_one_line(monkeypatch):
    monkeypatch.setattr(calibration.sys, "executable", "/bin/false")
    with pytest.raises(UsageError, match="cannot be timed here"):
        calibration.calibrated(packs(), slots=1, threads=1)
