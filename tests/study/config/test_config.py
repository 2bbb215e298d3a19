from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.config import ConfigError, TrialConfig
from tests.study.small import small


def test_golden_identities():
    """Promises to results that already lie on disks: these change with SEMANTICS and never else."""
    assert small().hash == "73fe08416c473995"
    assert small(seed=3, grammar__zipf={0: 1.5}, corpus__unique=False).hash == "d30d640052db0620"


@pytest.mark.parametrize("extent", [8, 33, 10_000])
def test_the_length_of_a_training_is_outside_its_identity(extent):
    assert small(training__steps=extent).hash == small().hash


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"grammar__depth": 3},
        {"grammar__zipf": {0: 1.0}},
        {"corpus__size": 41},
        {"corpus__unique": False},
        {"network__width": 9},
        {"training__batch_size": 9},
        {"training__noisings": 2},
        {"training__learning_rate": 0.02},
        {"diffusion__num_timesteps": 25},
        {"diffusion__process": "absorbing"},
        {"measurement__generated": 65},
        {"measurement__reverse_steps": 12},
        {"training__precision": "bfloat16"},
        {"training__compile": True},
        {"measurement__per_octave": 2},
        {"measurement__likelihood_per_octave": 2},
        {"measurement__budget": 8.0},
        {"measurement__loss_strings": 17},
        {"measurement__noise_strings": 17},
        {"measurement__loss_draws": 11},
    ],
)
def test_whatever_changes_results_changes_the_identity(change):
    assert small(**change).hash != small().hash


@pytest.mark.parametrize(
    "change",
    [
        {"grammar__num_classes": 6},
        {"corpus__control_size": 40},
        {"corpus__size": 40.0},
        {"grammar__seed": 0},
        {"measurement__reverse_steps": 24},
        {"diffusion__process": "uniform"},
        {"training__precision": "float32"},
        {"training__compile": False},
        {"grammar__zipf": {"1": 1, "0": 0}},
    ],
)
def test_writing_out_a_default_is_the_same_training(change):
    assert small(**change).hash == small().hash


def test_what_is_kept_is_outside_the_identity():
    assert small(training__keep="log2").hash == small().hash


@settings(deadline=None, max_examples=30)
@given(
    first=st.integers(1, 50),
    per_octave=st.integers(1, 16),
    steps=st.integers(50, 5000),
    more=st.integers(0, 5000),
)
def test_measured_steps_never_depend_on_the_length(first, per_octave, steps, more):
    change = {"measurement__first_step": first, "measurement__per_octave": per_octave}
    short = small(**change, training__steps=steps).measured_steps
    long = small(**change, training__steps=steps + more).measured_steps
    assert long[: len(short)] == short
    assert short == sorted(set(short))
    assert short[0] == first
    assert short[-1] <= steps


@settings(deadline=None, max_examples=50)
@given(
    depth=st.integers(1, 3),
    exponent=st.floats(0, 3),
    level=st.integers(0, 2),
    width=st.integers(1, 512),
    seed=st.integers(0, 2**31),
)
def test_a_config_survives_json(depth, exponent, level, width, seed):
    zipf = {level: exponent} if level < depth else {}
    config = small(
        grammar__depth=depth,
        grammar__zipf=zipf,
        network__width=width,
        seed=seed,
        corpus__unique=False,
    )
    back = TrialConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert back == config
    assert back.hash == config.hash


def test_every_fault_is_reported_at_once_with_its_path():
    with pytest.raises(ConfigError) as caught:
        TrialConfig.from_dict(
            {
                "grammar": {"depth": "3", "vocab_size": 6, "num_synonims": 4},
                "corpus": {"size": -1},
                "network": {"width": True},
                "training": {"steps": 10, "learning_rate": "1e-3"},
                "seed": 1.5,
            }
        )
    faults = {".".join(path): what for path, what in caught.value.faults}
    assert set(faults) == {
        "grammar.depth",
        "grammar.num_synonims",
        "grammar.num_synonyms",
        "corpus.size",
        "network.width",
        "training.learning_rate",
        "seed",
    }
    assert "did you mean 'num_synonyms'" in faults["grammar.num_synonims"]
    assert "1.0e-3" in faults["training.learning_rate"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"corpus__size": 10**6}, "the grammar has only"),
        ({"grammar__num_synonyms": 7}, "grammar"),
        ({"grammar__depth": 12, "grammar__tuple_size": 3}, "longer than"),
        ({"grammar__zipf": {2: 1.0}}, "level 2"),
        ({"grammar__zipf": {0: -1.0}}, "0 or more"),
        ({"grammar__zipf": {"deep": 1.0}}, "whole number"),
        ({"training__steps": 7}, "first measured step"),
        ({"diffusion__num_timesteps": 20}, "21 or more"),
        ({"training__learning_rate": 0.0}, "above 0"),
        ({"training__learning_rate": float("nan")}, "must be a number"),
        ({"measurement__budget": 0.0}, "above 0"),
        ({"measurement__budget": 0.5}, "at which strings are generated"),
        ({"diffusion__process": "masked"}, "one of uniform, absorbing, not 'masked'"),
        ({"training__keep": "all"}, "one of last, log2, not 'all'"),
        ({"corpus__unique": 1}, "true or false"),
        ({"measurement": 3}, "mapping"),
    ],
)
def test_what_cannot_be_trained_is_refused(change, says):
    with pytest.raises(ConfigError, match=says):
        small(**change)


def test_flat_names_every_setting_with_defaults_resolved():
    flat = small(seed=5).flat()
    assert flat["grammar.num_classes"] == 6
    assert flat["corpus.control_size"] == 40
    assert flat["grammar.zipf.0"] == 0.0
    assert flat["grammar.zipf.1"] == 1.0
    assert flat["grammar.seed"] == 5


def test_a_config_error_comes_whole_out_of_another_process():
    with pytest.raises(ConfigError) as caught:
        small(network__width=0, training__keep="all")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.faults == caught.value.faults
    assert str(again) == str(caught.value)
    assert "must be one of last, log2, not 'all'" in str(again)
