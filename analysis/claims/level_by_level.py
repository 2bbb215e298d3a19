"""C11: rules are learned level by level, from the leaves up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.forests import forest_figure
from analysis.claims.needs import a_grammar, several_generated_steps, several_seeds
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import above_zero
from analysis.frames.wording import counted
from analysis.statistics.lags import lag_by_seed, level_lags
from analysis.statistics.seeds import mean_over_seeds
from study.config import TrialConfig


@dataclass(frozen=True, kw_only=True)
class LevelByLevel(Result):
    """C11 with the numbers behind it.

    Its frame: `lags`, from `level_lags`.

    Attributes:
        decided: lags between adjacent levels that are known, or whose sign is.
        upwards: of them, those in which the deeper level came first.
    """

    decided: int
    upwards: int


def test(tables: Mapping[str, pd.DataFrame]) -> LevelByLevel:
    """log(onset of level l) - log(onset of level l+1) > 0, levels counted from the root.

    The claim of [Favero 2025a].

    Onsets are those of conditional validity, half the way from chance to 1. The lag is averaged
    over the adjacent levels of a training, then over the trainings of a seed; Student's t over
    seeds. Where an onset is censored, see `lags`.
    """
    lags = level_lags(tables)
    lag = mean_over_seeds(lag_by_seed(lags).tolist())
    judgement = above_zero(lag)
    known = lags["lag"].dropna()
    return LevelByLevel(
        estimate=lag,
        judgement=judgement,
        basis=f"{basis(lags, 'lag')}; {counted(int(lags['bound'].sum()), 'lag')} at their bounds",
        remedy=remedy(judgement.verdict, lag, UNTESTED),
        frames={"lags": lags},
        decided=len(known),
        upwards=int((known > 0).sum()),
    )


UNTESTED = (
    "trainings on grammars of two levels or more that are measured before the rules of some level "
    "are learned and until they are: lower measurement.first_step, or train longer"
)


def sentence(found: LevelByLevel) -> str:
    """C11 in one sentence."""
    order = f"the deeper level first in {found.upwards:,} of {counted(found.decided, 'lag')}"
    return said(
        found,
        {
            "supported": "the rules of a level are learned after those of the next deeper one",
            "contradicted": "the rules of a level are learned before those of the next deeper one",
        },
        f"{estimated('log lag per level', found.estimate)}, {order}",
    )


def figure(found: LevelByLevel) -> Figure | None:
    """The lag between adjacent levels, by level."""
    lags = found.frames["lags"].dropna(subset="lag")
    rows = [f"from level {level + 1} to level {level}" for level in lags["level"].astype(int)]
    return forest_figure(
        found.estimate,
        lags.assign(row=rows, value=lags["lag"]).sort_values("level", ascending=False),
        name=CLAIM.name,
        title="From the leaves up?",
        caption=(
            "How much later, in nats of the training step, the rules of a level are learned than "
            "those of the next deeper one; levels count from the root."
        ),
        axis="lag: from the root down ← 0 → from the leaves up",
        symbol="lag",
    )


def several_levels(trials: Sequence[TrialConfig]) -> str | None:
    """One level of rules has no order."""
    grammars = [trial.grammar for trial in trials if trial.grammar is not None]
    if not grammars or any(grammar.depth > 1 for grammar in grammars):
        return None
    return "grammars have a single level of rules: set grammar.depth to 2 or more"


CLAIM = Claim(
    id="C11",
    name="level-by-level",
    statement="Rules are learned level by level, from the leaves up",
    source="Favero et al., arXiv 2502.12089",
    quantity="mean log ratio of the validity onsets of a level and of the next deeper one",
    method="averaged over the adjacent levels and cells of a seed, then Student’s t over seeds",
    needs=(a_grammar, several_levels, several_generated_steps, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
