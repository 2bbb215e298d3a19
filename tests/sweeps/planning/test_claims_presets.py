"""The presets that test the claims: each can test what it says, together all of them."""

from __future__ import annotations

import re

import pytest

from analysis.claims import claims
from analysis.claims.readiness import readiness
from sweeps import presets
from sweeps.files import spec

NAMES = [name for name in presets.names() if name.startswith("claims-")]


def said(name: str) -> set[str]:
    """The claims that the header of a preset names."""
    text = presets.path(name).read_text(encoding="utf-8")
    header = " ".join(line for line in text.splitlines() if line.startswith("#"))
    return set(re.findall(r"C\d+b?", header))


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_can_test_what_it_says(name: str):
    trainings = [training.config for training in spec.load(name, []).trainings]
    testable = {one.id for one in readiness(trainings) if one.testable}
    measured_again = {"C19"}
    assert said(name) - measured_again <= testable
    assert len({trial.seed for trial in trainings}) >= 6


def test_together_they_test_every_claim():
    of_sweeps = {claim.id for claim in claims() if claim.id != "C20"}
    assert set().union(*(said(name) for name in NAMES)) == of_sweeps


def test_c19_measures_the_networks_of_its_preset_with_other_reverse_steps():
    trainings = [training.config for training in spec.load("claims-reverse-steps", []).trainings]
    assert all(trial.training.keep == "log2" for trial in trainings)
