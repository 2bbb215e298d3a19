"""What C2, C5, C18 and C19 need, what they leave out, and what they say of it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.charts.theme import LIGHT
from analysis.claims import claims, common_rules, deduplicated, medium_noise, reverse_steps
from analysis.claims.verdicts import INCONCLUSIVE, NOT_TESTED, SUPPORTED
from analysis.frames import cells
from analysis.frames.tables import Tables
from analysis.statistics import deduplication, noise_gap, partial_window, reverse_step_slopes
from analysis.statistics.peaks import highest
from analysis.statistics.sampler_bias import (
    COMMONEST_RULE,
    MEMORIZER,
    commonest_rule_bias,
    memorizer_excess,
)
from analysis.statistics.seeds import mean_over_seeds
from analysis.statistics.typicality_slopes import TOO_SMALL
from tests.analysis import synthetic
from tests.analysis.claims import simulated, test_simulated, test_simulated_noise

RNG = np.random.default_rng
DOCS = Path(__file__).parents[3] / "docs/reverse-steps.md"


def clear(name: str, seeds: int = 3) -> Tables:
    """One sweep with an effect that is hard to miss."""
    return test_simulated.SIMULATIONS[name].draw(RNG(0), seeds, 20.0)


def changed(tables: Tables, name: str, **columns: object) -> Tables:
    frames = {key: tables[key] for key in ("trainings", *tables._frames)}
    return Tables.of({**frames, name: frames[name].assign(**columns)})


def reasons(frame: pd.DataFrame) -> set:
    return set(frame["left_out"])


def test_the_sampler_is_off_by_what_the_docs_list():
    sections = DOCS.read_text(encoding="utf-8").split("\n## ")
    rule = next(s for s in sections if s.startswith("L = 2, v = 6, m = 4"))
    memorizer = next(s for s in sections if s.startswith("L = 3, v = 6, m = 4"))
    for section, column, table in ((rule, 2, COMMONEST_RULE), (memorizer, 4, MEMORIZER)):
        listed = {}
        for row in re.findall(r"^\| \d+ \| (\d+) \| (.*) \|$", section, re.MULTILINE):
            listed.setdefault(int(row[0]), float(row[1].split(" | ")[column - 1].split(" ±")[0]))
        assert {steps: round(100 * off, 2) for steps, off in table.items()} == listed


def test_between_the_listed_steps_the_bias_goes_on_smoothly():
    assert commonest_rule_bias(50) == pytest.approx(math.log1p(-0.0233))
    assert commonest_rule_bias(1000) == pytest.approx(-0.0011, abs=1e-4)  # as the docs say of it
    assert -0.0472 < commonest_rule_bias(35) < commonest_rule_bias(36) < -0.0233
    assert memorizer_excess(6) == pytest.approx(0.2026)
    assert memorizer_excess(5) is commonest_rule_bias(5) is None


class TestC2:
    def test_a_corpus_far_below_its_support_is_no_test(self):
        tables = clear("C2")
        large = changed(tables, "trainings", **{"grammar.num_synonyms": 3})
        assert reasons(deduplication.deduplicated_slopes(large)) == {deduplication.SPARSE}
        few = changed(tables, "trainings", **{"corpus.control_size": 63})
        assert reasons(deduplication.deduplicated_slopes(few)) == {deduplication.FEW_CONTROLS}
        lawless = changed(tables, "trainings", **{"grammar.num_synonyms": None})
        assert reasons(deduplication.deduplicated_slopes(lawless)) == {deduplication.NO_SUPPORT}
        assert deduplicated.test(lawless).verdict == NOT_TESTED
        found = deduplicated.test(large)
        assert found.verdict == NOT_TESTED
        assert "unique corpora whose training and control" in found.remedy

    def test_twins_drawn_with_repetition_stand_beside_it(self):
        tables = clear("C2")
        assert "no i.i.d. corpora" in deduplicated.sentence(deduplicated.test(tables))
        own, curves = tables["trainings"], tables["curves"]
        twins = own.assign(training="i" + own["training"], **{"corpus.unique": False})
        twin_curves = curves.assign(
            training="i" + curves["training"], typicality_slope=curves["typicality_slope"] - 0.1
        )
        both = {
            "trainings": pd.concat([own, twins]),
            "curves": pd.concat([curves, twin_curves]),
        }
        found = deduplicated.test(Tables.of(both))
        assert found.estimate == pytest.approx(deduplicated.test(tables).estimate)
        assert found.difference.mean == pytest.approx(0.1)
        assert "3 with a twin" in found.basis
        alone = deduplicated.test(Tables.of({**both, "trainings": twins}))
        assert alone.verdict == NOT_TESTED

    def test_needs(self):
        zipf = {"zipf": {"1": 1.0}}
        small = {"depth": 2, "vocab_size": 8, **zipf}
        used_up = {"size": 300, "grammar": small, "corpus": {"control_size": 200}}
        trials = [synthetic.config(seed=seed, **used_up) for seed in range(2)]
        assert deduplicated.CLAIM.lacks(trials) == []
        far = [synthetic.config(seed=seed, grammar=zipf) for seed in range(2)]
        assert "uses up its grammar" in deduplicated.CLAIM.lacks(far)[0]


class TestC5:
    def test_what_is_left_out_and_why(self):
        tables = clear("C5")

        def out(name, **columns):
            return reasons(partial_window.partial_windows(changed(tables, name, **columns)))

        assert out("curves", excess_fit=0.06) == {TOO_SMALL}
        assert out("rules", true_frequency=0.5) == {partial_window.UNIFORM}
        assert out("levels", partial_memorization=np.nan) == {partial_window.NO_LEVEL}
        assert out("levels", partial_memorization=0.4) == {partial_window.NOT_PARTIAL}
        assert out("curves", excess_copies=0.9) == {partial_window.NO_STEP}

    def test_a_training_that_ends_early_has_no_second_half(self):
        tables = clear("C5")
        short = {name: tables[name] for name in ("trainings", "curves", "levels", "rules")}
        for name in ("curves", "levels", "rules"):
            short[name] = short[name][short[name]["step"] <= 256]
        found = common_rules.test(Tables.of(short))
        assert found.verdict == NOT_TESTED
        assert found.estimate == pytest.approx(common_rules.test(tables).estimate)
        assert "but no training goes on to 2 τ_mem" in found.basis

    def test_it_says_how_far_the_sampler_is_off_and_which_way(self):
        found = common_rules.test(clear("C5"))
        assert found.verdict == SUPPORTED
        assert "works against the claim" in found.basis
        assert "−0.012 at 100 reverse steps" in found.basis

    def test_levels_that_disagree_are_told_apart(self):
        tables = clear("C5")
        rules = tables["rules"]
        rare = rules.assign(level=0, generated=0.8 * rules["true_frequency"])
        both = {name: tables[name] for name in ("trainings", "curves", "levels")}
        found = common_rules.test(Tables.of({**both, "rules": pd.concat([rules, rare])}))
        levels = found.frames["levels"].set_index("level")["mean"]
        assert levels[0] == pytest.approx(math.log(0.8))
        assert levels[2] == pytest.approx(common_rules.test(tables).estimate.mean)
        assert found.estimate.mean == pytest.approx(levels.mean())
        assert "(by level, which decides nothing: level 0 = −0.223" in common_rules.sentence(found)
        drawn = common_rules.figure(found)
        assert drawn is not None
        rows = drawn.data["common_rules"]
        assert rows[rows["kind"] != "seed"]["row"].tolist() == [
            "all cells", "level 0", "level 2", "c"
        ]  # fmt: skip
        assert "by level" not in common_rules.sentence(common_rules.test(tables))

    def test_needs(self):
        flat = [synthetic.config(seed=seed, depth=2) for seed in range(2)]
        lacks = common_rules.CLAIM.lacks(flat)
        assert "set grammar.zipf" in lacks[0]
        assert "set grammar.depth to 3" in lacks[1]
        deep = [synthetic.config(seed=s, grammar={"zipf": {"2": 1}}) for s in range(2)]
        assert common_rules.CLAIM.lacks(deep) == []


class TestC18:
    def test_heights_are_over_the_mean_of_both_ends_and_the_ends_are_no_peak(self):
        profiles = np.ones((3, 10))
        profiles[:, 2], profiles[:, 5], profiles[:, 0] = 2.0, [-3.0, -2.5, -2.8], 9.0
        heights = noise_gap.over_ends(profiles)
        assert highest(heights) == 1
        assert heights[:, 4].tolist() == pytest.approx([-8, -7.5, -7.8])

    def test_a_quiet_window_far_below_a_loud_end_is_no_peak(self):
        gaps = [0.045, 0.038, 0.011, 0.001, *[0.0] * 6]
        heights = noise_gap.over_ends(np.array([gaps, gaps]))
        assert highest(heights) == 0
        assert heights[0, 0] == pytest.approx(0.038 - 0.0225)

    def test_an_end_that_is_not_calm_is_named(self):
        tables = test_simulated_noise.noisy_sweeps(RNG(0), 3, 20.0)
        assert "not calm" not in medium_noise.sentence(medium_noise.test(tables))
        first = tables["noise"]["window"] == 0
        tables["noise"]["heldout_loss"] += 10.0 * first
        said = medium_noise.sentence(medium_noise.test(tables))
        assert said.startswith("Contradicted") and "at 0.05, an end that is not calm" in said

    def test_the_first_step_with_copies_counts(self):
        tables = test_simulated_noise.noisy_sweeps(RNG(0), 3, 20.0)
        later = tables["noise"].assign(step=256, heldout_loss=-50.0)
        both = {**{n: tables[n] for n in ("trainings", "curves")}}
        both["noise"] = pd.concat([later, tables["noise"]])
        found = medium_noise.test(Tables.of(both))
        assert found.estimate == pytest.approx(medium_noise.test(tables).estimate)
        assert found.noise == found.largest == 0.45

    def test_what_is_left_out_and_why(self):
        tables = test_simulated_noise.noisy_sweeps(RNG(0), 3, 20.0)
        never = noise_gap.noise_gaps(changed(tables, "curves", excess_copies=0.05))
        assert reasons(never) == {noise_gap.NOT_COPYING}
        lost = tables["noise"]["heldout_loss"].where(tables["noise"]["window"] > 0)
        without = changed(tables, "noise", heldout_loss=lost)
        assert reasons(noise_gap.noise_gaps(without)) == {noise_gap.NO_WINDOWS}
        assert medium_noise.test(without).verdict == NOT_TESTED


class TestC19:
    def test_the_slope_is_that_of_a_regression(self):
        tables = clear("C19", seeds=2)
        points = reverse_step_slopes.by_reverse_steps(tables)
        own = points[(points["seed"] == 0) & (points["step"] == 128)]
        slope, _ = np.polyfit(np.log2(own["reverse_steps"]), own["excess_copies"], 1)
        found = reverse_step_slopes.reverse_step_slopes(tables).set_index("seed")
        assert found.loc[0, "slope"] == pytest.approx(slope)
        assert found.loc[0, ["trainings", "steps"]].tolist() == [3, 2]

    def test_a_memorizer_has_no_slope_beyond_that_of_the_sampler(self):
        tables = clear("C19")
        steps = tables["trainings"].set_index("training")["measurement.reverse_steps"]
        exact = tables["curves"]["training"].map(steps).fillna(100).map(memorizer_excess)
        found = reverse_steps.test(changed(tables, "curves", excess_copies=exact))
        assert found.estimate.mean > 0.01
        assert found.relative.mean == pytest.approx(0, abs=1e-12)

    def test_below_what_is_tabulated_the_sampler_is_unknown(self):
        tables = clear("C19")
        steps = tables["trainings"]["measurement.reverse_steps"].replace({25: 5})
        found = reverse_steps.test(
            changed(tables, "trainings", **{"measurement.reverse_steps": steps})
        )
        assert found.relative == mean_over_seeds([])
        assert found.estimate.mean is not None

    def test_trainings_that_differ_in_more_are_not_compared(self):
        tables = clear("C19")
        widths = np.where(tables["trainings"]["measurement.reverse_steps"].isna(), 8, 64)
        own = changed(tables, "trainings", **{"network.width": widths})
        found = reverse_step_slopes.reverse_step_slopes(own)
        assert reasons(found[found["trainings"] == 1]) == {reverse_step_slopes.ALONE}
        assert reasons(found[found["trainings"] == 2]) == {None}
        nothing = reverse_steps.test(changed(tables, "curves", excess_copies=0.0))
        assert nothing.verdict == NOT_TESTED

    def test_needs(self):
        trials = [
            synthetic.config(seed=seed, measurement={"reverse_steps": steps})
            for seed in range(2)
            for steps in (None, 25)
        ]
        assert reverse_steps.CLAIM.lacks(trials) == []
        assert "sweep measurement.reverse_steps" in reverse_steps.CLAIM.lacks(trials[::2])[0]
        assert "set seeds" in reverse_steps.CLAIM.lacks(trials[:2])[0]

    def test_all_steps_of_the_schedule_are_a_cell_of_their_own(self):
        own = simulated.trainings(2, measurement__reverse_steps=25)
        both = pd.concat([own, simulated.trainings(2)])
        assert cells.distinguishing(both) == ["measurement.reverse_steps"]
        named = cells.label(["measurement.reverse_steps"], [None])
        assert named == "reverse steps=all"


@pytest.mark.parametrize("name", test_simulated.SIMULATIONS)
def test_a_sweep_with_an_effect_is_said_and_drawn(name):
    claim = next(claim for claim in claims() if claim.id == name)
    found = claim.test(clear(name))
    assert found.verdict == SUPPORTED
    assert claim.sentence(found).startswith("Supported: ")
    figure = claim.figure(found)
    assert figure.spec(LIGHT)
    assert all(figure.datasets().values())


@pytest.mark.parametrize("name", test_simulated.SIMULATIONS)
def test_a_single_seed_decides_nothing(name):
    assert test_simulated.SIMULATIONS[name].test(clear(name, seeds=1)).verdict == INCONCLUSIVE
