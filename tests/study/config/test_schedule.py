"""The schedule: it follows from the configuration, keeps to its budget, forgets no generation."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from study.config import ConfigError, MeasurementConfig, TrialConfig
from study.config.schedule import LIKELIHOOD_SHARE, Schedule
from tests.study.small import small


@st.composite
def schedules(draw) -> Schedule:
    return Schedule(
        first_step=draw(st.integers(1, 64)),
        per_octave=draw(st.integers(1, 4)),
        likelihood_per_octave=draw(st.integers(1, 8)),
        budget=draw(st.none() | st.floats(0.01, 3)),
        training_passes=draw(st.integers(3, 1000)),
        generating_passes=draw(st.integers(100, 100_000)),
        likelihood_passes=draw(st.integers(10, 10_000)),
    )


@settings(deadline=None, max_examples=60)
@given(schedules(), st.integers(1, 100_000), st.integers(0, 100_000))
def test_measured_steps_never_depend_on_the_length(schedule, last, more):
    short, long = schedule.until(last), schedule.until(last + more)
    assert long[: len(short)] == short
    steps = [step for step, _ in short]
    assert steps == sorted(set(steps))
    assert all(step <= last for step in steps)


HARDLY_ANYTHING_LEFT = Schedule(
    first_step=21,
    per_octave=2,
    likelihood_per_octave=5,
    budget=1.0,
    training_passes=30,
    generating_passes=321,
    likelihood_passes=64,
)
"""Strings take nearly all of it where they are generated, and leave the share of a likelihood."""


@settings(deadline=None, max_examples=60)
@given(schedules())
@example(HARDLY_ANYTHING_LEFT)
def test_the_budget_is_kept_at_every_step_and_used(schedule):
    spent = likelihood = 0.0
    measured = schedule.until(2**20)
    for step, generates in measured:
        spent += schedule.likelihood_passes + generates * schedule.generating_passes
        likelihood += (not generates) * schedule.likelihood_passes
        if schedule.budget is not None:
            limit = schedule.budget * step * schedule.training_passes
            assert spent <= limit * (1 + 1e-9)
            assert likelihood <= limit * LIKELIHOOD_SHARE * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(schedules())
def test_strings_are_generated_as_soon_as_the_budget_affords_it(schedule):
    first = schedule.first_generated_step
    measured = schedule.until(first)
    assert measured[-1] == (first, True)
    assert not any(generates for _, generates in measured[:-1])
    if schedule.budget is None:
        assert measured == [(schedule.first_step, True)]


def test_without_a_budget_both_grids_are_measured_in_full():
    config = small(
        measurement__per_octave=1, measurement__likelihood_per_octave=2, training__steps=64
    )
    assert config.measured_steps == [8, 11, 16, 23, 32, 45, 64]
    assert config.generated_steps == [8, 16, 32, 64]


def test_generation_comes_with_the_likelihood_where_grids_do_not_meet():
    config = small(
        measurement__per_octave=3, measurement__likelihood_per_octave=2, training__steps=16
    )
    assert config.schedule.until(16) == [
        (8, True),
        (10, True),
        (11, False),
        (13, True),
        (16, True),
    ]


def test_what_the_budget_does_not_afford_is_left_out():
    """G·T = 64·24 passes against 3·8 of a step; likelihoods take 640 at a time."""
    config = small(
        measurement__budget=1.0, measurement__likelihood_per_octave=2, training__steps=1000
    )
    assert config.schedule.training_passes == 24
    assert config.schedule.generating_passes == 64 * 24
    assert config.schedule.likelihood_passes == 2 * (16 + 16) * 10
    assert config.generated_steps == [128, 256, 512]
    assert config.measured_steps == [91, 128, 256, 362, 512, 724]


def test_a_training_that_could_never_generate_is_refused_with_what_to_do():
    with pytest.raises(ConfigError, match=r"at which strings are generated, 128; raise them"):
        small(measurement__budget=1.0, training__steps=127)


def test_by_default_every_training_is_measured_at_its_end_however_short():
    assert MeasurementConfig().budget is None
    document = small().to_dict() | {"measurement": {}}
    document["training"] |= {"steps": 64}
    assert TrialConfig.from_dict(document).generated_steps == [64]


@settings(deadline=None, max_examples=60)
@given(schedules(), st.integers(0, 5000))
def test_the_smallest_budget_affords_strings_in_time_and_is_no_larger_than_it_must(schedule, more):
    last = schedule.first_step + more
    budget = schedule.smallest_budget(last)
    assert replace(schedule, budget=budget).first_generated_step <= last
    measured = replace(schedule, budget=None).until(last)
    step = max(step for step, generates in measured if generates)
    everything = schedule.generating_passes + schedule.likelihood_passes
    necessary = everything / (step * schedule.training_passes)
    assert replace(schedule, budget=0.999 * necessary).first_generated_step > last
    likelihoods = len(measured) * schedule.likelihood_passes / (step * schedule.training_passes)
    assert necessary <= budget <= 1.1 * (necessary + likelihoods)


@settings(deadline=None, max_examples=60)
@given(
    steps=st.integers(1, 300),
    first_step=st.integers(1, 300),
    budget=st.none() | st.floats(0.01, 3),
)
def test_the_advice_to_a_training_that_could_never_generate_works(steps, first_step, budget):
    change = {"measurement__first_step": first_step, "measurement__budget": budget}
    try:
        small(**change, training__steps=steps)
        return
    except ConfigError as error:
        said = str(error)
    raised = int(re.search(r"raise them to (\d+)", said)[1])
    assert small(**change, training__steps=raised).generated_steps == [raised]
    with pytest.raises(ConfigError):
        small(**change, training__steps=raised - 1)
    if lower := re.search(r"first_step to (\d+)", said):
        change["measurement__first_step"] = int(lower[1])
    if higher := re.search(r"budget to (\S+)", said):
        change["measurement__budget"] = float(higher[1])
    assert small(**change, training__steps=steps).generated_steps
