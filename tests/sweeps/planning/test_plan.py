"""What a plan says of networks and claims, beside hours and operations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from study.config import TrialConfig
from study.models.transformer_counts import num_weights
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


def trials_of(options: list[str]) -> list[TrialConfig]:
    return [training.config for training in spec.load("sweep.yaml", options).trainings]


def with_network(trial: TrialConfig, **changes: int | None) -> TrialConfig:
    return replace(trial, network=replace(trial.network, **changes))  # type: ignore[arg-type]


def test_every_kind_and_size_of_network_has_a_line():
    found = networks(trials_of([]))
    assert [(n.kind, n.width, n.trainings) for n in found] == [
        ("transformer", 8, 2), ("transformer", 16, 2), ("unet", 8, 2), ("unet", 16, 2),
    ]  # fmt: skip
    narrow, wide = found[2:]
    assert narrow.parameters[0] == narrow.parameters[1] < wide.parameters[0]
    assert 3 < wide.step_flop[0] / narrow.step_flop[0] < 4
    text = memophase("plan", "sweep.yaml", "--no-time").stdout
    assert text.count("\nnetwork  ") == 4
    assert f"unet of width 16: {wide.parameters[0]:,} parameters" in text


def test_beside_transformers_a_plan_says_which_width_has_as_many_parameters():
    for layers in (None, 6):
        trials = [
            with_network(t, layers=layers) if t.network.kind == "transformer" else t
            for t in trials_of([])
        ]
        *_, wide = networks(trials)
        transformer = next(trial for trial in trials if trial.network.kind == "transformer")
        apart = {
            W: abs(num_weights(with_network(transformer, width=W)) - wide.parameters[0])
            for W in range(8, 64, 8)
        }
        assert wide.matched == (best := min(apart, key=apart.__getitem__), best)
    text = memophase("plan", "sweep.yaml", "--no-time").stdout
    assert text.count("; of transformers width ") == 2
    alone = memophase("plan", "sweep.yaml", "--no-time", "--set", "grid.network.kind=[unet]").stdout
    assert "of transformers" not in alone


def test_networks_that_depend_on_the_grammar_say_from_what_to_what():
    least, most = networks(trials_of(["grid.grammar.vocab_size=[4,6]"]))[2].parameters
    assert least < most


def test_of_claims_on_rules_nothing_else_is_told_where_there_are_none():
    named = SWEEP.replace("  grammar: {depth: 3, vocab_size: 4, num_synonyms: 2}\n", "")
    Path("sweep.yaml").write_text(named.replace("size: 16}", "size: 16, source: words}"))
    planned = json.loads(memophase("plan", "sweep.yaml", "--no-time", "--json").stdout)
    lacks = {claim["id"]: claim["lacks"] for claim in planned["claims"]}
    said = "these strings have no grammar, and so no rules: set corpus.source to grammar"
    assert {name for name, lack in lacks.items() if lack == [said]} == {
        "C2", "C3", "C4", "C11", "C12", "C13", "C17",
    }  # fmt: skip
    assert not any("zipf" in lack for each in lacks.values() for lack in each)


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
