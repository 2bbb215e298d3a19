"""The benchmark of measurements, on a pack as small as it gets."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import measurements
from benchmarks.measurements import Large
from benchmarks.packs import Setting

TINY = Setting(size=32, generated=32, depth=2, width=4, members=1)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "BASE", TINY)
    monkeypatch.setattr(measurements, "GROWTH", {"generated": (64,)})
    monkeypatch.setattr(measurements, "apart", measurements.here)
    monkeypatch.setattr(Large, "measured", lambda of=Large.measured: of(size=200, count=100))


@pytest.mark.usefixtures("tiny")
def test_one_command_prints_markdown_and_writes_json(tmp_path, monkeypatch, capsys):
    out = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["measurements", "--out", str(out)])
    measurements.main()
    printed = capsys.readouterr().out
    tables = [line for line in printed.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in tables] == [
        "", "---", "base", "G = 64", "", "---", "G = 64",
    ]  # fmt: skip
    assert len({line.count("|") for line in tables[:4]}) == 1
    document = json.loads(out.read_text())
    assert set(document["seconds"]) == {"base", "G = 64"}
    assert all(x > 0 for own in document["seconds"].values() for x in own.values())
    assert document["large"]["peak"] >= document["large"]["before"]


def test_rows_are_in_steps_and_in_multiples_of_the_base():
    base, own = {"step": 0.002, "noise": 0.02}, {"step": 0.004, "noise": 0.02}
    assert measurements.in_steps("x", own) == ["x", "4.00", "5"]
    assert measurements.in_multiples("x", own, base) == ["x", "2", "1"]
