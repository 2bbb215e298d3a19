"""C11 to C15 on sweeps that say little, on results, and what they need beforehand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.charts.theme import THEMES
from analysis.claims import (
    enough_strings,
    gap_first,
    level_by_level,
    outcomes,
    partial_generalization,
    recovery_merges,
)
from analysis.claims.verdicts import NOT_TESTED
from analysis.frames.tables import Tables
from tests.analysis import synthetic
from tests.analysis.claims.test_simulated_learning import (
    SIMULATIONS,
    levelled_sweeps,
    parting_sweeps,
    sized_sweeps,
)

CLAIMS = {
    claim.id: claim
    for claim in (
        level_by_level.CLAIM,
        enough_strings.CLAIM,
        partial_generalization.CLAIM,
        gap_first.CLAIM,
        recovery_merges.CLAIM,
    )
}
each = pytest.mark.parametrize("name", CLAIMS)


def drawn(name: str, seeds: int) -> Tables:
    rng = np.random.default_rng(3)
    if name == "C12":
        return sized_sweeps(rng, seeds)
    return SIMULATIONS[name].draw(rng, seeds, 10.0)


@each
def test_every_result_has_a_sentence_and_a_figure(name):
    claim = CLAIMS[name]
    (found,) = outcomes(drawn(name, 4), [claim])
    assert found.result.verdict == "supported"
    assert found.sentence.startswith("Supported: ")
    assert "(4 seeds)" in found.sentence
    assert found.figure is not None
    (table,) = found.figure.data.values()
    assert table.loc[table["kind"] == "all", "mean"].item() == found.result.estimate.mean
    assert set(table["kind"]) == {"all", "cell", "seed"}
    for theme in THEMES.values():
        assert found.figure.spec(theme)["layer"]
    assert all(len(frame) for frame in found.frames.values())


@each
def test_a_single_seed_decides_nothing(name):
    (found,) = outcomes(drawn(name, 1), [CLAIMS[name]])
    assert found.result.verdict == "inconclusive"
    assert found.result.judgement.p_value is None
    assert "a single seed has no interval" in found.sentence
    assert found.result.remedy == "a second seed"


@each
def test_without_values_nothing_is_tested(name):
    made = drawn(name, 2)
    keys = {"training", "step", "level", "window"}
    frames = {"trainings": made.trainings}
    for table in made._frames:
        empty = dict.fromkeys(set(made[table].columns) - keys, np.nan)
        frames[table] = made[table].assign(**empty)
    for tables in (frames, {n: f if n == "trainings" else f.head(0) for n, f in frames.items()}):
        (found,) = outcomes(Tables.of(tables), [CLAIMS[name]])
        assert found.result.verdict == NOT_TESTED
        assert found.result.estimate.mean is None
        assert found.sentence == f"Not tested by this sweep. It would take {found.result.remedy}."
        assert found.figure is None


@each
def test_results_of_a_sweep_can_be_read(name, tables):
    (found,) = outcomes(tables, [CLAIMS[name]])
    assert found.sentence
    assert found.result.basis


def test_c14_is_repeated_at_a_tenth_and_both_are_said():
    tables = parting_sweeps(np.random.default_rng(5), 4, 3.0)
    found = gap_first.test(tables)
    assert found.early == pytest.approx(found.estimate)
    assert "at 0.1 = 0.0" in gap_first.sentence(found)
    tables["curves"]["gap_fraction"] += 0.4  # open from the first measured step on
    again = gap_first.test(tables)
    assert again.early.mean != pytest.approx(found.early.mean)


def test_c11_counts_the_lags_that_go_upwards():
    tables = levelled_sweeps(np.random.default_rng(6), 4, 0.0)
    found = level_by_level.test(tables)
    lags = found.frames["lags"]["lag"]
    assert (found.decided, found.upwards) == (8, (lags > 0).sum())
    assert 0 < found.upwards < 8


def test_c12_says_which_exponents_were_not_swept():
    made = sized_sweeps(np.random.default_rng(7), 4)
    own = made.trainings[made.trainings["grammar.num_synonyms"] == 2]
    levels = made["levels"][made["levels"]["training"].isin(own["training"])]
    found = enough_strings.test(Tables.of({"trainings": own, "levels": levels}))
    assert found.verdict == "supported"
    assert found.synonyms.mean is None
    assert found.remedy == "several values of m to test the exponent as well"
    assert "exponent of m" not in enough_strings.sentence(found)


def trials(*sizes: int, seeds: int = 2, **changes):
    pairs = product(sizes, range(seeds))
    return [synthetic.config(size=size, seed=seed, **changes) for size, seed in pairs]


ENOUGH = (32, 128, 512, 8192)
"""N*_l of v = 6, m = 4, L = 3 are 1,536, 384 and 96."""


@each
def test_a_sweep_over_sizes_lacks_nothing(name):
    assert CLAIMS[name].lacks(trials(*ENOUGH)) == []


@pytest.mark.parametrize(
    ("name", "lacking", "said"),
    [
        *((name, trials(*ENOUGH, seeds=1), "set seeds") for name in CLAIMS),
        *((name, trials(128), "give corpus.size several") for name in ("C12", "C13", "C15")),
        ("C11", trials(8, depth=1), "set grammar.depth"),
        *((name, trials(128, steps=64), "lower measurement.first") for name in ("C11", "C14")),
        ("C12", trials(64, 128), "widen the values of corpus.size"),
        ("C13", trials(2048, 4096), "lower corpus.size"),
        ("C15", trials(32, 4096, steps=2048), "raise training.steps"),
    ],
)
def test_what_is_lacking_is_told_beforehand(name, lacking, said):
    assert any(said in lack for lack in CLAIMS[name].lacks(lacking))


def test_sizes_that_come_with_other_settings_are_not_compared():
    mixed = trials(32) + trials(8192, width=128)
    for name in ("C12", "C13", "C15"):
        assert any("differ in N alone" in lack for lack in CLAIMS[name].lacks(mixed))


def test_frames_keep_the_reason_of_everything_left_out(tables):
    for name, column in (("C11", "lag"), ("C13", "y"), ("C14", "lag"), ("C15", "at_steps")):
        frames = CLAIMS[name].test(tables).frames
        frame: pd.DataFrame = next(iter(frames.values()))
        assert frame.loc[frame[column].isna(), "left_out"].notna().all()
