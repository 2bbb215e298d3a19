"""What a plan says of networks and claims, beside hours and operations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sweeps.files import spec
from sweeps.planning.networks import networks
from tests.sweeps.tiny import memophase

SWEEP = """\
name: two-kinds
base:
  grammar: {depth: 3, vocab_size: 4, num_synonyms: 2}
  corpus: {size: 16}
  training: {steps: 64}
  measurement: {first_step: 16}
grid:
  network.width: [8, 16]
  network.kind: [unet, transformer]
seeds: 2
"""


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweep.yaml").write_text(SWEEP)


def test_every_kind_and_size_of_network_has_a_line():
    trials = [training.config for training in spec.load("sweep.yaml", []).trainings]
    found = networks(trials)
    assert [(n.kind, n.width, n.trainings) for n in found] == [
        ("transformer", 8, 2), ("transformer", 16, 2), ("unet", 8, 2), ("unet", 16, 2),
    ]  # fmt: skip
    narrow, wide = found[2:]
    assert narrow.parameters[0] == narrow.parameters[1] < wide.parameters[0]
    assert 3 < wide.step_flop[0] / narrow.step_flop[0] < 4
    text = memophase("plan", "sweep.yaml", "--no-time").stdout
    assert text.count("\nnetwork  ") == 4
    assert f"unet of width 16: {wide.parameters[0]:,} parameters" in text


def test_networks_that_depend_on_the_grammar_say_from_what_to_what():
    option = "grid.grammar.vocab_size=[4,6]"
    trials = [training.config for training in spec.load("sweep.yaml", [option]).trainings]
    least, most = networks(trials)[2].parameters
    assert least < most


def test_claims_are_told_testable_or_what_they_lack():
    planned = json.loads(memophase("plan", "sweep.yaml", "--no-time", "--json").stdout)
    lacks = {claim["id"]: claim["lacks"] for claim in planned["claims"]}
    assert lacks["C9"] == []
    assert "set grammar.zipf" in lacks["C1"][0]
    assert any("give corpus.size several values" in lack for lack in lacks["C7"])
    text = memophase("plan", "sweep.yaml", "--no-time").stdout
    assert "not C1, C2, C16, C20: all rules are equally probable" in text
    (line,) = [line for line in text.splitlines() if line.startswith("claims")]
    testable = [claim for claim, lack in lacks.items() if not lack]
    assert line.endswith(f"{len(testable)} of {len(lacks)} can be tested: {', '.join(testable)}")


def test_a_single_stratum_is_told_with_what_to_set():
    def typicality(*options: str) -> list[str]:
        text = memophase("plan", "sweep.yaml", "--no-time", *options).stdout
        return [line for line in text.splitlines() if line.startswith("typicality")]

    (line,) = typicality()
    assert "is a single point in 4 of 4 cells: all rules are equally probable" in line
    tails = ("--set", "grammar.zipf={0: 1.0}")
    assert "fewer than 38 controls" in typicality(*tails)[0]
    assert typicality(*tails, "--set", "corpus.control_size=64") == []
