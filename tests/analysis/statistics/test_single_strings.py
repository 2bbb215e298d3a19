"""Single strings: against what is known of them, and against the tables of a real training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import Tables, load
from analysis.frames.tables import Problem
from analysis.report.findings import find
from analysis.report.gallery import figures
from analysis.statistics.level_typicality import level_strata
from analysis.statistics.single_strings import single_strings, strings_table
from study.config import TrialConfig
from study.store.results import Results
from study.training.run import run_pack


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real trainings, on grammars whose rules differ in probability at two levels."""
    folder = tmp_path_factory.mktemp("trained")
    grammar = {"depth": 3, "vocab_size": 4, "num_synonyms": 3, "zipf": {"0": 1.0, "2": 1.5}}
    configs = [
        TrialConfig.from_dict(
            {
                "grammar": grammar,
                "corpus": {"size": 64, "unique": seed == 0},
                "network": {"width": 8},
                "diffusion": {"num_timesteps": 25},
                "training": {"steps": 32},
                "measurement": {"first_step": 16, "generated": 400, "budget": None},
                "seed": seed,
            }
        )
        for seed in range(2)
    ]
    run_pack(configs, Results.open(folder))
    return folder


def slopes(rows: pd.DataFrame, column: str) -> float:
    """Σ_b (n_Db/N)·z_b·y_b of the strata of one step."""
    weight = rows["n_training"] / rows["n_training"].sum()
    centred = rows["mean_log_p"] - (weight * rows["mean_log_p"]).sum()
    z = centred / np.sqrt((weight * centred**2).sum())
    return float((weight * z * rows[column]).sum())


@pytest.mark.parametrize(
    ("reading", "column", "slope"),
    [
        ("emission", "emission_excess", "typicality_slope"),
        ("likelihood", "memorized_excess", "likelihood_slope"),
    ],
)
def test_the_strata_of_levels_have_the_slopes_in_the_tables(trained, reading, column, slope):
    tables = load(trained)
    found = level_strata(tables)
    own = found[found["reading"] == reading]
    assert set(own["level"]) == {0, 2}
    levels = tables["levels"].set_index(["training", "step", "level"])[slope].dropna()
    compared = 0
    for key, rows in own.groupby(["training", "step", "level"]):
        if key in levels.index:
            assert slopes(rows, column) == pytest.approx(levels[key], abs=1e-9)
            compared += 1
    assert compared == len(levels) >= 8


def followed(p_values: dict[int, list[float]]) -> dict[str, pd.DataFrame]:
    """Tables of one training with six training strings and two controls, from p-values by step."""
    number = len(next(iter(p_values.values())))
    strings = pd.DataFrame(
        {
            "training": "t",
            "string": range(number + 2),
            "side": ["training"] * number + ["control"] * 2,
            "stratum": [*np.arange(number) * 3 // number, 0, 0],
        }
    )
    likelihood = pd.concat(
        pd.DataFrame(
            {
                "training": "t",
                "step": step,
                "string": range(number + 2),
                "p_value": [*p, None, None],
                "loss": [1.0] * number + [3.0, 5.0],
            }
        )
        for step, p in p_values.items()
    )
    trainings = pd.DataFrame({"training": ["t"], "cell": "c", "seed": 0})
    return {"trainings": trainings, "strings": strings, "likelihood": likelihood}


def test_a_string_is_memorized_since_the_step_from_which_it_always_is():
    tables = followed(
        {
            8: [0.05, 0.9, 0.05, 0.9, 0.9, 0.9],
            16: [0.05, 0.9, 0.30, 0.9, 0.9, 0.9],
            32: [0.05, 0.9, 0.05, 0.9, 0.9, 0.9],
        }
    )
    found = strings_table(tables)
    since = found[found["panel"] == "since"].pivot_table(index="x", columns="series", values="mean")
    assert since["typical third"].tolist() == [0.5, 0.5, 0.5]
    assert since["middle third"].tolist() == [0.0, 0.0, 0.5]
    assert since["atypical third"].tolist() == [0.0, 0.0, 0.0]


def test_shares_below_a_p_value_and_of_a_loss_add_up():
    found = strings_table(followed({8: [0.9] * 6, 16: [0.05, 0.1, 0.15, 0.5, 0.75, 1.0]}))
    assert set(found[found["panel"] != "since"]["step"]) == {16}
    p = found[found["series"] == "training strings"].set_index(["panel", "x"])["mean"]["p"]
    at = dict(zip(p.index.to_numpy().round(2), p * 6, strict=True))
    assert [round(at[x]) for x in (0.05, 0.1, 0.15, 0.45, 0.5, 0.75, 1.0)] == [1, 2, 3, 3, 4, 5, 6]
    chance = found[found["series"] == "chance, at most"]
    assert chance["mean"].tolist() == chance["x"].tolist()
    assert (chance["seeds"] == 0).all()
    losses = found[found["panel"] == "loss"].groupby("series")["mean"]
    assert losses.sum().to_dict() == pytest.approx({"training strings": 1.0, "controls": 1.0})
    controls = found[(found["series"] == "controls") & (found["mean"] > 0)]
    assert controls["mean"].tolist() == [0.5, 0.5]
    assert np.allclose(controls["x"], [3, 5], atol=0.1)


def test_large_sweeps_are_reported_without_their_single_strings(trained, monkeypatch):
    monkeypatch.setattr("analysis.statistics.single_strings.MOST_TRAININGS", 1)
    tables = load(trained)
    monkeypatch.setattr(tables, "_reader", refusing(tables._reader))
    assert strings_table(single_strings(tables)).empty
    names = {f.name for f in figures(find(tables, axes=["corpus.size"], facet=None, expected=2))}
    assert "timing" in names
    assert not names & {"strings", "typicality-by-level"}


def refusing(reader):
    """A reader that refuses the tables of single strings."""

    def read(name, *rest):
        assert name not in ("strings", "likelihood", "emissions")
        return reader(name, *rest)

    return read


def test_real_trainings_have_every_figure_of_single_strings(trained):
    found = find(load(trained), axes=["corpus.unique"], facet=None, expected=2)
    drawn = {figure.name: figure for figure in figures(found)}
    assert {"strings", "typicality-by-level", "timing"} <= set(drawn)
    for name in ("strings", "typicality-by-level", "timing"):
        assert drawn[name].datasets()


def test_damaged_strings_are_named_and_their_training_is_still_counted(trained):
    tables = load(trained)
    own = tables.trainings["training"].iloc[0]
    found = find(
        Tables(tables.trainings, tables._reader, [Problem(own, "strings"), Problem(own, "again")]),
        axes=["corpus.unique"],
        facet=None,
        expected=2,
    )
    assert [problem.what for problem in found.problems] == ["again"]
    assert found.counts["damaged"] == 0
    assert found.counts["finished"] == 2
