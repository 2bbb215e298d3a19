"""Claims about onsets on sweeps of which the truth is known, a seventh of the onsets censored.

For a claim that an effect has a sign, the effect is absent or reversed; for one that it equals a
value, it lies at the edge of what counts as equal, or far from it.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.claims import (
    beyond_reach,
    rule_complexity,
    size_scaling,
    tails,
    width_scaling,
)
from analysis.claims.claim import Claim
from analysis.claims.registry import claims
from analysis.statistics.onset_slopes import equal_but
from tests.analysis import synthetic
from tests.analysis.claims.onset_sweeps import Design, grid, spread
from tests.analysis.claims.onset_sweeps import tails as tails_of

SIZES, WIDTHS = [32, 64, 128, 256, 512], [16, 32, 64, 128, 256]


def size(cell):
    return math.log(cell["corpus.size"])


def width(cell):
    return math.log2(cell["network.width"])


def synonyms(cell):
    return math.log(cell["grammar.num_synonyms"])


def level(cell):
    return next(i for i in range(3) if cell[f"grammar.zipf.{i}"])


def reach(cell, slope):
    """Proportion to N; with slope 1 the two largest corpora are never memorized."""
    never = slope and cell["corpus.size"] >= 256
    return (math.inf if never else 3 + size(cell)), 5.0, 5.0


TAILS = tails_of([0.5, 1.0], [64, 256])
BY_SIZE = grid(corpus_size=SIZES, network_width=[32, 64])
BY_WIDTH = grid(network_width=WIDTHS, corpus_size=[64, 256])
RULES = grid(grammar_num_synonyms=[2, 3, 4, 6], corpus_size=SIZES)

CASES = {
    "C3": (tails.C3, Design(TAILS, lambda c, b: (7 + size(c) + b * spread(c), 5, 5)), (1, 0, -1)),
    "C4": (
        tails.C4,
        Design(TAILS, lambda c, b: (9 + size(c) + b * level(c), 5, 5)),
        (-0.5, 0, 0.5),
    ),
    "C6": (
        width_scaling.C6,
        Design(BY_WIDTH, lambda c, b: (12 + b * width(c), 5, 6)),
        (-0.3, 0, 0.3),
    ),
    "C7": (size_scaling.C7, Design(BY_SIZE, lambda c, b: (4 + b * size(c), 5, 5)), (1, 1.2, 1.6)),
    "C8": (
        size_scaling.C8,
        Design(BY_SIZE, lambda c, b: (12, 5 + b * size(c), 5), limits=1),
        (0, 0.2, 0.6),
    ),
    "C9": (
        width_scaling.C9,
        Design(BY_WIDTH, lambda c, b: (12 + b * width(c), 5, 5)),
        (-0.5, 0, 0.5),
    ),
    "C9b": (
        width_scaling.C9B,
        Design(BY_WIDTH, lambda c, b: (12 + (b - 0.5) * width(c), 9 - 0.5 * width(c), 5)),
        (0, 0.2, 0.6),
    ),
    "C10": (
        beyond_reach.CLAIM,
        Design(grid(corpus_size=SIZES), reach, censored=0.0, longer=8),
        (1, 0, 0),
    ),
    "C17": (
        rule_complexity.CLAIM,
        Design(RULES, lambda c, b: (6 + size(c), 4 + b * synonyms(c), 5)),
        (1, 0, -1),
    ),
}  # fmt: skip

SEEDS = 8


def verdicts(id, which, repetitions, seeds=SEEDS):
    claim, design, slopes = CASES[id]
    rng = np.random.default_rng(["C3", "C4", *CASES].index(id) + 100 * which)
    found = [claim.test(design.tables(slopes[which], seeds, rng)) for _ in range(repetitions)]
    return [one.verdict for one in found]


def at_least(share, hits, of):
    """Whether so few hits are no proof that the rate is smaller (1 in 1,000)."""
    return stats.binom.cdf(hits, of, share) > 1e-3


def at_most(share, hits, of):
    """Whether so many hits are no proof that the rate is larger (1 in 1,000)."""
    return stats.binom.sf(hits - 1, of, share) > 1e-3


@pytest.mark.parametrize("id", CASES)
def test_what_holds_is_supported_and_the_reverse_contradicted(id):
    supported = verdicts(id, 0, 6).count("supported")
    assert at_least(0.9, supported, 6)
    assert verdicts(id, 2, 3).count("contradicted") >= 2


@pytest.mark.parametrize("id", CASES)
def test_what_does_not_hold_is_seldom_supported(id):
    assert at_most(0.05, verdicts(id, 1, 6).count("supported"), 6)


@pytest.mark.long
@pytest.mark.parametrize("id", CASES)
def test_rates_of_verdicts_over_200_sweeps(id):
    supported, none, reversed_ = (verdicts(id, which, 200) for which in range(3))
    rates = supported.count("supported"), none.count("supported"), reversed_.count("contradicted")
    print(f"{id}: supported {rates[0]}, by chance {rates[1]}, reversed contradicted {rates[2]}")
    assert at_least(0.9, rates[0], 200)
    assert at_most(0.05, rates[1], 200)
    assert at_least(0.9, rates[2], 200)


@pytest.mark.parametrize("id", CASES)
def test_every_result_has_words_and_a_figure_that_draws(id, tmp_path):
    claim, design, slopes = CASES[id]
    found = claim.test(design.tables(slopes[0], 4, np.random.default_rng(1)))
    assert f"({found.estimate.seeds} seeds)" in claim.sentence(found)
    drawn = claim.figure(found)
    assert drawn is not None
    (rows,) = drawn.datasets().values()
    assert {row["kind"] for row in rows} >= {"line", "known"}
    from analysis.charts.theme import LIGHT

    assert drawn.spec(LIGHT)["layer"]


@pytest.mark.parametrize("id", CASES)
def test_one_cell_tests_nothing_and_says_what_would(id):
    claim, design, slopes = CASES[id]
    alone = Design(design.cells[:1], design.law, design.limits)
    found = claim.test(alone.tables(slopes[0], 4, np.random.default_rng(1)))
    assert found.verdict == "not tested by this sweep"
    assert found.estimate.mean is None
    assert found.judgement.p_value is None
    assert found.remedy in claim.sentence(found)
    assert claim.figure(found) is None
    assert "left out" in found.basis


def test_naive_and_fair_tails_differ_and_the_fair_one_decides():
    """With a delay that goes with entropy alone, only unequal entropies show one."""
    entropy_only = Design(TAILS, lambda c, b: (9 + b * (0.5 if spread(c) < 1.1 else 1.0), 5, 5))
    claim, _, _ = CASES["C3"]
    found = claim.test(entropy_only.tables(0.0, 8, np.random.default_rng(2)))
    assert set(found.beside) == {"at unequal entropies", "on the exponent"}
    assert found.name.endswith("at equal string entropy")
    assert "at unequal entropies = " in claim.sentence(found)
    cells = [c for c in TAILS if level(c) == 2]
    found = claim.test(Design(cells, CASES["C3"][1].law).tables(1, 8, np.random.default_rng(2)))
    assert found.verdict == "supported"
    assert found.name.endswith("at unequal entropies")


def test_what_the_budget_merely_cuts_off_is_not_overdue():
    late = Design(grid(corpus_size=SIZES), reach)
    rng = np.random.default_rng(3)
    found = [beyond_reach.test(late.tables(0, SEEDS, rng)) for _ in range(5)]
    assert [one.verdict for one in found].count("supported") == 0
    assert sum(one.waiting for one in found) <= 0.1 * sum(one.foretold for one in found) + 3
    trainings = found[0].frames["trainings"]
    assert (trainings["high"] == np.inf).sum() > 3
    assert trainings[trainings["x"] < math.log(100)]["left_out"].notna().all()


def test_equal_exponents_do_not_decide_where_entropies_differ():
    cells = [{**c, f"grammar.zipf.{i}": 1.0} for c in grid(corpus_size=[64, 256]) for i in range(3)]
    claim, design, _ = CASES["C4"]
    found = claim.test(Design(cells, design.law).tables(-0.5, 6, np.random.default_rng(2)))
    assert found.verdict == "not tested by this sweep"
    assert "slope at equal exponents = −0.490" in found.basis


def test_groups_differ_in_nothing_else():
    cells = grid(corpus_size=[64, 128], network_width=[16, 32])
    trainings = pd.DataFrame(cells)
    assert equal_but(trainings, ["corpus.size"]).tolist() == ["W=16", "W=32"] * 2
    with_rate = trainings.assign(**{"training.learning_rate": [0.1, 0.2, 0.1, 0.2]})
    assert equal_but(with_rate, ["network.width"]).nunique() == 4
    depths = pd.DataFrame(
        [
            {**cells[0], "grammar.zipf.2": 1.5},
            {**cells[0], "grammar.depth": 4, "grammar.zipf.3": 1.5},
        ]
    )
    assert len(set(equal_but(depths, ["grammar.depth"]))) == 1


def test_needs_name_the_setting_to_vary():
    one = [synthetic.config(seed=seed) for seed in range(2)]
    asked: dict[str, Claim] = {claim.id: claim for claim in claims()}
    for id, field in {
        "C3": "grammar.zipf", "C4": "grammar.zipf", "C6": "network.width", "C7": "corpus.size",
        "C8": "corpus.size", "C9": "network.width", "C9b": "network.width", "C10": "corpus.size",
        "C17": "grammar.num_synonyms",
    }.items():  # fmt: skip
        assert any(field in lack for lack in asked[id].lacks(one)), id
    more = [synthetic.config(seed=seed, size=n) for seed in range(2) for n in (64, 128)]
    assert asked["C7"].lacks(more) == []
    assert len(asked["C9"].lacks(more)) == 1
