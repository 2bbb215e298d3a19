from __future__ import annotations

import itertools
import json
import sys
import time

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks.ceiling import generation_ceiling, training_ceiling
from benchmarks.peer import Peer
from benchmarks.timing import Clock
from study.weights import NetworkShape

CPU = torch.device("cpu")


def test_ratios_compare_turns_of_the_same_repetition(monkeypatch):
    """A machine that gets twice as slow in every repetition leaves the ratio alone."""
    seconds = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: 2.0 ** next(seconds))
    clock = Clock(CPU, seconds=0.0, repetitions=3)
    noop = lambda: None  # noqa: E731
    figure = clock.figure("kind", "case", "unit/s", {"ours": (noop, 12), "other": (noop, 1)})
    assert figure.ratios["other"] == pytest.approx(12 * 4)  # the second turn is 4 times as long


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
    arguments = ["--quick", "--only", "measuring", "--threads", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    command.main()
    (figure,) = json.loads(out.read_text())["figures"]
    assert figure["ours"] > 0
    assert "G=1000 N=2000" in capsys.readouterr().out


def test_a_folder_without_a_known_project_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no checkout"):
        Peer.load(tmp_path, CPU)
