from __future__ import annotations

import itertools
import json
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import sweep
from benchmarks.ceiling import generation_ceiling, training_ceiling
from benchmarks.crew import Crew, Run
from benchmarks.peer import Peer
from benchmarks.timing import CEILING, OURS, PEER, Case, Clock
from study.models.weights import NetworkShape
from sweeps.files import spec
from sweeps.planning import packing

CPU = torch.device("cpu")


class Doubling:
    """Processes on a machine that is twice as slow at every turn, whoever runs."""

    turn = itertools.count()

    def build(self, build: object) -> None:
        """Nothing."""

    def seconds(self, count: int) -> list[float]:
        """Two processes, the second a little slower."""
        now = 2.0 ** next(self.turn)
        return [count * now, 1.25 * count * now]


def test_ratios_compare_turns_of_the_same_repetition():
    """A machine that gets slower in every repetition leaves the ratio alone."""
    clock = Clock(seconds=0.0, repetitions=3, crews={OURS: Doubling(), PEER: Doubling()})
    case = Case("kind", "case", "unit/s", {OURS: (None, 12), PEER: (None, 1)})
    figure = clock.figure(case)
    assert figure.ratios[PEER] == pytest.approx(12 * 2)  # the second turn is twice as long


class Steady:
    """Two processes to which every run takes a second."""

    pipes = (None, None)

    def build(self, build: object) -> None:
        """Nothing."""

    def seconds(self, count: int) -> list[float]:
        """As many seconds."""
        return [float(count), float(count)]


def test_a_sweep_is_compared_with_all_that_it_consists_of(monkeypatch):
    """24 trainings of 128 steps, measured at 64 and 128 on 512 strings in 50 reverse steps."""
    monkeypatch.setattr(sweep, "_ours", lambda options: (2.0, 0.75))
    crews = {OURS: Steady(), CEILING: Steady(), PEER: Steady()}
    figure = sweep.figure(Clock(0.0, 1, crews), Peer(Path()), quick=True)
    packs = len(packing.packed(spec.load(sweep.PRESET, sweep.QUICK).trainings, {}, slots=2))
    assert figure.ours == 24 / 2.0
    assert figure.rates[PEER] == pytest.approx(24 / (24 * 128 / 2 / 60))
    assert figure.rates[CEILING] == pytest.approx(24 / (packs * (128 + 2 * 50) / 2 / 60))
    assert figure.ratios[PEER] == pytest.approx(figure.ours / figure.rates[PEER])
    assert list(figure.remarks.values()) == [0.75]


def asleep(seconds: float, device: torch.device) -> Run:
    """Work that takes so long."""
    assert device == CPU
    return partial(time.sleep, 1 / (1 / seconds))


def test_processes_work_at_once_and_pass_on_what_goes_wrong():
    with Crew.of(2, 1, CPU) as crew:
        crew.build(partial(asleep, 0.05))
        begun = time.perf_counter()
        found = crew.seconds(10)
        assert min(found) >= 0.5
        assert time.perf_counter() - begun < sum(found)
        with pytest.raises(ZeroDivisionError):
            crew.build(partial(asleep, 0))


def test_ceilings_multiply_what_the_network_multiplies(monkeypatch):
    shape, flops, bmm = NetworkShape(2, 2, 6, 8), [], torch.bmm

    def counted(a, b, **out):
        flops.append(2 * a.numel() * b.shape[2])
        return bmm(a, b, **out)

    ceilings = [make(shape, 3, 5, CPU) for make in (training_ceiling, generation_ceiling)]
    monkeypatch.setattr(torch, "bmm", counted)
    totals = []
    for run in ceilings:
        run()
        totals.append(sum(flops))
        flops.clear()
    leaves, pairs, roots, W, v = 4 * 5, 2 * 5, 5, 8, 8
    down = (pairs + roots) * 2 * W * W
    up = 2 * (roots + pairs) * 2 * W * W
    ends = 2 * leaves * W * v
    assert totals[0] == 3 * 2 * (3 * (down + up + ends) + 2 * leaves * v * W)
    assert totals[1] == 3 * 2 * (down + up + leaves * W * v)  # 36 pairs: too many to look up


def test_the_command_writes_figures(tmp_path, monkeypatch, capsys):
    out = tmp_path / "figures.json"
    arguments = ["--quick", "--only", "measuring", "--at-once", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    command.main()
    (figure,) = json.loads(out.read_text())["figures"]
    assert figure["ours"] > 0
    assert "G=1000 N=2000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--peer", "{folder}"], "no checkout of a known project"),
        pytest.param(
            ["--device", "cuda"],
            "torch finds no GPU here",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is one"),
        ),
    ],
)
def test_what_cannot_be_measured_is_one_error(arguments, what, tmp_path, monkeypatch, capsys):
    given = [argument.format(folder=tmp_path) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *given])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert what in line
