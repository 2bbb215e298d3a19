"""C5: common rules are overproduced while strings are copied in parts, and this relaxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.forest import SHOWN, forest_chart, forest_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Claim, Result
from analysis.claims.needs import has_typical_parts, several_seeds
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import NOT_TESTED, above_zero, all_of
from analysis.frames.wording import counted, number
from analysis.statistics.matching import reverse_steps
from analysis.statistics.partial_window import ENOUGH, partial_windows, windows_by_level
from analysis.statistics.sampler_bias import FEWEST, commonest_rule_bias
from analysis.statistics.seeds import Estimate, mean_over_seeds, over_seeds
from analysis.statistics.typicality_slopes import slope_over_seeds
from study.config import TrialConfig

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True)
class CommonRules(Result):
    """C5 with the numbers behind it; its estimate is Q in the partial window.

    Its frames: `trainings`, from `partial_windows` with `reverse_steps` (missing without a
    grammar, of whose bias they tell); `cells`, per cell `mean`, `lower`, `upper` of Q and `seeds`;
    `levels`, the same of Q_l per cell and Zipf level, and `by_level`, `seed` and `overproduction`
    (Q_l) by level. Levels can disagree, which their mean hides; it decides all the same, for it is
    what the claim was to be tested by.

    Attributes:
        relaxation: Q in the window less Q at the end: mean and interval over seeds.
    """

    relaxation: Estimate


def test(tables: Mapping[str, pd.DataFrame]) -> CommonRules:
    """(a) mean Q on [τ_partial, τ_mem) > 0, and (b) that less Q at a step >= 2 τ_mem > 0.

    The claim of [Aparicio 2026].

    Q = ln f_gen(1) - ln max(p_l(1), f_D(1)) of the commonest rule, mean over Zipf levels; without a
    grammar, of the commonest tenth of all pairs of neighbours. Averaged over the cells of a seed,
    Student's t over seeds. The claim is the conjunction. The
    sampler itself makes the commonest root rule too rare, by 2.3 % at 50 reverse steps
    (`sampler_bias`): that hides overproduction rather than feigning it.
    """
    trainings = tables["trainings"]
    taken = pd.Series(reverse_steps(trainings).to_numpy(), index=trainings["training"])
    taken = taken.where(trainings["grammar.depth"].notna().to_numpy())
    windows = partial_windows(tables)
    by_level = windows_by_level(tables, windows)
    return judged(windows.assign(reverse_steps=windows["training"].map(taken)), by_level)


def judged(trainings: pd.DataFrame, by_level: pd.DataFrame) -> CommonRules:
    """The claim on the windows of `partial_windows`, beside the Q_l of `windows_by_level`."""
    produced = mean_over_seeds(slope_over_seeds(trainings, "overproduction"))
    relaxation = mean_over_seeds(slope_over_seeds(trainings, "relaxation"))
    judgement = all_of(above_zero(produced), above_zero(relaxation))
    tested = trainings[trainings["left_out"].isna()]
    return CommonRules(
        estimate=produced,
        judgement=judgement,
        basis=f"{basis(trainings)}{_alone(produced, relaxation)}{_bias(tested)}",
        remedy=remedy(judgement.verdict, produced, UNTESTED),
        frames={
            "trainings": trainings,
            "cells": over_seeds(tested, by=["cell"], value="overproduction"),
            "levels": over_seeds(by_level, by=["cell", "level"], value="overproduction"),
            "by_level": _over_cells(by_level),
        },
        relaxation=relaxation,
    )


def _over_cells(by_level: pd.DataFrame) -> pd.DataFrame:
    """Q_l of each seed, the mean over its cells."""
    means = by_level.groupby(["level", "seed"])["overproduction"].mean()
    return means.reset_index()


UNTESTED = (
    "trainings with a Zipf level and excess_fit ≤ 0.05 that are measured between τ_partial and "
    f"τ_mem and go on to {ENOUGH} τ_mem: train longer, or measure more often"
)


def _alone(produced: Estimate, relaxation: Estimate) -> str:
    """What is known of the first half where the second has nothing to rest on."""
    if produced.mean is None or relaxation.mean is not None:
        return ""
    return f"; {estimated('Q', produced)}, but no training goes on to {ENOUGH} τ_mem"


def _bias(tested: pd.DataFrame) -> str:
    """How far the sampler is off by itself, and which way it works."""
    ruled = tested["reverse_steps"].dropna()
    if ruled.empty:
        return ""
    said = []
    for steps in sorted(ruled.unique()):
        bias = commonest_rule_bias(steps)
        said.append(
            f"unknown below {FEWEST} reverse steps"
            if bias is None
            else f"{number(bias, 3)} at {counted(int(steps), 'reverse step')}"
        )
    return (
        "; the sampler by itself makes the commonest root rule too rare, which works against the "
        f"claim: Q of the exact grammar (L = 2, v = 6, m = 4) is {', '.join(dict.fromkeys(said))}"
    )


def zipf_levels(trials: Sequence[TrialConfig]) -> str | None:
    """Without unequal rules there is no commonest one."""
    if any(has_typical_parts(trial) for trial in trials):
        return None
    return "all rules are equally probable, so none is the commonest: set grammar.zipf"


def inner_levels(trials: Sequence[TrialConfig]) -> str | None:
    """λ is defined at the levels 1 to L-2."""
    if any(trial.shape.depth > 2 for trial in trials):
        return None
    return "no level has a λ, so nothing is memorized in parts: set grammar.depth to 3 or more"


def sentence(found: CommonRules) -> str:
    """C5 in one sentence."""
    if found.verdict == NOT_TESTED:
        return said(found, {}, "")
    numbers = (
        f"{estimated('Q', found.estimate)} while strings are copied in parts{_levels_said(found)}, "
        f"{estimated('less Q at the end', found.relaxation)}"
    )
    return said(
        found,
        {
            "supported": "common rules are overproduced in the partial regime, and this relaxes",
            "contradicted": "common rules are underproduced, or ever more overproduced",
        },
        numbers,
    )


def _levels_said(found: CommonRules) -> str:
    """Q level by level, where there are several."""
    levels = found.frames["by_level"].groupby("level")["overproduction"]
    if levels.ngroups < 2:
        return ""
    each = [estimated(f"level {level}", mean_over_seeds(q.tolist())) for level, q in levels]
    return f" (by level, which decides nothing: {'; '.join(each)})"


def figure(found: CommonRules) -> Figure | None:
    """Q by level, where there are several, and by cell."""
    if found.estimate.mean is None:
        return None
    rows = [found.frames["trainings"].dropna(subset="overproduction")]
    cells = [found.frames["cells"]]
    levels = found.frames["by_level"]
    if len(levels["level"].unique()) > 1:
        levels = levels.assign(cell="level " + levels["level"].astype(str))
        rows.insert(0, levels)
        cells.insert(0, over_seeds(levels, by=["cell"], value="overproduction"))
    table = forest_table(found.estimate, pd.concat(cells), pd.concat(rows), value="overproduction")

    def draw(theme: Theme) -> alt.TopLevelMixin:
        axis = "Q of the commonest rule: too rare ← 0 → too often"
        return forest_chart(table, theme, "common_rules", axis=axis, symbol="Q")

    return Figure(
        name=CLAIM.name,
        title="Are common rules overproduced?",
        caption=(
            "ln of how often the commonest rule is generated over its frequency in the grammar or "
            "in the training strings, whichever is more; mean over the steps from τ_partial to "
            "τ_mem and, but for the rows of a level, over Zipf levels. Ticks: trainings; in the "
            "rows of a level, seeds. Dots and lines: means over seeds with 95 % Student t "
            f"intervals, where there are two seeds. At most {SHOWN} rows are drawn."
        ),
        data={"common_rules": table},
        draw=draw,
    )


CLAIM = Claim(
    id="C5",
    name="common-rules",
    statement="Common rules are overproduced in the partial regime, and this relaxes",
    source="Aparicio Rodriguez et al., arXiv 2605.30642",
    quantity=(
        "mean Q = ln f_gen(1) − ln max(p(1), f_D(1)) at Zipf levels between τ_partial and τ_mem, "
        f"and that less Q at the last step from {ENOUGH} τ_mem on"
    ),
    method="averaged over the cells of a seed, then Student’s t over seeds; both must hold",
    needs=(zipf_levels, inner_levels, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
